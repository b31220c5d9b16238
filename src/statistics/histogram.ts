/** Counts over fixed cells: what a column looked like, in a form that adds up over hours, replicas and days. */
import { requireFinite, requireSameLength } from './argument.ts';
import { quantile, sorted } from './quantile.ts';

/** The cells of a column; two histograms compare and merge only over the same bins. */
export type Bins =
  | {
      readonly kind: 'numeric';
      /**
       * Strictly increasing, finite. Bin i holds edges[i−1] < x ≤ edges[i]; the first and the last bin are open, so that an
       * outlier moves one count and not the grid.
       */
      readonly edges: readonly number[];
    }
  | { readonly kind: 'categorical'; readonly categories: readonly string[] };

/** `counts` holds the bins or categories in order, for categories then "other", and always last "missing". */
export type Histogram = { readonly bins: Bins; readonly counts: readonly number[] };

export type Cell = number | string | boolean | bigint | null | undefined;

/** How many counts a histogram over these bins has. */
export const cellCount = (bins: Bins): number =>
  bins.kind === 'numeric' ? bins.edges.length + 2 : bins.categories.length + 2;

/** A function from value to place in `counts`, compiled once for many values. NaN, null and absent are missing. */
export function cellFinder(bins: Bins): (value: Cell) => number {
  const missing = cellCount(bins) - 1;
  if (bins.kind === 'categorical') {
    const places = new Map(bins.categories.map((category, place) => [category, place]));
    return (value) => (value === null || value === undefined ? missing : (places.get(String(value)) ?? missing - 1));
  }
  const edges = Float64Array.from(bins.edges);
  return (value) => {
    const x = value === null || value === undefined || value === '' ? Number.NaN : Number(value);
    if (Number.isNaN(x)) return missing;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((edges[middle] as number) < x)
        low = middle + 1; // middle < length
      else high = middle;
    }
    return low;
  };
}

export function histogramOf(bins: Bins, values: Iterable<Cell>): Histogram {
  const find = cellFinder(bins);
  const counts = new Array<number>(cellCount(bins)).fill(0);
  for (const value of values) {
    const cell = find(value);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return { bins, counts };
}

/** @throws RangeError when the bins differ: the counts would mean different things */
export function mergeHistograms(first: Histogram, second: Histogram): Histogram {
  if (!sameBins(first.bins, second.bins)) throw new RangeError('histograms over different bins cannot be added');
  return { bins: first.bins, counts: addCounts(first.counts, second.counts) };
}

export function addCounts(first: readonly number[], second: readonly number[]): number[] {
  requireSameLength('counts', first, second);
  return first.map((count, i) => count + (second[i] ?? 0));
}

export function sameBins(first: Bins, second: Bins): boolean {
  if (first.kind === 'numeric') return second.kind === 'numeric' && sameList(first.edges, second.edges);
  return second.kind === 'categorical' && sameList(first.categories, second.categories);
}

const sameList = (a: readonly unknown[], b: readonly unknown[]) =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** Without the missing ones: missing values are a drift of their own kind and get their own test. */
export const presentCounts = ({ counts }: Histogram): readonly number[] => counts.slice(0, -1);

export const missingCount = ({ counts }: Histogram): number => counts.at(-1) ?? 0;

export const totalCount = ({ counts }: Histogram): number => counts.reduce((sum, count) => sum + count, 0);

/**
 * Edges of bins with equal mass in `values`: quantiles, or every distinct value where there are no more of them than bins, which
 * then makes distances over the bins exact.
 * @param values finite; NaN is left out
 * @param bins at most this many bins with the two open ones; heavy ties give fewer
 */
export function fineEdges(values: ArrayLike<number>, bins: number): number[] {
  if (!(bins >= 2)) throw new RangeError(`bins is ${bins}; at least 2 are needed`);
  const ordered = sorted(Array.from(values).filter((value) => !Number.isNaN(value)));
  requireFinite('values', ordered);
  if (ordered.length === 0) return [];
  const distinct = firstDistinct(ordered, bins);
  if (distinct.length < bins) return distinct;
  const edges: number[] = [];
  for (let i = 1; i < bins; i++) {
    const edge = quantile(ordered, i / bins);
    const last = edges.at(-1);
    if (last === undefined || edge > last) edges.push(edge);
  }
  return edges;
}

/** The distinct values in order, or as many as the limit. */
function firstDistinct(ordered: Float64Array, limit: number): number[] {
  const distinct: number[] = [];
  for (const value of ordered) {
    if (value !== distinct.at(-1)) distinct.push(value);
    if (distinct.length === limit) break;
  }
  return distinct;
}

/** The most frequent categories first, ties by name; the rest will count as "other". */
export function topCategories(values: Iterable<Cell>, limit: number): string[] {
  const counts = new Map<string, number>();
  for (const value of values) {
    if (value === null || value === undefined) continue;
    const category = String(value);
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([category]) => category);
}
