import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from './prediction.ts';
import { foldSummaries, mergeDays, readSnapshot, writeSnapshot } from './summary.ts';

const day = 86_400_000;
const bins = { features: { x: { kind: 'numeric', edges: [1] } }, score: { kind: 'numeric', edges: [0.5] } } as const;
const nothing = { covered: 0, summaries: [] };

const record = (seq: number, change: Partial<Record<string, unknown>> = {}): LogRecord =>
  ({
    ...{
      kind: 'prediction',
      seq,
      endpoint: 'e',
      at: 1,
      eventTime: seq * (day / 4),
      id: `${seq}`,
      unit: 'u',
      generation: 1,
    },
    ...{ role: 'champion', model: 'm', version: 1, outcome: 'ok', latencyMs: seq, outputs: {}, score: seq / 10 },
    inputs: { x: seq % 2 === 0 ? null : seq },
    ...change,
  }) as LogRecord; // one of the three kinds, as the changes say

const records = [
  ...Array.from({ length: 9 }, (_, i) => record(i + 1)),
  record(10, { outcome: 'error', score: undefined }),
  record(11, { kind: 'label', key: 'k', value: 1 }),
  record(12, { kind: 'mirror', role: 'shadow', version: 2, predictionId: '1', rollout: 'r' }),
];

test('a fold that is interrupted, saved and taken up again counts the same', () => {
  const whole = foldSummaries(nothing, () => bins);
  for (const one of records) whole.add(one);
  for (let cut = 0; cut <= records.length; cut++) {
    const first = foldSummaries(nothing, () => bins);
    for (const one of records.slice(0, cut)) first.add(one);
    const saved = readSnapshot(writeSnapshot(first.snapshot()));
    const second = foldSummaries(saved, () => bins);
    // From the start again: what is covered is not counted twice.
    for (const one of records) second.add(one);
    assert.deepEqual(second.snapshot(), whole.snapshot());
  }
});

test('days add up to what was counted, each version, role and kind by itself', () => {
  const fold = foldSummaries(nothing, () => bins);
  for (const one of records) fold.add(one);
  const { summaries, covered } = fold.snapshot();
  assert.equal(covered, 12);
  assert.deepEqual(
    summaries.map((one) => [one.kind, one.day / day, one.count]),
    [
      ['prediction', 0, 3],
      ['prediction', 1, 4],
      ['prediction', 2, 3],
      ['mirror', 3, 1],
    ],
  );
  const [answers, mirrors] = mergeDays(summaries);
  assert.deepEqual([answers?.count, answers?.errors, answers?.day], [10, 1, 0]);
  assert.deepEqual(answers?.features['x']?.counts, [1, 4, 5]);
  assert.deepEqual(answers?.score?.counts, [5, 4, 0]);
  assert.deepEqual([mirrors?.count, mirrors?.version, mirrors?.features], [1, 2, {}]);
});
