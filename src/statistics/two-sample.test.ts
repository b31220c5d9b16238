import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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

const sample = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 });

test('both distances are the same both ways, and 0 to itself in any order', () => {
  fc.assert(
    fc.property(sample, sample, (first, second) => {
      const [there, back] = [ksTest(first, second), ksTest(second, first)];
      assert.equal(there.distance, back.distance);
      assertClose(there.p, back.p);
      assertClose(wassersteinDistance(first, second), wassersteinDistance(second, first));
      assert.equal(ksTest(first, first.toReversed()).distance, 0);
      assert.equal(wassersteinDistance(first, first.toReversed()), 0);
    }),
  );
});

test('Kolmogorov’s distance does not see a rising transformation, the earth mover’s grows with the scale', () => {
  fc.assert(
    fc.property(sample, sample, fc.integer({ min: 2, max: 9 }), (first, second, scale) => {
      const rising = (x: number) => Math.exp(x / 20);
      assert.equal(ksTest(first.map(rising), second.map(rising)).distance, ksTest(first, second).distance);
      const scaled = wassersteinDistance(
        first.map((x) => scale * x),
        second.map((x) => scale * x),
      );
      assertClose(scaled, scale * wassersteinDistance(first, second));
    }),
  );
});

test('samples of one distribution are told apart in at most 5 %, by counting paths and by the limit', () => {
  const random = seededRandom(31);
  const draw = (n: number) => Array.from({ length: n }, () => random.normal());
  for (const [n, m, runs] of [
    [30, 50, 1000],
    [1001, 1000, 200],
  ] as const) {
    const alarms = Array.from({ length: runs }, () => ksTest(draw(n), draw(m)).p).filter((p) => p <= 0.05).length;
    // Allowed with three binomial deviations.
    assert.ok(alarms <= 0.05 * runs + 3 * Math.sqrt(0.05 * 0.95 * runs), `${alarms} of ${runs}`);
  }
});
