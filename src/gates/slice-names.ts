import type { Grouping } from './gates-config.ts';

/** The slice of each value: its text, or for cut points the range it lies in. Absent values are a slice of their own. */
export function sliceNames({ cuts }: Grouping, values: readonly unknown[]): readonly string[] {
  return values.map((value) => {
    if (value === null || value === undefined) return 'missing';
    return cuts ? rangeOf(Number(value), cuts) : String(value);
  });
}

/** `below 500`, `500 to 1000`, `from 1000`: a cut belongs to the range above it. */
function rangeOf(x: number, cuts: readonly number[]): string {
  if (Number.isNaN(x)) return 'missing';
  const above = cuts.findIndex((cut) => x < cut);
  if (above === 0) return `below ${cuts[0]}`;
  return above < 0 ? `from ${cuts.at(-1)}` : `${cuts[above - 1]} to ${cuts[above]}`;
}
