import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jensenShannonDistance, ksDistance, populationStability } from './distance.ts';
import { type Bins, fineEdges, histogramOf, presentCounts } from './histogram.ts';
import { jensenShannonNoise, ksNoise, psiNoise } from './noise-floor.ts';
import { seededRandom } from './seeded-random.ts';

test('PSI of 0.1 over ten bins is chance below about 217 rows', () => {
  assert.ok(psiNoise(10, { reference: 1e9, current: 216, alpha: 0.01 }) > 0.1);
  assert.ok(psiNoise(10, { reference: 1e9, current: 217, alpha: 0.01 }) < 0.1);
});

test('of quiet windows of 200, 500 and 1,000 rows no more than 1 % exceed the floor', () => {
  const random = seededRandom(19);
  const cells = 10;
  const draw = (n: number) => {
    const counts = new Array<number>(cells).fill(0);
    for (let i = 0; i < n; i++) counts[random.below(cells)]! += 1;
    return counts;
  };
  const reference = draw(50_000);
  for (const current of [200, 500, 1000]) {
    const sizes = { reference: 50_000, current, alpha: 0.01 };
    const alarms = { psi: 0, js: 0, ks: 0 };
    for (let run = 0; run < 1000; run++) {
      const window = draw(current);
      if (populationStability(reference, window, { fill: 1e-4 }) > psiNoise(cells, sizes)) alarms.psi++;
      if (jensenShannonDistance(reference, window) > jensenShannonNoise(cells, sizes)) alarms.js++;
      if (ksDistance(reference, window) > ksNoise(sizes)) alarms.ks++;
    }
    // 10 expected, three binomial deviations are 9.4; the chi-squared limit is a little short at 200 rows.
    for (const [name, count] of Object.entries(alarms))
      assert.ok(count <= 10 + 12, `${name} at ${current}: ${count} of 1,000`);
  }
});

test('one cell has no noise', () => {
  assert.equal(psiNoise(1, { reference: 100, current: 100, alpha: 0.01 }), 0);
});

test('a shift of a fifth of a deviation is above the floor in 95 of 100 windows of 1,000 rows', () => {
  const random = seededRandom(47);
  const normals = (n: number, shift: number) => Array.from({ length: n }, () => random.normal() + shift);
  const reference = normals(20_000, 0);
  const bins: Bins = { kind: 'numeric', edges: fineEdges(reference, 50) };
  const known = presentCounts(histogramOf(bins, reference));
  const floor = ksNoise({ reference: 20_000, current: 1000, alpha: 0.01 });
  let found = 0;
  let alarms = 0;
  for (let run = 0; run < 200; run++) {
    if (ksDistance(known, presentCounts(histogramOf(bins, normals(1000, 0.2)))) > floor) found++;
    if (ksDistance(known, presentCounts(histogramOf(bins, normals(1000, 0)))) > floor) alarms++;
  }
  assert.ok(found >= 190, `${found} of 200`);
  assert.ok(alarms <= 2 + 5, `${alarms} of 200`);
});

test('the floors fall with rows on either side, do not care which side is which, and rise with cells', () => {
  const rows = fc.integer({ min: 10, max: 1_000_000 });
  fc.assert(
    fc.property(rows, rows, fc.integer({ min: 2, max: 60 }), (reference, current, cells) => {
      const sizes = { reference, current, alpha: 0.01 };
      const floors = [
        ksNoise,
        (of: typeof sizes) => psiNoise(cells, of),
        (of: typeof sizes) => jensenShannonNoise(cells, of),
      ];
      for (const floor of floors) {
        const here = floor(sizes);
        assert.equal(floor({ ...sizes, reference: current, current: reference }), here);
        assert.ok(floor({ ...sizes, current: 2 * current }) < here && floor({ ...sizes, alpha: 0.05 }) < here);
      }
      assert.ok(psiNoise(cells + 1, sizes) > psiNoise(cells, sizes));
    }),
  );
});
