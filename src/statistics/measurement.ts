/**
 * A metric on a sample with its standard error, carried by the influence of each row.
 *
 * Every metric here is asymptotically a mean: value ≈ truth + mean(influence). One array per metric therefore gives the
 * standard error, the paired difference of two models on the same rows and, where rows come in clusters, the clustered error,
 * without a bootstrap. For the AUC this is exactly DeLong's variance, for means exactly s²/n.
 * @see Hampel (1974), The influence curve and its role in robust estimation, JASA 69
 */
import { requireSameLength } from './argument.ts';
import type { Estimate, Interval } from './interval.ts';
import { normalQuantile } from './normal.ts';
import { scoreInterval } from './proportion.ts';

export type Measurement = Estimate & {
  /** Per row, scaled so that Σ influence² / n² is the squared standard error. */
  readonly influence: Float64Array;
  /** Rows that the metric really rests on: the rarer class of an AUC, the actual positives of a recall. */
  readonly support: number;
  /** Whether the metric lives in [0, 1]; its intervals then do too. */
  readonly share: boolean;
};

/** @param influence mean zero, unscaled; is scaled in place for the degree of freedom that the mean took */
export function measurementOf(
  value: number,
  influence: Float64Array,
  { support, share }: { readonly support: number; readonly share: boolean },
): Measurement {
  const n = influence.length;
  const scale = n > 1 ? Math.sqrt(n / (n - 1)) : 1;
  for (let i = 0; i < n; i++) influence[i] = (influence[i] as number) * scale; // i < length
  return { value, standardError: errorOf(influence), n, influence, support, share };
}

export function errorOf(influence: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < influence.length; i++) squares += (influence[i] as number) ** 2; // i < length
  return Math.sqrt(squares) / influence.length;
}

/** First minus second, of two models on the same rows in the same order: what the rows share cancels out. */
export function pairedDifference(first: Measurement, second: Measurement): Estimate {
  requireSameLength('the two samples', first.influence, second.influence);
  const n = first.n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((first.influence[i] as number) - (second.influence[i] as number)) ** 2; // i < n
  return { value: first.value - second.value, standardError: Math.sqrt(squares) / n, n };
}

/** value ± z·SE. @param level two-sided */
export function normalInterval({ value, standardError }: Estimate, { level }: { readonly level: number }): Interval {
  const half = normalQuantile((1 + level) / 2) * standardError;
  return { lower: value - half, upper: value + half };
}

/**
 * The interval of a measured metric: for metrics in [0, 1] a score interval with the effective number of trials v(1 − v)/SE²,
 * which does not collapse when every row was right; otherwise normal.
 * @param level two-sided
 */
export function measuredInterval(measured: Measurement, { level }: { readonly level: number }): Interval {
  if (!measured.share) return normalInterval(measured, { level });
  const { value, standardError, support } = measured;
  const spread = value * (1 - value);
  const trials = standardError > 0 && spread > 0 ? Math.min(spread / standardError ** 2, measured.n) : support;
  return scoreInterval({ share: value, trials }, { level });
}
