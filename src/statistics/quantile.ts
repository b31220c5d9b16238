/** Sample quantiles by linear interpolation, type 7 of Hyndman & Fan (1996): what numpy, R and DuckDB's quantile_cont give. */
import { requireLevel, requireShare, requireSome } from './argument.ts';
import { lowerBeta } from './beta.ts';

/** @param sorted ascending, without NaN  @param p 0 the smallest, 1 the greatest */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  requireShare('p', p);
  requireSome('sorted', sorted);
  const place = (sorted.length - 1) * p;
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  // Equal infinities must not become NaN.
  return low === high ? low : low + (place - below) * (high - low);
}

/** A sorted copy; typed arrays sort numerically and without a comparator, several times faster than plain ones. */
export const sorted = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort();

/**
 * Bounds of a quantile without assuming a shape: order statistics, each with confidence `level`.
 * @param values ascending
 * @returns undefined where the sample is too small to have that bound: 100 latencies bound no 99 % point from above
 */
export function quantileBounds(
  values: ArrayLike<number>,
  p: number,
  { level }: { readonly level: number },
): { readonly lower: number | undefined; readonly upper: number | undefined } {
  requireLevel('p', p);
  requireLevel('level', level);
  const n = values.length;
  /** P(fewer than k of n lie below the quantile), the confidence of the k-th smallest as an upper bound. */
  const fewerThan = (k: number) => (k > n ? 1 : 1 - lowerBeta(p, { a: k, b: n - k + 1 }));
  const upper = smallest((k) => fewerThan(k) >= level, n + 1);
  const lower = smallest((k) => fewerThan(k) > 1 - level, n + 1) - 1;
  return { lower: lower >= 1 ? values[lower - 1] : undefined, upper: upper <= n ? values[upper - 1] : undefined };
}

/** The smallest whole number from 1 on that satisfies a condition which stays true once it is, or `limit`. */
function smallest(holds: (k: number) => boolean, limit: number): number {
  let low = 1;
  let high = limit;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
