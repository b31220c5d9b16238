/** A metric against a limit or against the champion's, over all rows or in every slice. */
import type { Estimate, Interval } from '../statistics/interval.ts';
import { measuredInterval, normalInterval, pairedDifference } from '../statistics/measurement.ts';
import { betterWhen, type MetricName, measure } from '../statistics/metric.ts';
import type { Outcome, Verdict } from '../statistics/verdict.ts';
import { decide, level, oneSided, unknown } from './decide.ts';
import type { SliceReport } from './gate.ts';
import { type GateRows, groupingKey } from './gate-evidence.ts';
import { say } from './gate-words.ts';
import type { GateTest } from './gates-config.ts';

export type MetricTest = Extract<GateTest, { kind: 'floor' | 'ceiling' | 'paired' }>;
/** An estimate, the bounds that can pass it and, as the case may be, the wider ones that can refuse it. */
type Measured = { readonly estimate: Estimate; readonly interval: (level: number) => Interval };

export function judgeMetric(
  test: MetricTest,
  rows: GateRows | undefined,
): { verdict: Verdict; slices?: readonly SliceReport[] } {
  if (!rows) return { verdict: unknown('the version came without rows to test it on', 0) };
  if (!test.by) return { verdict: judgeSample(test, rows) };
  const groups = rows.groups.get(groupingKey(test.by)) ?? [];
  const bySlice = Map.groupBy(groups.keys(), (i) => groups[i] ?? '');
  const large = [...bySlice].filter(([, indices]) => indices.length >= test.minRows);
  const slices = [...bySlice].map(([slice, indices]): SliceReport => {
    if (indices.length < test.minRows) return { slice, rows: indices.length, outcome: 'small' };
    const { outcome, value, lower, upper } = judgeSample(test, pick(rows, indices), large.length);
    return {
      slice,
      rows: indices.length,
      outcome,
      ...(value !== undefined && { value }),
      ...(lower !== undefined && { lower }),
      ...(upper !== undefined && { upper }),
    };
  });
  slices.sort((a, b) => b.rows - a.rows);
  return { verdict: judgeSlices(test, slices), slices };
}

function judgeSlices(test: MetricTest, slices: readonly SliceReport[]): Verdict {
  const judged = slices.filter(({ outcome }) => outcome !== 'small');
  const small = slices.length - judged.length;
  const n = judged.reduce((sum, { rows }) => sum + rows, 0);
  if (judged.length === 0) return unknown(`none of ${slices.length} slices has ${test.minRows} rows`, 0);
  const of = (wanted: Outcome) => judged.filter(({ outcome }) => outcome === wanted).map(({ slice }) => slice);
  const outcome = of('fail').length > 0 ? 'fail' : of('inconclusive').length > 0 ? 'inconclusive' : 'pass';
  const rising = test.kind === 'ceiling' || (test.kind === 'paired' && betterWhen[test.metric] === 'lower');
  const worst = judged.toSorted((a, b) => (rising ? -1 : 1) * ((a.value ?? Number.NaN) - (b.value ?? Number.NaN)))[0];
  const named = of(outcome === 'pass' ? 'fail' : outcome)
    .slice(0, 5)
    .join(', ');
  const lowest = worst?.value === undefined ? '' : `; ${worst.slice} is worst with ${say(worst.value)}`;
  const says =
    outcome === 'pass'
      ? `all ${judged.length} slices pass${lowest}`
      : `${of(outcome).length} of ${judged.length} slices ${outcome === 'fail' ? 'fail' : 'cannot be told'}: ${named}${lowest}`;
  return {
    outcome,
    reason: `${says}${small > 0 ? `; ${small} with fewer than ${test.minRows} rows are not judged` : ''}`,
    ...(worst?.value !== undefined && { value: worst.value }),
    threshold: thresholdOf(test),
    n,
    method: `${methodOf(test)} per slice, ${oneSided}, refusals corrected for ${judged.length} slices`,
  };
}

/** @param looks how many slices share the 5 % of wrong refusals */
function judgeSample(test: MetricTest, rows: GateRows, looks = 1): Verdict {
  const n = rows.truth.length;
  if (n < test.minRows) return unknown(`${n} rows, ${test.minRows} are needed`, n);
  const measured = measureSample(test, rows);
  if (!measured) return unknown(`${test.metric} has no value on these ${n} rows`, n);
  const threshold = thresholdOf(test);
  const { value } = measured.estimate;
  const passing = measured.interval(2 * level - 1);
  const refusing = measured.interval(1 - (2 * (1 - level)) / looks);
  const higherIsBetter = test.kind === 'floor' || (test.kind === 'paired' && betterWhen[test.metric] === 'higher');
  const outcome = higherIsBetter
    ? decide({ pass: passing.lower >= threshold, fail: refusing.upper < threshold })
    : decide({ pass: passing.upper <= threshold, fail: refusing.lower > threshold });
  const range = `${say(passing.lower)} to ${say(passing.upper)}`;
  const what = test.kind === 'paired' ? `${test.metric} differs by ${say(value)}` : `${test.metric} is ${say(value)}`;
  return {
    outcome,
    reason: `${what} (${range}) on ${n} rows, ${higherIsBetter ? 'at least' : 'at most'} ${say(threshold)} is asked`,
    value,
    lower: passing.lower,
    upper: passing.upper,
    threshold,
    n,
    method: `${methodOf(test)}, ${oneSided}`,
  };
}

function measureSample(test: MetricTest, rows: GateRows): Measured | undefined {
  const { truth, candidate, champion } = rows;
  const own = measure(test.metric, { truth, score: candidate }, test);
  if (!own) return undefined;
  if (test.kind !== 'paired') return { estimate: own, interval: (wanted) => measuredInterval(own, { level: wanted }) };
  const other = champion && measure(test.metric, { truth, score: champion }, test);
  if (!other) return undefined;
  const estimate = pairedDifference(own, other);
  return { estimate, interval: (wanted) => normalInterval(estimate, { level: wanted }) };
}

function thresholdOf(test: MetricTest): number {
  if (test.kind === 'floor') return test.atLeast;
  if (test.kind === 'ceiling') return test.atMost;
  return betterWhen[test.metric] === 'higher' ? -test.margin : test.margin;
}

const methodOf = (test: MetricTest): string =>
  `${errorsOf(test.metric)}${test.kind === 'paired' ? ', paired on the same rows' : ''}`;

function errorsOf(metric: MetricName): string {
  return metric === 'auc' ? 'DeLong' : metric === 'rmse' || metric === 'f1' ? 'influence function' : 'mean of rows';
}

function pick(rows: GateRows, indices: readonly number[]): GateRows {
  const take = (column: Float64Array) => Float64Array.from(indices, (i) => column[i] ?? Number.NaN);
  return {
    truth: take(rows.truth),
    candidate: take(rows.candidate),
    ...(rows.champion && { champion: take(rows.champion) }),
    groups: new Map(),
  };
}
