import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketLatency, latencyBucket, latencyBuckets, latencyQuantile, shareSlower } from './latency-histogram.ts';

const counted = (values: readonly number[]) => {
  const counts = new Uint32Array(latencyBuckets);
  for (const ms of values) counts[latencyBucket(ms)]! += 1;
  return counts;
};

test('every latency from 10 µs to ten minutes is known to 1 %', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.0101, max: 600_000, noNaN: true }), (ms) => {
      const error = Math.abs(bucketLatency(latencyBucket(ms)) - ms) / ms;
      assert.ok(error <= 0.01 + 1e-9, `${ms}: ${error}`);
    }),
  );
});

test('quantiles are those of the sample to 1 %', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i + 1) / 10);
  assert.ok(Math.abs((latencyQuantile(counted(values), 0.99) ?? 0) - 99) < 1);
  assert.ok(Math.abs((latencyQuantile(counted(values), 0.5) ?? 0) - 50) < 0.5);
});

test('nothing counted has no quantile and no slow share', () => {
  assert.equal(latencyQuantile(counted([]), 0.99), undefined);
  assert.equal(shareSlower(counted([]), 100), undefined);
});

test('a hundred times the limit is slow, half of it is not', () => {
  assert.equal(shareSlower(counted([50, 50, 50, 10_000]), 100), 0.25);
});

test('extremes land in the outer buckets', () => {
  assert.equal(latencyBucket(0), 0);
  assert.equal(latencyBucket(Number.POSITIVE_INFINITY), latencyBuckets - 1);
  assert.throws(() => latencyBucket(Number.NaN), RangeError);
});
