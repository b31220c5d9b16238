/** Shares of counts with intervals that keep to [0, 1] and hold at 0 and at n. */
import { requireCount, requireLevel, requireShare } from './argument.ts';
import type { Interval } from './interval.ts';
import { normalQuantile } from './normal.ts';

export type Proportion = { readonly successes: number; readonly trials: number };

/**
 * Wilson's score interval.
 * @param level two-sided: 0.95 leaves 0.025 on each side
 * @returns [0, 1] for no trials: nothing is known
 * @see Wilson (1927), JASA 22; recommended by Brown, Cai & DasGupta (2001)
 */
export function wilsonInterval({ successes, trials }: Proportion, { level }: { readonly level: number }): Interval {
  requireCount('successes', successes);
  requireCount('trials', trials);
  if (successes > trials) throw new RangeError(`${successes} successes in ${trials} trials`);
  if (trials === 0) return { lower: 0, upper: 1 };
  return scoreInterval({ share: successes / trials, trials }, { level });
}

/** The same for a share whose number of trials is an effective one, such as an AUC with n = v(1 − v)/SE². */
export function scoreInterval(
  { share, trials }: { readonly share: number; readonly trials: number },
  { level }: { readonly level: number },
): Interval {
  requireShare('share', share);
  requireLevel('level', level);
  if (!(trials > 0)) return { lower: 0, upper: 1 };
  const z = normalQuantile((1 + level) / 2);
  const shrink = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / shrink;
  const half = (z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))) / shrink;
  // At 0 and 1 the bound is exact; rounding must not move it inside.
  return {
    lower: share === 0 ? 0 : Math.max(0, centre - half),
    upper: share === 1 ? 1 : Math.min(1, centre + half),
  };
}

export type ProportionDifference = Interval & { readonly value: number };

/**
 * The difference of two independent shares, first − second, with Newcombe's hybrid score interval.
 * @returns undefined when one side has no trials
 * @see Newcombe (1998), Statistics in Medicine 17, method 10
 */
export function newcombeDifference(
  first: Proportion,
  second: Proportion,
  { level }: { readonly level: number },
): ProportionDifference | undefined {
  if (first.trials === 0 || second.trials === 0) return undefined;
  const p = first.successes / first.trials;
  const q = second.successes / second.trials;
  const a = wilsonInterval(first, { level });
  const b = wilsonInterval(second, { level });
  return {
    value: p - q,
    lower: p - q - Math.hypot(p - a.lower, b.upper - q),
    upper: p - q + Math.hypot(a.upper - p, q - b.lower),
  };
}
