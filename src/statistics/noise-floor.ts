/**
 * How large a distance gets by chance alone, when nothing has drifted. A threshold below this cries at every small window:
 * with 100 rows against a large reference the usual PSI ≥ 0.1 alarms in 81 of 100 quiet windows.
 *
 * Under no drift PSI / (1/n + 1/m) is chi-squared with k − 1 degrees of freedom, and the Jensen–Shannon divergence in nats is an
 * eighth of PSI. Good for cells of about equal mass, which quantile bins have.
 */
import { requireLevel, requirePositive } from './argument.ts';
import { chiSquaredQuantile } from './chi-squared.ts';

export type NoiseSizes = {
  /** Observations in the reference. */
  readonly reference: number;
  readonly current: number;
  /** Share of quiet windows that may exceed the floor. */
  readonly alpha: number;
};

/** PSI that only `alpha` of quiet windows exceed. @param cells cells that hold anything */
export function psiNoise(cells: number, { reference, current, alpha }: NoiseSizes): number {
  requireLevel('alpha', alpha);
  if (cells < 2) return 0;
  return chiSquaredQuantile(1 - alpha, cells - 1) * perObservation(reference, current);
}

/** The same for the Jensen–Shannon distance (the root). */
export function jensenShannonNoise(
  cells: number,
  sizes: NoiseSizes,
  { base = 2 }: { readonly base?: number } = {},
): number {
  return Math.sqrt(psiNoise(cells, sizes) / 8 / Math.log(base));
}

/** The same for the Kolmogorov–Smirnov distance, from the first term of its limit; bins and ties only make it safer. */
export function ksNoise({ reference, current, alpha }: NoiseSizes): number {
  requireLevel('alpha', alpha);
  return Math.sqrt((-Math.log(alpha / 2) / 2) * perObservation(reference, current));
}

function perObservation(reference: number, current: number): number {
  requirePositive('reference', reference);
  requirePositive('current', current);
  return 1 / reference + 1 / current;
}
