/** Whether groups are treated alike, on labelled rows old enough. */
import { countGroups, fairnessGap, type GroupRate } from '../statistics/fairness.ts';
import type { Verdict } from '../statistics/verdict.ts';
import { boundVerdict } from './bound-verdict.ts';
import type { FairnessPlan } from './monitors-config.ts';
import type { TrafficDay } from './traffic-days.ts';

export type FairnessResult = {
  readonly verdict: Verdict;
  readonly groups: readonly GroupRate[];
  readonly column: string;
};

export function judgeFairness(days: readonly TrafficDay[], plan: FairnessPlan): FairnessResult {
  const { metric, column, threshold, minRows, atMost } = plan;
  const rows = {
    truth: Float64Array.from(days.flatMap((one) => one.labelled.truth)),
    score: Float64Array.from(days.flatMap((one) => one.labelled.score)),
    group: days.flatMap((one) => one.labelled.group),
  };
  const { groups, gap } = fairnessGap(metric, countGroups(rows, { threshold }), { minRows });
  const method = `${metric} by ${column}, Newcombe, 95 % one-sided`;
  if (!gap) {
    const reason = `fewer than two groups of ${column} have ${minRows} labelled rows`;
    return {
      column,
      groups,
      verdict: { outcome: 'inconclusive', reason, n: rows.truth.length, threshold: atMost, method },
    };
  }
  const name = `gap between ${gap.highest} and ${gap.lowest}`;
  return { column, groups, verdict: boundVerdict({ name, ...gap, method, limit: atMost, wants: 'at most' }) };
}
