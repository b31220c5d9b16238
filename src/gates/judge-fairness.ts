/** The gap between the groups that are furthest apart. */
import { countGroups, fairnessGap } from '../statistics/fairness.ts';
import type { Verdict } from '../statistics/verdict.ts';
import { decide, level, oneSided, unknown } from './decide.ts';
import type { SliceReport } from './gate.ts';
import { type GateRows, groupingKey } from './gate-evidence.ts';
import { say } from './gate-words.ts';
import type { GateTest } from './gates-config.ts';

export function judgeFairness(
  test: Extract<GateTest, { kind: 'fairness' }>,
  rows: GateRows | undefined,
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
  const outcome = decide({ pass: gap.upper <= test.atMost, fail: gap.lower > test.atMost });
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
    method: `greatest difference between groups, score ≥ ${test.threshold}, Newcombe, ${oneSided}`,
  };
  // A group by itself is neither fair nor unfair: the judged ones share the gap's outcome.
  return { verdict, slices: slices.map((slice) => (slice.outcome === 'small' ? slice : { ...slice, outcome })) };
}
