/** How a verdict is reached: pass and fail are both proved at 95 %, one-sided; everything between is inconclusive. */
import type { Outcome, Verdict } from '../statistics/verdict.ts';

/** Confidence of each bound. */
export const level = 0.95;
export const oneSided = 'one-sided 95 % bounds';

export const decide = ({ pass, fail }: { pass: boolean; fail: boolean }): Outcome =>
  pass ? 'pass' : fail ? 'fail' : 'inconclusive';

/** Nothing to judge by. */
export const unknown = (reason: string, n: number, method = 'none'): Verdict => ({
  outcome: 'inconclusive',
  reason,
  n,
  method,
});
