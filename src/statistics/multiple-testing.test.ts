import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden, published } from '../../tests/fixtures/statistics/golden.ts';
import { benjaminiHochbergAdjusted, holmAdjusted } from './multiple-testing.ts';

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
