import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Health, healthAfter, judge, mostTries, type Outcome, retryAfterMs, waitMs } from './delivery.ts';

const answered = (status: number, more: { retryAfterMs?: number } = {}): Outcome => ({
  kind: 'answered',
  status,
  body: '',
  ...more,
});
const first = { tries: 1, random: () => 1 };

test('only 2xx is delivered; what may pass is tried again, what is about the message is not', () => {
  const kinds = [200, 204, 302, 400, 401, 404, 408, 410, 413, 429, 500, 503].map(
    (status) => `${status} ${judge(answered(status), first).kind}`,
  );
  assert.deepEqual(kinds, [
    ...['200 delivered', '204 delivered', '302 failed', '400 failed', '401 failed', '404 failed'],
    ...['408 again', '410 failed', '413 failed', '429 again', '500 again', '503 again'],
  ]);
  assert.equal(judge({ kind: 'unreachable', problem: 'no answer' }, first).kind, 'again');
  assert.equal(judge({ kind: 'refused', problem: 'a private address' }, first).kind, 'failed');
});

test('waits grow fourfold up to an hour, and never fall under half of that', () => {
  const longest = Array.from({ length: 9 }, (_, index) => waitMs(index + 1, () => 1));
  assert.deepEqual(longest, [1000, 4000, 16_000, 64_000, 256_000, 1_024_000, 3_600_000, 3_600_000, 3_600_000]);
  assert.equal(
    waitMs(3, () => 0),
    8000,
  );
});

test('a receiver that says when to come back is obeyed, up to an hour', () => {
  const wait = (ms: number) => judge(answered(429, { retryAfterMs: ms }), first);
  assert.deepEqual(wait(30_000), { kind: 'again', afterMs: 30_000, problem: 'it answered 429' });
  assert.deepEqual(wait(86_400_000), { kind: 'again', afterMs: 3_600_000, problem: 'it answered 429' });
  assert.equal(retryAfterMs('120', 0), 120_000);
  assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 20_000), 40_000);
  assert.equal(retryAfterMs('soon', 0), undefined);
});

test('the twelfth attempt is the last', () => {
  assert.equal(judge(answered(500), { tries: mostTries - 1, random: () => 1 }).kind, 'again');
  assert.deepEqual(judge(answered(500), { tries: mostTries, random: () => 1 }), {
    kind: 'failed',
    problem: 'it answered 500',
    gone: false,
  });
});

test('a webhook rests longer with every failure, is paused after the twelfth, and is well after one success', () => {
  const failed = judge(answered(503), first);
  let health: Health = { failures: 0, restUntil: 0 };
  let at = 0;
  const rests: number[] = [];
  while (health.pausedBecause === undefined) {
    health = healthAfter(health, failed, { at, random: () => 1 });
    rests.push(health.restUntil - at);
    at = health.restUntil;
  }
  assert.equal(rests.length, 12);
  assert.deepEqual(rests.slice(0, 4), [1000, 4000, 16_000, 64_000]);
  assert.equal(health.pausedBecause, '12 attempts in a row failed over 5 hours, the last because it answered 503');
  assert.deepEqual(healthAfter(health, { kind: 'delivered' }, { at, random: () => 1 }), { failures: 0, restUntil: 0 });
});

test('410 pauses at once', () => {
  const health = healthAfter({ failures: 0 }, judge(answered(410), first), { at: 5, random: () => 1 });
  assert.equal(health.pausedBecause, 'it answered 410: it is gone for good');
});
