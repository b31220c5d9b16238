import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, published } from '../../tests/fixtures/statistics/golden.ts';
import { mixtureScale, oneSidedHalfWidth, twoSidedHalfWidth } from './confidence-sequence.ts';
import { mixtureEvidence, mixtureHalfWidth } from './normal-mixture.ts';
import { seededRandom } from './seeded-random.ts';

const { scale, halfWidths, proportions } = published['growthbook gbstats'];

test('scale and half-widths are those of gbstats', () => {
  assertClose(mixtureScale({ alpha: 0.05, optimalAt: 5000 }), scale.twoSided);
  assertClose(mixtureScale({ alpha: 0.1, optimalAt: 5000 }), scale.oneSided);
  for (const [n = 0, two, one] of halfWidths) {
    const look = { n, standardError: 1 / Math.sqrt(n) };
    assertClose(twoSidedHalfWidth(look, { alpha: 0.05, optimalAt: 5000 }), two, 1e-8); // ten decimals are given
    assertClose(oneSidedHalfWidth(look, { alpha: 0.05, optimalAt: 5000 }), one, 1e-8);
  }
});

test('a difference of proportions gets the interval of gbstats', () => {
  const standardError = Math.sqrt((0.02 * 0.98) / 10_000 + (0.026 * 0.974) / 10_000);
  const look = { n: 20_000, standardError };
  const half = twoSidedHalfWidth(look, { alpha: 0.05, optimalAt: 5000 });
  assertClose(0.006 - half, proportions.lower, 1e-6);
  assertClose(0.006 + half, proportions.upper, 1e-8);
  assertClose(0.006 - oneSidedHalfWidth(look, { alpha: 0.05, optimalAt: 5000 }), proportions.oneSidedLower, 1e-6);
});

test('the normal mixture gives the published evidence and width', () => {
  const [expected] = Object.entries(published).flatMap(([name, value]) =>
    name.startsWith('Johari') ? [value as { evidence: number; halfWidth: number }] : [],
  );
  assertClose(mixtureEvidence({ effect: 0.03, variance: 1e-4, priorVariance: 4e-4 }), expected?.evidence);
  assertClose(mixtureHalfWidth({ variance: 1e-4, priorVariance: 4e-4 }, 0.05), expected?.halfWidth);
});

test('the mixture’s interval ends exactly where its evidence reaches 1/alpha', () => {
  const effect = mixtureHalfWidth({ variance: 2e-3, priorVariance: 1e-3 }, 0.01);
  assertClose(mixtureEvidence({ effect, variance: 2e-3, priorVariance: 1e-3 }), 100);
});

test('at N* no other design is narrower', () => {
  const look = { n: 2000, standardError: 0.01 };
  const best = twoSidedHalfWidth(look, { alpha: 0.05, optimalAt: 2000 });
  for (const optimalAt of [500, 1500, 2500, 8000])
    assert.ok(twoSidedHalfWidth(look, { alpha: 0.05, optimalAt }) > best);
});

test('looking 39 times over 4,000 skewed observations errs in fewer than 5 % of runs', () => {
  const random = seededRandom(17);
  let wrong = 0;
  for (let run = 0; run < 500; run++) {
    let sum = 0;
    let squares = 0;
    for (let n = 1; n <= 4000; n++) {
      const x = -Math.log(1 - random.uniform()) - 1; // exponential, mean 0
      sum += x;
      squares += x * x;
      if (n % 100 !== 0 || n < 200) continue;
      const standardError = Math.sqrt((squares / n - (sum / n) ** 2) / n);
      if (Math.abs(sum / n) > twoSidedHalfWidth({ n, standardError }, { alpha: 0.05, optimalAt: 2000 })) {
        wrong++;
        break;
      }
    }
  }
  assert.ok(wrong <= 25 + 15, `${wrong} of 500`);
});

test('widths scale with the standard error and, at N*, shrink with α; one-sided bounds lie inside the two-sided interval', () => {
  const most = fc.integer({ min: 100, max: 100_000 });
  fc.assert(
    fc.property(most, most, fc.constantFrom(0.01, 0.05, 0.1), (n, optimalAt, alpha) => {
      const design = { alpha, optimalAt };
      const best = { n: optimalAt, standardError: 0.01 };
      for (const half of [oneSidedHalfWidth, twoSidedHalfWidth]) {
        assertClose(half({ n, standardError: 0.03 }, design), 3 * half({ n, standardError: 0.01 }, design));
        assert.ok(half(best, { alpha: alpha / 2, optimalAt }) > half(best, design));
      }
      assert.ok(oneSidedHalfWidth(best, design) < twoSidedHalfWidth(best, design));
    }),
  );
});
