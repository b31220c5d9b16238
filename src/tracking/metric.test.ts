import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLater, latestByKey, sampleStrides, storedValue } from './metric.ts';

test('the later point has the greater step, then timestamp, then value', () => {
  const point = { step: 2, timestamp: 10, value: 0.5 };
  assert.ok(isLater({ step: 3, timestamp: 1, value: 0 }, point));
  assert.ok(isLater({ step: 2, timestamp: 11, value: 0 }, point));
  assert.ok(isLater({ step: 2, timestamp: 10, value: 0.6 }, point));
  assert.ok(!isLater({ step: 2, timestamp: 10, value: Number.NaN }, point), 'NaN counts as 0');
  assert.ok(isLater({ step: 2n ** 60n, timestamp: 0, value: 0 }, point), 'steps may be bigints');
});

test('the latest of a batch does not depend on the order of arrival', () => {
  const late = { key: 'm', step: 2, timestamp: 1, value: 1 };
  const early = { key: 'm', step: 1, timestamp: 9, value: 2 };
  assert.deepEqual([...latestByKey([late, early]).values()], [late]);
});

test('NaN is kept beside its value, infinities at the end of the doubles', () => {
  assert.deepEqual(storedValue(Number.NaN), { value: 0, is_nan: 1 });
  assert.deepEqual(storedValue(Number.NEGATIVE_INFINITY), { value: -1.7976931348623157e308, is_nan: 0 });
});

test('a sample has the first point of each bucket of NTILE and the last point', () => {
  assert.equal(sampleStrides(5, 5), undefined);
  assert.deepEqual(sampleStrides(7, 3), [
    { from: 0, stride: 3, count: 1 },
    { from: 3, stride: 2, count: 1 },
  ]);
  assert.deepEqual(sampleStrides(12, 4), [{ from: 0, stride: 3, count: 3 }]);
  assert.deepEqual(sampleStrides(11, 4), [{ from: 0, stride: 3, count: 3 }]);
  assert.deepEqual(sampleStrides(10, 1), []);
});
