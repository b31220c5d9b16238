/**
 * Are errors more frequent on the canary? Exact at any share of traffic, while the share changes, and after every single event.
 *
 * Only errors are looked at. If requests are assigned at random, an error sits on the canary with probability
 * θ(r) = rπ / (rπ + 1 − π), where π is the canary's share in force and r the ratio of the error rates. The evidence against
 * r ≤ r₀ is a mixture of likelihood ratios over 32 alternatives, a nonnegative supermartingale: by Ville's inequality it exceeds
 * 1/α with probability at most α, ever. The composite null holds because the step's expectation rises with θ and is 1 at θ(r₀).
 * Errors must be independent: with sticky units count one per unit and window.
 * @see Lindon & Malek (2022), Anytime-valid inference for multinomial count data, NeurIPS, arXiv 2011.03567
 */
import { requireLevel, requirePositive } from './argument.ts';

export type ErrorRatio = {
  /** r₀: the ratio that is still tolerated. */
  readonly tolerated: number;
  readonly onCanary: number;
  readonly onControl: number;
  /** ln of each alternative's likelihood ratio. */
  readonly logs: readonly number[];
  /** The greatest ln evidence so far: what decides, since a level once crossed stays crossed. */
  readonly peak: number;
};

/** @param tolerated 1 = not one bit more errors; 1.1 = a tenth more is still accepted */
export function errorRatio({ tolerated }: { readonly tolerated: number }): ErrorRatio {
  requirePositive('tolerated', tolerated);
  return { tolerated, onCanary: 0, onControl: 0, logs: new Array<number>(alternatives.length).fill(0), peak: 0 };
}

export type ErrorEvent = {
  readonly onCanary: boolean;
  /** The canary's share of canary and control together, in force when the request was assigned. */
  readonly share: number;
};

export function addError(state: ErrorRatio, { onCanary, share }: ErrorEvent): ErrorRatio {
  requireLevel('share', share);
  const nullOdds = canaryChance(state.tolerated, share);
  const logs = state.logs.map((log, j) => {
    const chance = canaryChance(state.tolerated * (alternatives[j] as number), share); // as many logs as alternatives
    return log + (onCanary ? Math.log(chance / nullOdds) : Math.log((1 - chance) / (1 - nullOdds)));
  });
  return {
    tolerated: state.tolerated,
    onCanary: state.onCanary + (onCanary ? 1 : 0),
    onControl: state.onControl + (onCanary ? 0 : 1),
    logs,
    peak: Math.max(state.peak, meanOfLogs(logs)),
  };
}

/** ln E now. @returns 0 before the first error */
export const logEvidence = ({ logs }: ErrorRatio): number => meanOfLogs(logs);

/** A p-value that may be read after every event: 1 over the greatest evidence so far. */
export const errorRatioP = ({ peak }: ErrorRatio): number => Math.exp(-peak);

const canaryChance = (ratio: number, share: number) => (ratio * share) / (ratio * share + 1 - share);

/** 32 points on a logarithmic grid, from 1.05 to 20 times what is tolerated. */
const alternatives: readonly number[] = Array.from({ length: 32 }, (_, j) => 1.05 * (20 / 1.05) ** (j / 31));

/** ln of the mean of exponentials, without overflow. */
function meanOfLogs(logs: readonly number[]): number {
  const greatest = Math.max(...logs);
  const sum = logs.reduce((total, log) => total + Math.exp(log - greatest), 0);
  return greatest + Math.log(sum / logs.length);
}
