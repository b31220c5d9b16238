/**
 * The report on a version: what was tested, what came out, and what that means together.
 *
 * Several tests, one answer. A version passes only if every test passes: an intersection–union test, which needs no correction,
 * since a version that is bad in one respect passes that test with probability 5 % at most however many others there are (Berger
 * 1982). A refusal is the union of the tests' refusals, each at 5 %; within one test that looks at many slices or pairs of
 * groups, refusals are corrected for their number (Bonferroni), so that forty airports do not refuse by chance what one would not.
 */
import type { VersionRef } from '../serving/traffic.ts';
import type { Outcome, Verdict } from '../statistics/verdict.ts';
import type { GateTest } from './gates-config.ts';

export type SliceReport = {
  readonly slice: string;
  readonly rows: number;
  /** `small`: too few rows to be judged; listed, so that nobody takes silence for health. */
  readonly outcome: Outcome | 'small';
  readonly value?: number;
  readonly lower?: number;
  readonly upper?: number;
};

export type TestReport = {
  readonly kind: GateTest['kind'];
  /** The test in words: `log_loss not worse than champion by more than 0.005`. */
  readonly test: string;
  readonly verdict: Verdict;
  readonly onInconclusive: 'block' | 'pass';
  /** False for a comparison with a champion where none serves yet: it cannot keep the first version back. */
  readonly applies: boolean;
  readonly slices?: readonly SliceReport[];
};

export type GateReport = {
  /** The operation that made it. */
  readonly id: string;
  readonly project: string;
  readonly model: string;
  readonly version: number;
  /** The champion it was compared with. */
  readonly against?: VersionRef;
  readonly outcome: Outcome;
  readonly tests: readonly TestReport[];
  /** The rows it was judged on. */
  readonly dataDigest?: string;
  readonly actor: string;
  readonly decidedAt: number;
};

/** One fail fails; else one open question leaves it open, unless the test says that it may. */
export function overallOutcome(tests: readonly TestReport[]): Outcome {
  const outcomes = tests.filter(({ applies }) => applies).map(countedOutcome);
  if (outcomes.includes('fail')) return 'fail';
  if (outcomes.includes('inconclusive') || outcomes.length === 0) return 'inconclusive';
  return 'pass';
}

function countedOutcome({ verdict, onInconclusive }: TestReport): Outcome {
  return verdict.outcome === 'inconclusive' && onInconclusive === 'pass' ? 'pass' : verdict.outcome;
}

/** What stands in the way, in the order of the plan: for messages and the command line. */
export function obstacles(tests: readonly TestReport[]): readonly TestReport[] {
  return tests.filter((test) => test.applies && countedOutcome(test) !== 'pass');
}
