import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, driftReference, golden } from '../../tests/fixtures/statistics/golden.ts';
import { addToMoments, mergeMoments, momentsOf, noMoments, varianceOf } from './moments.ts';
import { quantile, quantileBounds, sorted } from './quantile.ts';
import { seededRandom } from './seeded-random.ts';

test('quantiles are numpy’s default', () => {
  const ordered = sorted(driftReference);
  for (const [p, x] of golden.quantiles) assertClose(quantile(ordered, p), x);
});

test('equal infinities stay infinite', () => {
  assert.equal(quantile([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], 0.8), Number.POSITIVE_INFINITY);
});

test('the 99 % point of 100 values has no upper bound, of 400 values it has', () => {
  const values = Array.from({ length: 400 }, (_, i) => i);
  assert.equal(quantileBounds(values.slice(0, 100), 0.99, { level: 0.95 }).upper, undefined);
  assert.equal(quantileBounds(values, 0.99, { level: 0.95 }).upper, 399);
});

test('each bound of a quantile errs in at most 5 % of samples', () => {
  const random = seededRandom(29);
  let low = 0;
  let high = 0;
  for (let run = 0; run < 1000; run++) {
    const bounds = quantileBounds(sorted(Array.from({ length: 300 }, () => random.uniform())), 0.9, { level: 0.95 });
    if ((bounds.lower ?? 0) > 0.9) low++;
    if ((bounds.upper ?? 1) < 0.9) high++;
  }
  assert.ok(low <= 50 + 21 && high <= 50 + 21, `${low} and ${high} of 1,000`);
});

test('moments of a stream are those of the whole, however it is parted', () => {
  const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const streamed = mergeMoments(a.reduce(addToMoments, noMoments), b.reduce(addToMoments, noMoments));
      const whole = momentsOf([...a, ...b]);
      assert.equal(streamed.n, whole.n);
      assert.ok(Math.abs(streamed.mean - whole.mean) <= 1e-7);
      assert.ok(Math.abs(streamed.squares - whole.squares) <= 1e-9 * whole.squares + 1e-4);
    }),
  );
  assert.equal(varianceOf(momentsOf([5])), undefined);
});

test('a quantile lies within the sample, rises with its share and moves with a shift', () => {
  const sample = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 50 });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(sample, share, share, (values, p, q) => {
      const ordered = sorted(values);
      const [low, high] = [Math.min(p, q), Math.max(p, q)];
      assert.ok(quantile(ordered, low) <= quantile(ordered, high) + 1e-9);
      assert.ok(quantile(ordered, p) >= (ordered[0] ?? 0) && quantile(ordered, p) <= (ordered.at(-1) ?? 0));
      assert.ok(
        Math.abs(
          quantile(
            ordered.map((x) => x + 7),
            p,
          ) -
            quantile(ordered, p) -
            7,
        ) < 1e-9,
      );
    }),
  );
});
