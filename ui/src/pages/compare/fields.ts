/** What runs are compared by: the values of a param or a metric, and where they stand on an axis. Pure. */
import { decimalsOf, type Run, sayMetric } from '../../data/runs.ts';
import { fixed } from '../../format.ts';

export type Field = {
  /** `params.depth`, `metrics.auc`. */
  readonly id: string;
  readonly kind: 'param' | 'metric';
  readonly title: string;
  /** Words have places on an axis, by the alphabet. */
  readonly words: readonly string[] | undefined;
  /** Ends of the axis: values, or the places of the first and the last word. */
  readonly low: number;
  readonly high: number;
  readonly decimals: number;
};

/** Params and metrics that the runs have, params first; what is the same in all runs is no field. */
export function fieldsOf(runs: readonly Run[]): readonly Field[] {
  const keysOf = (pick: (run: Run) => object) => [...new Set(runs.flatMap((run) => Object.keys(pick(run))))];
  const params = keysOf(({ params }) => params).map((key) => fieldOf(runs, 'param', key));
  const metrics = keysOf(({ metrics }) => metrics).map((key) => fieldOf(runs, 'metric', key));
  return [...params, ...metrics].filter((field) => field !== undefined);
}

function fieldOf(runs: readonly Run[], kind: Field['kind'], key: string): Field | undefined {
  const texts = [...new Set(runs.flatMap((run) => textOf(run, kind, key) ?? []))];
  if (texts.length < 2 && runs.length > 1) return undefined;
  const numbers = texts.map(Number);
  const base = {
    id: `${kind}s.${key}`,
    kind,
    title: sayMetric(key),
    decimals: kind === 'metric' ? decimalsOf(key) : 0,
  };
  if (texts.length > 0 && numbers.every(Number.isFinite)) {
    return { ...base, words: undefined, low: Math.min(...numbers), high: Math.max(...numbers) };
  }
  const words = kind === 'param' ? texts.toSorted() : undefined;
  return words && { ...base, words, low: 0, high: words.length - 1 };
}

function textOf(run: Run, kind: Field['kind'], key: string): string | undefined {
  const value = kind === 'param' ? run.params[key] : run.metrics[key];
  return value === undefined || value === null || value === '' ? undefined : String(value);
}

/** Where a run stands on the axis; undefined when it has no such value. */
export function placeOn({ id, kind, words }: Field, run: Run): number | undefined {
  const text = textOf(run, kind, id.slice(id.indexOf('.') + 1));
  if (text === undefined) return undefined;
  if (!words) return Number(text);
  const place = words.indexOf(text);
  return place < 0 ? undefined : place;
}

/** A place of the axis as it is written. */
export function sayPlace({ words, decimals }: Field, place: number | undefined): string {
  if (place === undefined) return 'none';
  if (words) return words[Math.round(place)] ?? '';
  return Number.isInteger(place) ? String(place).replace('-', '−') : fixed(place, decimals || decimalsNeeded(place));
}

const decimalsNeeded = (value: number): number => Math.min(6, String(value).split('.')[1]?.length ?? 0);

/** 0 at the low end of the axis, 1 at the high one. */
export const shareOf = ({ low, high }: Field, place: number): number =>
  high === low ? 0.5 : (place - low) / (high - low);

/** Ranges of axes, by field: a run is kept when it stands within all of them. */
export type Ranges = Readonly<Record<string, readonly [number, number]>>;

export const isWithin = (run: Run, fields: readonly Field[], ranges: Ranges): boolean =>
  fields.every((field) => {
    const range = ranges[field.id];
    if (!range) return true;
    const place = placeOn(field, run);
    return place !== undefined && place >= range[0] && place <= range[1];
  });

/** As an address may have it: whatever is no range is left out. */
export function rangesIn(value: unknown): Ranges {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([id, range]: [string, unknown]) => {
      if (!Array.isArray(range)) return [];
      const [from, to] = range.map(Number);
      return from !== undefined && to !== undefined && from <= to ? [[id, [from, to] as const]] : [];
    }),
  );
}
