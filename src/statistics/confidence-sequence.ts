/**
 * Asymptotic confidence sequences: intervals for a mean that hold at every look at once, so that a rollout may look after each
 * request and stop when it likes.
 * @see Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, arXiv 2103.06476v7, eq. 9, 134, 155 and 161
 */
import { requireLevel, requirePositive } from './argument.ts';

export type SequenceDesign = {
  /** Chance of ever being wrong, over all looks together. */
  readonly alpha: number;
  /** The number of observations at which the interval shall be narrowest, N*. Fixed before the first look. */
  readonly optimalAt: number;
};

export type SequenceLook = {
  /** Observations so far. */
  readonly n: number;
  /** Standard error of the estimate now. */
  readonly standardError: number;
};

/** Half the width of the two-sided interval. Not before about 100 observations: it rests on the central limit theorem. */
export function twoSidedHalfWidth({ n, standardError }: SequenceLook, { alpha, optimalAt }: SequenceDesign): number {
  requirePositive('n', n);
  const rho = mixtureScale({ alpha, optimalAt });
  const time = n * rho * rho; // N ρ², intrinsic time in units of the mixture
  return standardError * Math.sqrt(((2 * (time + 1)) / time) * Math.log(Math.sqrt(time + 1) / alpha));
}

/** The distance of a one-sided bound from the estimate; lower and upper each err with `alpha`. */
export function oneSidedHalfWidth({ n, standardError }: SequenceLook, { alpha, optimalAt }: SequenceDesign): number {
  requirePositive('n', n);
  const rho = mixtureScale({ alpha: 2 * alpha, optimalAt });
  const time = n * rho * rho;
  return standardError * Math.sqrt(((2 * (time + 1)) / time) * Math.log1p(Math.sqrt(time + 1) / (2 * alpha)));
}

/** ρ, the scale of the normal mixture that makes the interval narrowest at N*; pass 2α for a one-sided bound. */
export function mixtureScale({ alpha, optimalAt }: SequenceDesign): number {
  requireLevel('alpha', alpha);
  requirePositive('optimalAt', optimalAt);
  const spent = -2 * Math.log(alpha);
  return Math.sqrt((spent + Math.log(spent + 1)) / optimalAt);
}
