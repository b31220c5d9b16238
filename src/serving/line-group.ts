/**
 * Lines on their way to the log thread, in the bytes that go to the disk. They are written down when they come in, into memory that is
 * used again: text that waits, and memory that is thrown away, cost more in the garbage collector than in their making.
 */
import { countReader, NumberList, type PackedCounts, packCount } from './line-count.ts';
import { completeLine } from './log-line.ts';
import type { LineCount, LineSource } from './summary.ts';

/** Lines of one endpoint that become durable together. */
export type LineGroup = {
  /** The number that the first line has in its text; the others follow. */
  readonly first: number;
  /** Complete lines, each with its line feed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each line begins. */
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly times: LineTimes;
  readonly counts: PackedCounts;
  /** Places of the lines that came without a count: all labels are among them. */
  readonly uncounted: readonly number[];
};

/** What the log needs to know about lines beside their text: wall clock and event time of each, one after the other. */
export type LineTimes = Float64Array<ArrayBuffer>;

export type AboutLine = {
  /** Wall clock, and the endpoint's time. */
  readonly at: number;
  readonly eventTime: number;
  /** What it adds to a summary: where that is missing, the line is read. */
  readonly count: LineCount | undefined;
};

export class LineGroupWriter {
  #first = 1;
  #bytes = Buffer.allocUnsafeSlow(4_096); // not of the pool, which would keep much else alive
  #used = 0;
  readonly #starts = new NumberList();
  readonly #times = new NumberList();
  readonly #counts = new NumberList();
  readonly #sources = new Map<LineSource, number>();
  #uncounted: number[] = [];

  /** Begins a group, and forgets what was written before. @param first number of its first line */
  begin(first: number): this {
    this.#first = first;
    this.#used = 0;
    for (const list of [this.#starts, this.#times, this.#counts]) list.length = 0;
    this.#sources.clear();
    this.#uncounted = [];
    return this;
  }

  get lines(): number {
    return this.#starts.length;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#used;
  }

  /** Bytes held. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** @param line without its number, as `log-line.ts` makes it */
  add(line: string, { at, eventTime, count }: AboutLine): void {
    const place = this.#starts.length;
    this.#makeRoom(frameBytes + line.length * maxBytesPerUnit);
    this.#starts.push(this.#used);
    this.#used += this.#bytes.write(`${completeLine(this.#first + place, line)}\n`, this.#used);
    this.#times.push(at);
    this.#times.push(eventTime);
    packCount(count, this.#sources, this.#counts);
    if (!count) this.#uncounted.push(place);
  }

  #makeRoom(needed: number): void {
    if (this.#used + needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#used + needed));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }

  /** What was written so far, until `begin`. */
  get written(): Lines {
    return { bytes: this.#bytes.subarray(0, this.#used), starts: this.#starts.values };
  }

  /** A copy, which may be given away. */
  copy(): LineGroup {
    return {
      ...copyLines(this.written),
      first: this.#first,
      times: this.#times.values.slice(),
      counts: { sources: [...this.#sources.keys()], numbers: this.#counts.values.slice() },
      uncounted: this.#uncounted,
    };
  }
}

/** The number, its name and the line feed. */
const frameBytes = 32;
/** In UTF-8, a unit of a JavaScript string takes no more. */
const maxBytesPerUnit = 3;

/** Complete lines, each with its line feed, and where each begins. */
export type Lines = { readonly bytes: Uint8Array<ArrayBuffer>; readonly starts: ArrayLike<number> };

export const copyLines = ({ bytes, starts }: Lines): Pick<LineGroup, 'bytes' | 'starts'> => ({
  bytes: new Uint8Array(bytes),
  starts: new Uint32Array(starts),
});

/** @param from place of the first line  @param to of the one behind the last  @returns their text, without the last line feed */
export function linesOf({ bytes, starts }: Lines, from: number, to: number): string {
  const end = (starts[to] ?? bytes.length) - 1;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8', starts[from], end);
}

/** The same lines with other numbers, without some of them. */
export function renumber(group: LineGroup, first: number, gone: ReadonlySet<number>): LineGroup {
  const writer = new LineGroupWriter().begin(first);
  const nextCount = countReader(group.counts);
  for (let place = 0; place < group.starts.length; place++) {
    const count = nextCount();
    if (gone.has(place)) continue;
    const line = linesOf(group, place, place + 1);
    const [at = Number.NaN, eventTime = Number.NaN] = group.times.subarray(2 * place, 2 * place + 2); // two a line
    writer.add(line.slice(line.indexOf(',') + 1), { at, eventTime, count });
  }
  return writer.copy();
}

/** What goes to another thread for good when the group does. */
export const buffersOf = ({ bytes, starts, times, counts }: LineGroup): readonly ArrayBuffer[] => [
  bytes.buffer,
  starts.buffer,
  times.buffer,
  counts.numbers.buffer,
];
