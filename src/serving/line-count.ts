/**
 * What a line adds to the summary of its day, found on the main thread while the values are at hand: to read them from the line again
 * costs the log thread more than everything else it does.
 */
import { type Cell, cellFinder } from '../statistics/histogram.ts';
import type { Endpoint } from './endpoint.ts';
import { cellPlace, maxLoggedWidth, rowWidth } from './log-line.ts';
import { extraNames, type ModelSignature } from './model-signature.ts';
import type { InferRequest } from './open-inference.ts';
import type { ReferenceBins } from './reference-bins.ts';
import type { LineCount, LineSource } from './summary.ts';

export type CellReader = {
  /** Of a row that was answered. */
  answered(request: InferRequest, row: number, score: number | undefined): readonly number[];
  /** Of a row without an answer: its features only. */
  failed(request: InferRequest, row: number): readonly number[];
  /** Of a score that was given to nobody. */
  mirrored(score: number | undefined): readonly number[];
};

const noCell = -1;

/** Of a mirrored row without a score. */
export const unanswered: readonly number[] = [noCell];

/** @param bins of the version's reference profile; absent: nothing but answers and errors is counted */
export function compileCells(
  endpoint: Endpoint,
  signature: ModelSignature,
  bins: ReferenceBins = { features: {} },
): CellReader {
  const features = Object.entries(bins.features).map(([name, own]) => ({
    find: cellFinder(own),
    read: valueReader(endpoint, signature, name),
  }));
  const score = bins.score && cellFinder(bins.score);
  const scoreCell = (value: number | undefined): number => (score ? score(value) : noCell);
  const withFeatures = (first: number, request: InferRequest, row: number): readonly number[] => {
    const cells = [first];
    for (const { find, read } of features) cells.push(find(read(request, row)));
    return cells;
  };
  return {
    answered: (request, row, value) => withFeatures(scoreCell(value), request, row),
    failed: (request, row) => withFeatures(noCell, request, row),
    mirrored: (value) => [scoreCell(value)],
  };
}

/** The same value that `cellReader` finds in the line. */
function valueReader(
  endpoint: Endpoint,
  signature: ModelSignature,
  name: string,
): (request: InferRequest, row: number) => Cell {
  const { input, cell } = cellPlace(name);
  const whole = signature.inputIndex.get(name);
  const part = cell === undefined ? undefined : signature.inputIndex.get(input);
  const extra = extraNames.find((one) => endpoint[one] === name);

  const scalarOf = (request: InferRequest, row: number): Cell => {
    const own = whole === undefined ? undefined : request.values[whole];
    if (own) return rowWidth(signature, request, own) === 1 ? logged(own[row]) : undefined;
    return extra && logged(request.extras[extra]?.[row]);
  };
  const partOf = (request: InferRequest, row: number): Cell => {
    const own = part === undefined ? undefined : request.values[part];
    if (!own || cell === undefined) return undefined;
    const width = rowWidth(signature, request, own);
    return width > 1 && width <= maxLoggedWidth && cell < width ? logged(own[row * width + cell]) : undefined;
  };
  if (part === undefined) return scalarOf;
  if (whole === undefined && !extra) return partOf;
  return (request, row) => scalarOf(request, row) ?? partOf(request, row);
}

/** The line has null for what is no number. */
const logged = (value: Cell): Cell => (typeof value === 'number' && Number.isNaN(value) ? null : value);

/** The counts of a group of lines as numbers, which cross to another thread in one piece. */
export type PackedCounts = { readonly sources: readonly LineSource[]; readonly numbers: Float64Array<ArrayBuffer> };

/** Numbers in memory that is kept when they are forgotten. */
export class NumberList {
  #values = new Float64Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** Not to be kept: they change with the list. */
  get values(): Float64Array<ArrayBuffer> {
    return this.#values.subarray(0, this.length);
  }
}

/**
 * One after the other: source or -1 for a line without a count; event time, latency, error, number of cells, cells.
 * @param count absent: of a line that must be read
 * @param sources where each source stands in the group's
 */
export function packCount(count: LineCount | undefined, sources: Map<LineSource, number>, numbers: NumberList): void {
  if (!count) {
    numbers.push(-1);
    return;
  }
  const { source, eventTime, latencyMs, isError, cells } = count;
  let place = sources.get(source);
  if (place === undefined) {
    place = sources.size;
    sources.set(source, place);
  }
  numbers.push(place);
  numbers.push(eventTime);
  numbers.push(latencyMs);
  numbers.push(isError ? 1 : 0);
  numbers.push(cells.length);
  for (let index = 0; index < cells.length; index++) numbers.push(cells[index] as number); // index < length
}

/** The count of the next line at each call; undefined for a line that must be read. */
export type CountReader = () => LineCount | undefined;

/** As they were packed, one by one. */
export function countReader({ sources, numbers }: PackedCounts): CountReader {
  let at = 0;
  const next = (): number => numbers[at++] as number; // as many as were packed
  return () => {
    const source = sources[next()];
    if (!source) return undefined;
    const [eventTime, latencyMs, isError, length] = [next(), next(), next() === 1, next()];
    const cells = numbers.subarray(at, at + length);
    at += length;
    return { source, eventTime, latencyMs, isError, cells };
  };
}
