/**
 * Do the arms get the traffic they should? A mismatch means that assignment, delivery or logging is broken, and that every
 * comparison of the arms is. Counts are of units: with a sticky unit that has heavy users, counting requests alarms in half of
 * all sound experiments.
 */
import { requireCount, requireLevel, requirePositive, requireSameLength } from './argument.ts';
import { chiSquaredSurvival } from './chi-squared.ts';
import { logGamma } from './gamma.ts';

/** For one look only. @param shares expected, adding up to 1  @returns the p-value; 1 without units */
export function sampleRatioTest(counts: readonly number[], shares: readonly number[]): number {
  check(counts, shares);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 1;
  const statistic = shares.reduce(
    (sum, share, i) => sum + ((counts[i] ?? 0) - total * share) ** 2 / (total * share),
    0,
  );
  return chiSquaredSurvival(statistic, counts.length - 1);
}

/** For a look after every batch. Open with `sampleRatio`. @see Lindon & Malek (2022), arXiv 2011.03567 */
export type SampleRatio = {
  /** Weight of the expectation in units; greater finds small mismatches sooner and great ones later. */
  readonly concentration: number;
  readonly shares: readonly number[];
  /** The Dirichlet posterior. */
  readonly posterior: readonly number[];
  readonly logEvidence: number;
  readonly peak: number;
  readonly units: number;
};

export function sampleRatio({ concentration = 10_000 }: { readonly concentration?: number } = {}): SampleRatio {
  requirePositive('concentration', concentration);
  return { concentration, shares: [], posterior: [], logEvidence: 0, peak: 0, units: 0 };
}

/** @param shares in force for this batch; when they change the alternative starts afresh and the evidence multiplies on */
export function addUnits(state: SampleRatio, counts: readonly number[], shares: readonly number[]): SampleRatio {
  check(counts, shares);
  const same = shares.length === state.shares.length && shares.every((share, i) => share === state.shares[i]);
  const prior = same ? state.posterior : shares.map((share) => share * state.concentration);
  const units = counts.reduce((sum, count) => sum + count, 0);
  const weight = prior.reduce((sum, a) => sum + a, 0);
  // ln of the batch's probability under the Dirichlet mixture, less that under the expected shares.
  let gained = logGamma(weight) - logGamma(weight + units);
  for (const [i, a] of prior.entries()) {
    const count = counts[i] ?? 0;
    gained += logGamma(a + count) - logGamma(a) - count * Math.log(shares[i] ?? 1);
  }
  const logEvidence = state.logEvidence + gained;
  return {
    concentration: state.concentration,
    shares,
    posterior: prior.map((a, i) => a + (counts[i] ?? 0)),
    logEvidence,
    peak: Math.max(state.peak, logEvidence),
    units: state.units + units,
  };
}

/** A p-value that may be read after every batch. Alarm below 0.001. */
export const sampleRatioP = ({ peak }: SampleRatio): number => Math.exp(-peak);

function check(counts: readonly number[], shares: readonly number[]): void {
  requireSameLength('counts and shares', counts, shares);
  for (const count of counts) requireCount('a count', count);
  for (const share of shares) requireLevel('a share', share);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-9) throw new RangeError(`shares add up to ${sum}`);
}
