/**
 * What a version was trained on, in counts: per day and over fine cells, so that what comes in later can be compared with all of
 * it, and the training period with itself.
 */
import { dayMs } from '../rollouts/quantity.ts';
import {
  addCounts,
  type Bins,
  type Cell,
  cellCount,
  cellFinder,
  fineEdges,
  topCategories,
} from '../statistics/histogram.ts';

export type ReferenceProfile = {
  readonly rows: number;
  /** By name of the input. */
  readonly features: Readonly<Record<string, ReferenceColumn>>;
};

export type ReferenceColumn = {
  readonly bins: Bins;
  /** In order of time; one without a date for training data that has no time. */
  readonly days: readonly ReferenceDay[];
};

export type ReferenceDay = {
  /** Start of the UTC day, milliseconds since 1970. */
  readonly day?: number;
  readonly counts: readonly number[];
};

/** Enough that a distance over them is within a thousandth of the exact one. */
const numericBins = 1000;
/** Rarer ones count as "other": with hundreds of cells chance alone gives distances near what matters. */
const mostCategories = 50;

/** @param days start of each row's day, or absent where the data has no time */
export function profileColumn(values: readonly Cell[], days: readonly number[] | undefined): ReferenceColumn {
  const bins = binsOf(values);
  const find = cellFinder(bins);
  const byDay = new Map<number | undefined, number[]>();
  for (const [row, value] of values.entries()) {
    const day = days?.[row];
    let counts = byDay.get(day);
    if (!counts) {
      counts = new Array<number>(cellCount(bins)).fill(0);
      byDay.set(day, counts);
    }
    const cell = find(value);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const ordered = [...byDay].sort(([a = 0], [b = 0]) => a - b);
  return { bins, days: ordered.map(([day, counts]) => ({ ...(day !== undefined && { day }), counts })) };
}

/** Training files hold more than a model is given, such as the delay itself: what it is not given cannot drift. */
export function onlyFeatures(profile: ReferenceProfile, names: ReadonlySet<string>): ReferenceProfile {
  return {
    ...profile,
    features: Object.fromEntries(Object.entries(profile.features).filter(([name]) => names.has(name))),
  };
}

/** The cells alone: serving counts what comes in over the same. */
export function referenceBins({ features }: ReferenceProfile): { readonly features: Readonly<Record<string, Bins>> } {
  return { features: Object.fromEntries(Object.entries(features).map(([name, { bins }]) => [name, bins])) };
}

/** Counts of the whole training period. */
export function allDays({ bins, days }: ReferenceColumn): readonly number[] {
  return days.reduce<readonly number[]>(
    (sum, { counts }) => addCounts(sum, counts),
    new Array<number>(cellCount(bins)).fill(0),
  );
}

/** Counts of every stretch of `windowMs` inside the training period, one a day, without stretches that have a day missing. */
export function slidingWindows({ days }: ReferenceColumn, windowMs: number): readonly (readonly number[])[] {
  const long = Math.round(windowMs / dayMs);
  const windows: (readonly number[])[] = [];
  for (let first = 0; first + long <= days.length; first++) {
    const inside = days.slice(first, first + long);
    const start = inside[0]?.day;
    if (start === undefined || inside.at(-1)?.day !== start + (long - 1) * dayMs) continue;
    windows.push(
      inside
        .map((one) => one.counts)
        .reduce<readonly number[]>(
          (sum, counts) => addCounts(sum, counts),
          inside[0]!.counts.map(() => 0),
        ),
    ); // long is at least 1
  }
  return windows;
}

function binsOf(values: readonly Cell[]): Bins {
  const numbers: number[] = [];
  for (const value of values) {
    if (typeof value === 'string') return { kind: 'categorical', categories: topCategories(values, mostCategories) };
    if (value === null || value === undefined) continue;
    const x = Number(value);
    // Infinite values lie in the open bins.
    if (Number.isFinite(x)) numbers.push(x);
  }
  return { kind: 'numeric', edges: fineEdges(numbers, numericBins) };
}
