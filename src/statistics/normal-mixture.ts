/**
 * The mixture sequential probability ratio test for a normal effect.
 * @see Robbins (1970); Johari, Koomen, Pekelis & Walsh (2022), Operations Research, arXiv 1512.04922
 */
import { requireLevel, requirePositive } from './argument.ts';

export type MixtureLook = {
  readonly effect: number;
  /** Variance of the effect's estimate now. For two arms of n pairs with variance s² each: 2 s²/n. */
  readonly variance: number;
  /** Variance of the normal prior over effects, fixed before the first look. */
  readonly priorVariance: number;
};

/** The e-value against "no effect": at most 1 in expectation without one, so 1/E is a p-value that survives peeking. */
export function mixtureEvidence({ effect, variance: v, priorVariance: t2 }: MixtureLook): number {
  requirePositive('variance', v);
  requirePositive('priorVariance', t2);
  return Math.sqrt(v / (v + t2)) * Math.exp((t2 * effect * effect) / (2 * v * (v + t2)));
}

/** Half the width of the confidence sequence that the same mixture gives. */
export function mixtureHalfWidth(
  { variance: v, priorVariance: t2 }: Omit<MixtureLook, 'effect'>,
  alpha: number,
): number {
  requirePositive('variance', v);
  requirePositive('priorVariance', t2);
  requireLevel('alpha', alpha);
  return Math.sqrt(((v * (v + t2)) / t2) * (Math.log((v + t2) / v) - 2 * Math.log(alpha)));
}
