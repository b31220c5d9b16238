/** The area under the ROC curve: how often a positive row scores above a negative one, ties counting half. */
import { requireFinite, requireSameLength } from './argument.ts';
import { errorOf, type Measurement } from './measurement.ts';

/**
 * With DeLong's variance; `pairedDifference` of two of these on the same rows is DeLong's paired test.
 * @param truth 0 or 1 per row  @param score any scale, higher means more likely 1
 * @returns undefined when one class is absent: there is no pair to compare
 * @see DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44; placements by sorting as in Sun & Xu (2014)
 */
export function measureAuc(truth: Float64Array, score: Float64Array): Measurement | undefined {
  requireSameLength('truth and score', truth, score);
  requireFinite('score', score);
  const n = truth.length;
  const positives = new Float64Array(n);
  const negatives = new Float64Array(n);
  let m = 0;
  let k = 0;
  for (let i = 0; i < n; i++) {
    if (truth[i] === 1)
      positives[m++] = score[i] as number; // i < n, as both have n rows
    else negatives[k++] = score[i] as number;
  }
  if (m === 0 || k === 0) return undefined;
  const above = positives.subarray(0, m).sort();
  const below = negatives.subarray(0, k).sort();

  // Placement: the share of the other class that the row beats.
  const influence = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const x = score[i] as number;
    const placement = truth[i] === 1 ? beaten(below, x) / k : 1 - beaten(above, x) / m;
    influence[i] = placement;
    if (truth[i] === 1) sum += placement;
  }
  const value = sum / m;
  // Σ influence² / n² then equals S10/m + S01/k with DeLong's divisors m − 1 and k − 1.
  const ofPositive = n / Math.sqrt(m * Math.max(m - 1, 1));
  const ofNegative = n / Math.sqrt(k * Math.max(k - 1, 1));
  for (let i = 0; i < n; i++) {
    influence[i] = ((influence[i] as number) - value) * (truth[i] === 1 ? ofPositive : ofNegative);
  }
  return { value, standardError: errorOf(influence), n, influence, support: Math.min(m, k), share: true };
}

/** How many of the sorted values lie below x, equal ones counting half. */
function beaten(sorted: Float64Array, x: number): number {
  const first = lowerBound(sorted, x);
  let last = first;
  // Ties are short in scores of a model; where they are long, halving again is cheaper than walking.
  while (last < sorted.length && sorted[last] === x && last - first < 8) last++;
  if (last - first === 8) last = upperBound(sorted, x);
  return (first + last) / 2;
}

function lowerBound(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < x)
      low = middle + 1; // middle < length
    else high = middle;
  }
  return low;
}

function upperBound(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= x)
      low = middle + 1; // middle < length
    else high = middle;
  }
  return low;
}
