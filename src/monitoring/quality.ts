/** How right the answers were, on predictions old enough that their labels are in. */

import { measuredInterval } from '../statistics/measurement.ts';
import { betterWhen, measure, metricNames } from '../statistics/metric.ts';
import type { Verdict } from '../statistics/verdict.ts';
import { type Bounded, boundVerdict } from './bound-verdict.ts';
import type { QualityPlan } from './monitors-config.ts';
import type { TrafficDay } from './traffic-days.ts';

export type QualityResult = {
  readonly verdict: Verdict;
  readonly metric: string;
  /** Share of scored rows whose label has come. */
  readonly coverage: number;
};

/** 95 %, two-sided. */
const level = 0.95;

export function judgeQuality(days: readonly TrafficDay[], plan: QualityPlan): QualityResult {
  const truth = Float64Array.from(days.flatMap((one) => one.labelled.truth));
  const score = Float64Array.from(days.flatMap((one) => one.labelled.score));
  const scored = days.reduce((sum, one) => sum + one.scored, 0);
  const coverage = scored === 0 ? 0 : truth.length / scored;
  const { metric, minRows } = plan;
  const method = `${metric}, 95 % interval`;
  const n = truth.length;
  const undecided = (reason: string): QualityResult => ({
    metric,
    coverage,
    verdict: { outcome: 'inconclusive', reason, n, method },
  });
  if (n < minRows) return undecided(`${n} labelled rows, ${minRows} are needed`);
  const needsClasses = metricNames.includes(metric) && metric !== 'mae' && metric !== 'rmse';
  if (needsClasses && truth.some((one) => one !== 0 && one !== 1)) return undecided('labels are not 0 or 1');
  const measured = measure(metric, { truth, score }, { threshold: plan.threshold });
  if (!measured) return undecided(`${metric} has no value on these rows`);
  const bound: Bounded = {
    name: metric,
    value: measured.value,
    ...measuredInterval(measured, { level }),
    n,
    method,
    limit: plan.atLeast ?? plan.atMost,
    wants:
      plan.atLeast !== undefined
        ? 'at least'
        : plan.atMost !== undefined
          ? 'at most'
          : betterWhen[metric] === 'higher'
            ? 'at least'
            : 'at most',
  };
  return { metric, coverage, verdict: boundVerdict(bound) };
}
