import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden, published } from '../../tests/fixtures/statistics/golden.ts';
import { newcombeDifference, wilsonInterval } from './proportion.ts';
import { seededRandom } from './seeded-random.ts';

test('Wilson’s interval is SciPy’s', () => {
  for (const [successes, trials, level, lower, upper] of golden.wilson) {
    const interval = wilsonInterval({ successes, trials }, { level });
    assertClose(interval.lower, lower);
    assertClose(interval.upper, upper);
  }
});

test('Newcombe’s interval is the one he published', () => {
  const expected = published['Newcombe 1998, table II, 56/70 against 48/80, method 10'];
  const difference = newcombeDifference({ successes: 56, trials: 70 }, { successes: 48, trials: 80 }, { level: 0.95 });
  assertClose(difference?.value, 0.2);
  // Four decimals are printed in the paper.
  assert.equal(difference?.lower.toFixed(4), String(expected.lower));
  assert.equal(difference?.upper.toFixed(4), String(expected.upper));
});

test('no trials say nothing', () => {
  assert.deepEqual(wilsonInterval({ successes: 0, trials: 0 }, { level: 0.95 }), { lower: 0, upper: 1 });
  assert.equal(
    newcombeDifference({ successes: 0, trials: 0 }, { successes: 1, trials: 2 }, { level: 0.95 }),
    undefined,
  );
});

test('intervals hold their share, keep to [0, 1] and mirror', () => {
  const counts = fc
    .integer({ min: 1, max: 5000 })
    .chain((trials) => fc.record({ trials: fc.constant(trials), successes: fc.integer({ min: 0, max: trials }) }));
  fc.assert(
    fc.property(counts, counts, (first, second) => {
      const interval = wilsonInterval(first, { level: 0.95 });
      const share = first.successes / first.trials;
      assert.ok(interval.lower >= 0 && interval.lower <= share && share <= interval.upper && interval.upper <= 1);
      const mirrored = wilsonInterval(
        { successes: first.trials - first.successes, trials: first.trials },
        { level: 0.95 },
      );
      assert.ok(Math.abs(mirrored.upper - (1 - interval.lower)) < 1e-12);
      const there = newcombeDifference(first, second, { level: 0.95 });
      const back = newcombeDifference(second, first, { level: 0.95 });
      assert.ok(there && back && Math.abs(there.lower + back.upper) < 1e-12);
      assert.ok(there.lower >= -1 && there.lower <= there.value && there.value <= there.upper && there.upper <= 1);
    }),
  );
});

test('Newcombe’s 90 % interval covers the difference in about 90 % of samples', () => {
  const random = seededRandom(11);
  const draw = (trials: number, p: number) => {
    let successes = 0;
    for (let i = 0; i < trials; i++) if (random.chance(p)) successes++;
    return { successes, trials };
  };
  let covered = 0;
  for (let run = 0; run < 2000; run++) {
    const interval = newcombeDifference(draw(80, 0.3), draw(60, 0.2), { level: 0.9 });
    if (interval && interval.lower <= 0.1 && 0.1 <= interval.upper) covered++;
  }
  // Three binomial deviations around 1,800.
  assert.ok(covered > 1800 - 41 && covered < 1800 + 60, `${covered} of 2000`);
});

test('more successes than trials are refused', () => {
  assert.throws(() => wilsonInterval({ successes: 3, trials: 2 }, { level: 0.95 }), RangeError);
});
