/** Sample quantiles by linear interpolation, type 7 of Hyndman & Fan (1996): what numpy, R and DuckDB's quantile_cont give. */
import { requireShare, requireSome } from './argument.ts';

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
