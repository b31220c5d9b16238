/**
 * The mean of observations in [0, 1], such as error rates and shares of slow answers, with bounds that hold at every look and
 * at every sample size: no central limit theorem, so they are right for rare events too.
 *
 * Predictable-mixture empirical Bernstein. The state has a fixed size; `alpha` is part of it, because each step's bet depends on it.
 * @see Waudby-Smith & Ramdas (2024), JRSS-B, arXiv 2010.09686, theorem 2
 */
import { requireLevel, requireShare } from './argument.ts';
import type { Interval } from './interval.ts';

export type BoundedMean = {
  /** Chance that the lower bound is ever above the mean; the same for the upper one. Both together: twice that. */
  readonly alpha: number;
  readonly n: number;
  readonly sum: number;
  /** Σ (x − μ̂)² with the regularised running mean. */
  readonly squares: number;
  /** Σ λ and Σ λx: the bets placed. */
  readonly bets: number;
  readonly betSum: number;
  /** Σ v ψ(λ), the price of the bets, for x and for 1 − x. */
  readonly priceBelow: number;
  readonly priceAbove: number;
};

/** @param alpha of each one-sided bound; for a two-sided interval at 0.05 pass 0.025 */
export function boundedMean(alpha: number): BoundedMean {
  requireLevel('alpha', alpha);
  return { alpha, n: 0, sum: 0, squares: 0, bets: 0, betSum: 0, priceBelow: 0, priceAbove: 0 };
}

/** @param x in [0, 1] */
export function addBounded(state: BoundedMean, x: number): BoundedMean {
  requireShare('x', x);
  const t = state.n + 1;
  // Everything the bet uses was known before x: that is what makes it a fair game.
  const variance = (0.25 + state.squares) / t;
  const lambda = Math.min(0.5, Math.sqrt((-2 * Math.log(state.alpha)) / (t * Math.log1p(t) * variance)));
  const psi = -Math.log1p(-lambda) - lambda;
  const guess = state.n === 0 ? 0 : state.sum / state.n;
  const mirrored = state.n === 0 ? 0 : 1 - guess;
  const sum = state.sum + x;
  const mean = (0.5 + sum) / (t + 1);
  return {
    alpha: state.alpha,
    n: t,
    sum,
    squares: state.squares + (x - mean) ** 2,
    bets: state.bets + lambda,
    betSum: state.betSum + lambda * x,
    priceBelow: state.priceBelow + (x - guess) ** 2 * psi,
    priceAbove: state.priceAbove + (1 - x - mirrored) ** 2 * psi,
  };
}

/** Both bounds now; the interval [0, 1] before the first observation. */
export function boundedMeanBounds(state: BoundedMean): Interval {
  if (state.n === 0) return { lower: 0, upper: 1 };
  const spent = -Math.log(state.alpha);
  const lower = (state.betSum - spent - state.priceBelow) / state.bets;
  const upper = (state.betSum + spent + state.priceAbove) / state.bets;
  return { lower: Math.min(Math.max(lower, 0), 1), upper: Math.max(Math.min(upper, 1), 0) };
}

/** Bounds of first − second for two streams: each side errs with the sum of both alphas. */
export function boundedDifference(
  first: BoundedMean,
  second: BoundedMean,
): Interval & { readonly value: number | undefined } {
  const a = boundedMeanBounds(first);
  const b = boundedMeanBounds(second);
  const value = first.n > 0 && second.n > 0 ? first.sum / first.n - second.sum / second.n : undefined;
  return { value, lower: a.lower - b.upper, upper: a.upper - b.lower };
}
