import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, published } from '../../tests/fixtures/statistics/golden.ts';
import { addUnits, sampleRatio, sampleRatioP, sampleRatioTest } from './sample-ratio.ts';
import { seededRandom } from './seeded-random.ts';

const { sampleRatio: once, sequentialSampleRatio } = published['growthbook gbstats'];

test('the single look is that of gbstats', () => {
  for (const [counts, shares, p] of once) {
    assertClose(sampleRatioTest(counts as number[], shares as number[]), p as number); // rows are [counts, shares, p]
  }
  assert.equal(sampleRatioTest([0, 0], [0.5, 0.5]), 1);
});

test('the sequential test is that of gbstats, batch by batch', () => {
  for (const { concentration, counts, shares, p } of sequentialSampleRatio) {
    let state = sampleRatio({ concentration });
    for (const expected of p) {
      state = addUnits(state, counts, shares);
      assertClose(sampleRatioP(state), expected, 1e-8); // ten decimals are given
    }
  }
});

test('a ramp with true shares alarms in fewer than 1 in 100 runs, one that loses a tenth of an arm is found', () => {
  const random = seededRandom(41);
  const run = (lost: number) => {
    let state = sampleRatio();
    for (const share of [0.05, 0.25, 0.5]) {
      for (let batch = 0; batch < 30; batch++) {
        let canary = 0;
        let control = 0;
        for (let i = 0; i < 100; i++) {
          if (!random.chance(share)) control++;
          else if (!random.chance(lost)) canary++;
        }
        state = addUnits(state, [canary, control], [share, 1 - share]);
      }
    }
    return sampleRatioP(state);
  };
  const sound = Array.from({ length: 200 }, () => run(0)).filter((p) => p < 0.01).length;
  assert.ok(sound <= 6, `${sound} of 200`);
  const broken = Array.from({ length: 20 }, () => run(0.25)).filter((p) => p < 0.001).length;
  assert.equal(broken, 20);
});

test('shares that do not add up are refused', () => {
  assert.throws(() => addUnits(sampleRatio(), [1, 2], [0.5, 0.4]), /add up to 0.9/);
});

test('it does not matter which arm is which, and evidence once seen is not forgotten', () => {
  const batch = fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }));
  fc.assert(
    fc.property(
      fc.array(batch, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(0.05, 0.25, 0.5),
      (batches, share) => {
        let [one, other] = [sampleRatio(), sampleRatio()];
        for (const [canary, control] of batches) {
          const before = sampleRatioP(one);
          one = addUnits(one, [canary, control], [share, 1 - share]);
          other = addUnits(other, [control, canary], [1 - share, share]);
          assert.ok(sampleRatioP(one) <= before);
        }
        assertClose(sampleRatioP(other), sampleRatioP(one), 1e-6);
      },
    ),
  );
});
