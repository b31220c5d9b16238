import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertClose, driftCurrent, driftReference, golden } from '../../tests/fixtures/statistics/golden.ts';
import { seededRandom } from './seeded-random.ts';
import { ksTest, wassersteinDistance } from './two-sample.ts';

test('distance and exact p-value are SciPy’s', () => {
  const same = ksTest(driftReference, driftCurrent);
  assertClose(same.distance, golden.twoSample.ks[0]);
  assertClose(same.p, golden.twoSample.ks[1]);
  const shifted = ksTest(
    driftReference,
    driftCurrent.map((x) => x + 2.5),
  );
  assertClose(shifted.distance, golden.twoSample.ksShifted[0]);
  assertClose(shifted.p, golden.twoSample.ksShifted[1]);
});

test('the earth mover’s distance is SciPy’s, and a shift costs what it is', () => {
  assertClose(wassersteinDistance(driftReference, driftCurrent), golden.twoSample.wasserstein);
  assertClose(
    wassersteinDistance(
      driftReference,
      driftReference.map((x) => x + 3),
    ),
    3,
  );
});

test('large samples go by the limit, which agrees with counting paths', () => {
  const random = seededRandom(13);
  const first = Array.from({ length: 1000 }, () => random.normal());
  const second = Array.from({ length: 1000 }, () => random.normal() + 0.08);
  const exact = ksTest(first, second);
  assert.equal(exact.method, 'exact');
  const limit = ksTest([...first, first[0] ?? 0], second);
  assert.equal(limit.method, 'asymptotic');
  assert.ok(Math.abs(exact.p - limit.p) < 0.02, `${exact.p} and ${limit.p}`);
});

test('NaN and empty samples are refused by name', () => {
  assert.throws(() => ksTest([], [1]), /first is empty/);
  assert.throws(() => wassersteinDistance([1], [Number.NaN]), /second\[0\] is NaN/);
});
