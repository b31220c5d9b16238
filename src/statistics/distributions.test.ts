import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden } from '../../tests/fixtures/statistics/golden.ts';
import { lowerBeta } from './beta.ts';
import { chiSquaredCdf, chiSquaredQuantile, chiSquaredSurvival, homogeneityTest } from './chi-squared.ts';
import { logGamma, lowerGamma, upperGamma } from './gamma.ts';
import { kolmogorovSurvival } from './kolmogorov.ts';
import { normalCdf, normalQuantile, normalSurvival } from './normal.ts';
import { seededRandom } from './seeded-random.ts';
import { studentCdf, studentQuantile } from './student-t.ts';

test('the gamma and beta integrals are those of SciPy', () => {
  for (const [x, value] of golden.logGamma) assertClose(logGamma(x), value);
  for (const [a, x, lower, upper] of golden.lowerGamma) {
    assertClose(lowerGamma(a, x), lower);
    assertClose(upperGamma(a, x), upper);
  }
  for (const [x, a, b, value] of golden.lowerBeta) assertClose(lowerBeta(x, { a, b }), value);
});

test('the normal distribution is that of SciPy, down to probabilities of 1e-300', () => {
  for (const [z, p] of golden.normalCdf) assertClose(normalCdf(z), p);
  for (const [p, z] of golden.normalQuantile) assertClose(normalQuantile(p), z);
});

test('chi-squared, t and Kolmogorov are those of SciPy', () => {
  for (const [x, df, lower, upper] of golden.chiSquared) {
    assertClose(chiSquaredCdf(x, df), lower);
    assertClose(chiSquaredSurvival(x, df), upper);
  }
  for (const [p, df, x] of golden.chiSquaredQuantile) assertClose(chiSquaredQuantile(p, df), x);
  for (const [t, df, p] of golden.studentCdf) assertClose(studentCdf(t, df), p);
  for (const [p, df, t] of golden.studentQuantile) assertClose(studentQuantile(p, df), t);
  for (const [x, p] of golden.kolmogorov) assertClose(kolmogorovSurvival(x), p);
});

test('homogeneity of counts is tested as by SciPy without correction', () => {
  for (const [rows, [statistic, p, df]] of [
    [
      [
        [50, 30, 20],
        [35, 25, 40],
      ],
      golden.homogeneity,
    ],
    [
      [
        [50, 30, 0],
        [35, 45, 0],
      ],
      golden.homogeneitySquare,
    ],
  ] as const) {
    const result = homogeneityTest(rows);
    assertClose(result?.statistic, statistic);
    assertClose(result?.p, p);
    assert.equal(result?.df, df);
  }
});

test('one filled column or row has no homogeneity to test', () => {
  assert.equal(
    homogeneityTest([
      [5, 0],
      [7, 0],
    ]),
    undefined,
  );
  assert.equal(
    homogeneityTest([
      [5, 3],
      [0, 0],
    ]),
    undefined,
  );
});

test('quantiles undo their distribution functions', () => {
  const level = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
  fc.assert(
    fc.property(level, fc.integer({ min: 1, max: 200 }), (p, df) => {
      assertClose(normalCdf(normalQuantile(p)), p, 1e-9);
      assertClose(chiSquaredCdf(chiSquaredQuantile(p, df), df), p, 1e-9);
      assertClose(studentCdf(studentQuantile(p, df), df), p, 1e-9);
    }),
    { numRuns: 50 },
  );
});

test('tails are each other’s mirror', () => {
  fc.assert(
    fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (z) => {
      assert.equal(normalSurvival(z), normalCdf(-z));
      assertClose(normalCdf(z) + normalSurvival(z), 1);
    }),
  );
});

test('what is no probability is refused by name', () => {
  assert.throws(() => normalQuantile(1), { name: 'RangeError', message: /^p is 1/ });
  assert.throws(() => lowerGamma(-1, 2), { name: 'RangeError', message: /^a is -1/ });
  assert.throws(() => normalCdf(Number.NaN), RangeError);
});

test('homogeneity does not depend on the order of rows or columns, and grows with the counts', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(counts, counts, (first, second) => {
      const one = homogeneityTest([first, second]);
      const turned = homogeneityTest([second.toReversed(), first.toReversed()]);
      assertClose(turned?.statistic, one?.statistic, 1e-7);
      const tenfold = homogeneityTest([first.map((n) => 10 * n), second.map((n) => 10 * n)]);
      assertClose(tenfold?.statistic, 10 * (one?.statistic ?? Number.NaN), 1e-7);
    }),
  );
});

test('rows of one distribution are told apart in about 5 %', () => {
  const random = seededRandom(43);
  const runs = 2000;
  let alarms = 0;
  for (let run = 0; run < runs; run++) {
    const rows = [new Array<number>(4).fill(0), new Array<number>(4).fill(0)];
    for (const row of rows) {
      for (let i = 0; i < 200; i++) {
        const column = random.below(4);
        row[column] = (row[column] ?? 0) + 1;
      }
    }
    if ((homogeneityTest(rows)?.p ?? 1) <= 0.05) alarms++;
  }
  assert.ok(alarms > 100 - 30 && alarms < 100 + 30, `${alarms} of ${runs}`); // three binomial deviations
});
