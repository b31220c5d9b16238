import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden, published } from '../../tests/fixtures/statistics/golden.ts';
import { benjaminiHochbergAdjusted, holmAdjusted } from './multiple-testing.ts';
import { normalSurvival } from './normal.ts';
import { seededRandom } from './seeded-random.ts';

test('Benjamini and Hochberg’s values are SciPy’s, Holm’s those of statsmodels', () => {
  const [ps, expected] = golden.benjaminiHochberg;
  for (const [i, p] of benjaminiHochbergAdjusted(ps).entries()) assertClose(p, expected[i]);
  const { p: tested, holm } = published['statsmodels multipletests'];
  for (const [i, p] of holmAdjusted(tested).entries()) assertClose(p, holm[i]);
});

test('adjusting keeps each in its place, never below itself nor above 1, and Holm is the stricter', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
      const holm = holmAdjusted(ps);
      const bh = benjaminiHochbergAdjusted(ps);
      for (const [i, p] of ps.entries()) {
        assert.ok((bh[i] ?? 0) >= p - 1e-12 && (holm[i] ?? 0) >= (bh[i] ?? 1) - 1e-12 && (holm[i] ?? 2) <= 1);
      }
    }),
  );
});

test('one false alarm among twenty questions comes in at most 5 % of families, a twentieth of what is found is false', () => {
  const random = seededRandom(37);
  const runs = 2000;
  let families = 0;
  let falseShare = 0;
  for (let run = 0; run < runs; run++) {
    const quiet = Array.from({ length: 20 }, () => random.uniform());
    if (holmAdjusted(quiet).some((p) => p <= 0.05)) families++;
    // Half of the questions have an effect of three deviations.
    const mixed = Array.from({ length: 20 }, (_, i) => normalSurvival(random.normal() + (i < 10 ? 3 : 0)));
    const found = benjaminiHochbergAdjusted(mixed).map((p) => p <= 0.05);
    const wrong = found.slice(10).filter(Boolean).length;
    falseShare += wrong / Math.max(1, found.filter(Boolean).length);
  }
  assert.ok(families > 50 && families <= 100 + 29, `${families} of ${runs}`); // three binomial deviations
  // Half of the questions are quiet, so half of the 5 % are used up.
  assert.ok(falseShare / runs > 0.015 && falseShare / runs < 0.03, `${falseShare / runs}`);
});
