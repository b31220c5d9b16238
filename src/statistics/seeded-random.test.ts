import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kolmogorovSurvival } from './kolmogorov.ts';
import { momentsOf, varianceOf } from './moments.ts';
import { normalCdf } from './normal.ts';
import { seededRandom } from './seeded-random.ts';

test('the same seed gives the same numbers, a neighbouring one others', () => {
  const first = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, random.uniform);
  };
  assert.deepEqual(first(1), first(1));
  assert.ok(first(1).every((x, i) => x !== first(2)[i]));
});

test('uniform and normal numbers are distributed as they say, whatever the seed', () => {
  const n = 20_000;
  for (const seed of [0, 1, 2, -7, 2 ** 31]) {
    const random = seededRandom(seed);
    const uniform = Float64Array.from({ length: n }, random.uniform);
    const normal = Float64Array.from({ length: n }, random.normal);
    // One in a thousand by chance, and the seeds are fixed.
    assert.ok(kolmogorovP(uniform) > 0.001, `uniform, seed ${seed}: ${kolmogorovP(uniform)}`);
    assert.ok(kolmogorovP(normal.map(normalCdf)) > 0.001, `normal, seed ${seed}`);
    const { mean } = momentsOf(normal);
    assert.ok(
      Math.abs(mean) < 4 / Math.sqrt(n) && Math.abs((varianceOf(momentsOf(normal)) ?? 0) - 1) < 4 * Math.sqrt(2 / n),
    );
  }
});

/** Of a sample that should be uniform. */
function kolmogorovP(sample: Float64Array): number {
  const ordered = sample.toSorted();
  const n = ordered.length;
  let distance = 0;
  for (const [i, x] of ordered.entries()) distance = Math.max(distance, (i + 1) / n - x, x - i / n);
  return kolmogorovSurvival(distance * Math.sqrt(n));
}
