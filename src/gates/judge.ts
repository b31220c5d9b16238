/** What the evidence says about one test of the plan. */
import { quantile, quantileBounds, sorted } from '../statistics/quantile.ts';
import type { Verdict } from '../statistics/verdict.ts';
import { decide, level, oneSided, unknown } from './decide.ts';
import type { TestReport } from './gate.ts';
import type { GateEvidence } from './gate-evidence.ts';
import { inWords, say } from './gate-words.ts';
import type { GateTest } from './gates-config.ts';
import { judgeFairness } from './judge-fairness.ts';
import { judgeMetric } from './judge-metric.ts';

export function judge(test: GateTest, evidence: GateEvidence): TestReport {
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
          verdict: unknown('no other version serves, so there is nothing to compare with', 0),
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
