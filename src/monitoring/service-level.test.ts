import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeService } from './service-level.ts';
import type { TrafficDay } from './traffic-days.ts';

type Counts = Pick<TrafficDay, 'rows' | 'errors' | 'slow'>;

function judge(counts: Counts) {
  const labelled = { truth: [], score: [], group: [] };
  const day = { day: 0, firstSeq: 1, features: {}, scored: 0, labelled, ...counts };
  const windows = { windowMs: 86_400_000, everyMs: 86_400_000, persist: 1 };
  return judgeService([day], { ...windows, availability: 0.999, latency: { quantile: 0.99, belowMs: 100 } });
}

test('an interval that holds the limit is undecided, and is said in percent', () => {
  const { availability } = judge({ rows: 10_000, errors: 10, slow: 0 });
  assert.equal(availability?.outcome, 'inconclusive');
  assert.equal(availability?.reason, 'availability 99.9 % [99.82 %, 99.95 %] on 10000 rows, at least 99.9 %');
});

test('slow answers are a share of those that came at all', () => {
  const { latency } = judge({ rows: 10_000, errors: 2_000, slow: 800 });
  assert.equal(latency?.outcome, 'fail');
  assert.equal(latency?.reason, 'answers above 100 ms 10 % [9.362 %, 10.68 %] on 8000 rows, at most 1 %');
});

test('no requests say nothing', () => {
  const { availability, latency } = judge({ rows: 0, errors: 0, slow: 0 });
  assert.deepEqual([availability?.outcome, latency?.outcome], ['inconclusive', 'inconclusive']);
  assert.equal(availability?.reason, 'availability: no requests');
});
