/** What the numbers say about one test: pass and fail are proved at 95 % one-sided, everything between is inconclusive. */
import { countGroups, fairnessGap } from '../statistics/fairness.ts';
import type { Estimate, Interval } from '../statistics/interval.ts';
import { measuredInterval, normalInterval, pairedDifference } from '../statistics/measurement.ts';
import { betterWhen, type MetricName, measure } from '../statistics/metric.ts';
import { quantile, quantileBounds, sorted } from '../statistics/quantile.ts';
import type { Outcome, Verdict } from '../statistics/verdict.ts';
import type { SliceReport, TestReport } from './gate.ts';
import { inWords, say } from './gate-words.ts';
import type { GateTest, Grouping } from './gates-config.ts';

/** Everything that was measured about a candidate, columns of equal length. */
export type GateEvidence = {
  /** Rows with truth and scores; absent when the version came without gate rows. */
  readonly rows?: {
    readonly truth: Float64Array;
    readonly candidate: Float64Array;
    readonly champion?: Float64Array;
    /** The slices of each row, by column: for a grouping with cuts the group's name. */
    readonly groups: ReadonlyMap<string, readonly string[]>;
  };
  readonly dataChecks?: { readonly passed: number; readonly total: number; readonly failing: readonly string[] };
  /** Milliseconds per batch, by size of the batch. */
  readonly latencies: ReadonlyMap<number, readonly number[]>;
  readonly parity?: {
    readonly rows: number;
    readonly greatest: number;
    readonly beyond: (tolerance: number) => number;
  };
};

/** Confidence of each bound. */
const level = 0.95;
const oneSided = 'one-sided 95 % bounds';

/** The name under which a grouping's slices lie in the evidence. */
export const groupingKey = ({ column, cuts }: Grouping): string => JSON.stringify([column, cuts ?? null]);

export function judgeTest(test: GateTest, evidence: GateEvidence): TestReport {
  const base = { kind: test.kind, test: inWords(test), onInconclusive: test.onInconclusive, applies: true } as const;
  switch (test.kind) {
    case 'data':
      return { ...base, verdict: judgeData(test.atLeast, evidence.dataChecks) };
    case 'floor':
    case 'ceiling':
    case 'paired':
      if (test.kind === 'paired' && evidence.rows && !evidence.rows.champion) {
        return {
          ...base,
          applies: false,
          verdict: unknown('no version serves yet, so there is nothing to compare with', 0),
        };
      }
      return { ...base, ...judgeMetric(test, evidence.rows) };
    case 'fairness':
      return { ...base, ...judgeFairness(test, evidence.rows) };
    case 'latency':
      return { ...base, verdict: judgeLatency(test, evidence.latencies.get(test.batch) ?? []) };
    case 'parity':
      return { ...base, verdict: judgeParity(test.tolerance, evidence.parity) };
  }
}

const unknown = (reason: string, n: number, method = 'none'): Verdict => ({
  outcome: 'inconclusive',
  reason,
  n,
  method,
});

function judgeData(atLeast: number, checks: GateEvidence['dataChecks']): Verdict {
  if (!checks || checks.total === 0) return unknown('the data it was trained on has no checks', 0);
  const value = checks.passed / checks.total;
  const failing = checks.failing.length > 0 ? `; not passed: ${checks.failing.slice(0, 5).join(', ')}` : '';
  return {
    outcome: value >= atLeast ? 'pass' : 'fail',
    reason: `${checks.passed} of ${checks.total} checks passed${failing}`,
    value,
    threshold: atLeast,
    n: checks.total,
    method: 'share of checks',
  };
}

type MetricTest = Extract<GateTest, { kind: 'floor' | 'ceiling' | 'paired' }>;
type Rows = NonNullable<GateEvidence['rows']>;
/** An estimate, the bounds that can pass it and, as the case may be, the wider ones that can refuse it. */
type Measured = { readonly estimate: Estimate; readonly interval: (level: number) => Interval };

function judgeMetric(test: MetricTest, rows: Rows | undefined): { verdict: Verdict; slices?: readonly SliceReport[] } {
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
function judgeSample(test: MetricTest, rows: Rows, looks = 1): Verdict {
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

function measureSample(test: MetricTest, rows: Rows): Measured | undefined {
  const { truth, candidate, champion } = rows;
  const own = measure(test.metric, { truth, score: candidate }, test);
  if (!own) return undefined;
  if (test.kind !== 'paired') return { estimate: own, interval: (wanted) => measuredInterval(own, { level: wanted }) };
  const other = champion && measure(test.metric, { truth, score: champion }, test);
  if (!other) return undefined;
  const estimate = pairedDifference(own, other);
  return { estimate, interval: (wanted) => normalInterval(estimate, { level: wanted }) };
}

const decide = ({ pass, fail }: { pass: boolean; fail: boolean }): Outcome =>
  pass ? 'pass' : fail ? 'fail' : 'inconclusive';

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

function pick(rows: Rows, indices: readonly number[]): Rows {
  const take = (column: Float64Array) => Float64Array.from(indices, (i) => column[i] ?? Number.NaN);
  return {
    truth: take(rows.truth),
    candidate: take(rows.candidate),
    ...(rows.champion && { champion: take(rows.champion) }),
    groups: new Map(),
  };
}

function judgeFairness(
  test: Extract<GateTest, { kind: 'fairness' }>,
  rows: Rows | undefined,
): { verdict: Verdict; slices?: readonly SliceReport[] } {
  if (!rows) return { verdict: unknown('the version came without rows to test it on', 0) };
  const group = rows.groups.get(groupingKey(test.by)) ?? [];
  const counts = countGroups({ group, truth: rows.truth, score: rows.candidate }, test);
  const { groups, gap } = fairnessGap(test.metric, counts, { minRows: test.minRows, level });
  const slices = groups.map(
    ({ group: slice, rows: size, rate, lower, upper, tooSmall }): SliceReport => ({
      slice,
      rows: size,
      outcome: tooSmall ? 'small' : 'inconclusive',
      ...(rate !== undefined && { value: rate }),
      ...(lower !== undefined && { lower }),
      ...(upper !== undefined && { upper }),
    }),
  );
  if (!gap) return { verdict: unknown(`fewer than two groups have ${test.minRows} rows and 10 cases`, 0), slices };
  // The greatest of several noisy gaps is nearly always above the true one, so proof below the limit would ask for data that few
  // groups have. A pass therefore says: within the limit as measured, and twice the limit is ruled out.
  const outcome = decide({
    pass: gap.value <= test.atMost && gap.upper <= 2 * test.atMost,
    fail: gap.lower > test.atMost,
  });
  const small = slices.filter((slice) => slice.outcome === 'small').length;
  const verdict: Verdict = {
    outcome,
    reason:
      `${gap.highest} and ${gap.lowest} are ${say(gap.value)} apart (${say(gap.lower)} to ${say(gap.upper)}), ` +
      `at most ${say(test.atMost)} is asked${small > 0 ? `; ${small} groups are too small to be judged` : ''}`,
    value: gap.value,
    lower: gap.lower,
    upper: gap.upper,
    threshold: test.atMost,
    n: gap.n,
    method: `greatest difference between groups, score ≥ ${test.threshold}, Newcombe, ${oneSided}; twice the limit ruled out`,
  };
  // A group by itself is neither fair nor unfair: the judged ones share the gap's outcome.
  return { verdict, slices: slices.map((slice) => (slice.outcome === 'small' ? slice : { ...slice, outcome })) };
}

function judgeLatency(test: Extract<GateTest, { kind: 'latency' }>, measured: readonly number[]): Verdict {
  const method = `order statistics, ${oneSided}, batch ${test.batch}, the model alone on one thread`;
  if (measured.length === 0) return unknown('nothing was measured', 0, method);
  const ordered = sorted(measured);
  const value = quantile(ordered, test.quantile);
  const { lower, upper } = quantileBounds(ordered, test.quantile, { level });
  return {
    outcome: decide({
      pass: upper !== undefined && upper < test.belowMs,
      fail: lower !== undefined && lower >= test.belowMs,
    }),
    reason: `p${say(100 * test.quantile)} is ${say(value)} ms over ${measured.length} runs, below ${say(test.belowMs)} ms is asked`,
    value,
    ...(lower !== undefined && { lower }),
    ...(upper !== undefined && { upper }),
    threshold: test.belowMs,
    n: measured.length,
    method,
  };
}

function judgeParity(tolerance: number, parity: GateEvidence['parity']): Verdict {
  const method = 'greatest absolute difference';
  if (!parity || parity.rows === 0) return unknown('the version came without expected answers', 0, method);
  const beyond = parity.beyond(tolerance);
  return {
    outcome: beyond === 0 ? 'pass' : 'fail',
    reason:
      beyond === 0
        ? `all ${parity.rows} answers are the trainer’s, to ${say(parity.greatest)}`
        : `${beyond} of ${parity.rows} answers differ from the trainer’s, by up to ${say(parity.greatest)}`,
    value: parity.greatest,
    threshold: tolerance,
    n: parity.rows,
    method,
  };
}
