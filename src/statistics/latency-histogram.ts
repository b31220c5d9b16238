/**
 * Latencies in buckets that grow by 2 % each: any quantile is right to 1 %, histograms add up across replicas and hours, and
 * counting one is a logarithm and an increment. @see Masson, Rim & Lee (2019), DDSketch, VLDB 12
 */
import { requireShare } from './argument.ts';

/** Counts by bucket; make one with `new Uint32Array(latencyBuckets)` or add up several. */
export type LatencyCounts = ArrayLike<number>;

const accuracy = 0.01;
const growth = Math.log((1 + accuracy) / (1 - accuracy));
/** Milliseconds: what is faster counts as this, what is slower than ten minutes as ten minutes. */
const fastest = 0.01;
const slowest = 600_000;

export const latencyBuckets = Math.ceil(Math.log(slowest / fastest) / growth) + 1;

/** Bucket i holds fastest·γ^(i−1) < ms ≤ fastest·γ^i. */
export function latencyBucket(ms: number): number {
  if (Number.isNaN(ms)) throw new RangeError('ms is NaN');
  if (ms <= fastest) return 0;
  return Math.min(Math.ceil(Math.log(ms / fastest) / growth), latencyBuckets - 1);
}

/** The middle of a bucket in the sense of relative error, milliseconds. */
export const bucketLatency = (bucket: number): number => fastest * Math.exp(bucket * growth) * (1 - accuracy);

/** @returns milliseconds, right to 1 %; undefined when nothing was counted */
export function latencyQuantile(counts: LatencyCounts, p: number): number | undefined {
  requireShare('p', p);
  const total = sum(counts);
  if (total === 0) return undefined;
  // The smallest value with at least that many at or below it: quantiles of latencies are observed ones, not interpolated.
  const rank = Math.max(Math.ceil(p * total), 1);
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i] as number; // i < length
    if (seen >= rank) return bucketLatency(i);
  }
  return undefined;
}

/** Share of requests slower than a limit; those in the limit's own bucket count as fast enough. */
export function shareSlower(counts: LatencyCounts, ms: number): number | undefined {
  const total = sum(counts);
  if (total === 0) return undefined;
  let slow = 0;
  for (let i = latencyBucket(ms) + 1; i < counts.length; i++) slow += counts[i] as number; // i < length
  return slow / total;
}

function sum(counts: LatencyCounts): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number; // i < length
  return total;
}
