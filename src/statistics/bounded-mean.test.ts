import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, published } from '../../tests/fixtures/statistics/golden.ts';
import { addBounded, type BoundedMean, boundedDifference, boundedMean, boundedMeanBounds } from './bounded-mean.ts';
import { seededRandom } from './seeded-random.ts';

const addAll = (state: BoundedMean, values: readonly number[]) => values.reduce(addBounded, state);

test('the bounds are those of confseq', () => {
  const { repeat, values, lower, upper } = published['confseq 70b1ef3, predmix_empbern_cs'];
  let state = boundedMean(0.025);
  for (let i = 0; i < repeat; i++) state = addAll(state, values);
  assertClose(boundedMeanBounds(state).lower, lower);
  assertClose(boundedMeanBounds(state).upper, upper);
});

test('997 requests without an error prove a margin of one point, 499 one of two', () => {
  const needed = (margin: number) => {
    let state = boundedMean(0.05 / 3 / 2);
    while (boundedMeanBounds(state).upper >= margin) state = addBounded(state, 0);
    return state.n;
  };
  assert.equal(needed(0.01), 997);
  assert.equal(needed(0.02), 499);
});

test('nothing seen means nothing known', () => {
  assert.deepEqual(boundedMeanBounds(boundedMean(0.05)), { lower: 0, upper: 1 });
  assert.deepEqual(boundedDifference(boundedMean(0.05), boundedMean(0.05)), { value: undefined, lower: -1, upper: 1 });
});

test('adding does not change what was there, and bounds keep to [0, 1] around each other', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 80 }), (values) => {
      const before = addAll(boundedMean(0.05), values);
      const kept = { ...before };
      addBounded(before, 1);
      assert.deepEqual(before, kept);
      const { lower, upper } = boundedMeanBounds(before);
      assert.ok(lower >= 0 && lower <= upper && upper <= 1);
    }),
  );
});

test('looking after every one of 2,000 rare events, each bound errs in fewer than 5 % of runs', () => {
  const random = seededRandom(23);
  let tooHigh = 0;
  let tooLow = 0;
  for (let run = 0; run < 400; run++) {
    let state = boundedMean(0.05);
    let high = false;
    let low = false;
    for (let n = 0; n < 2000; n++) {
      state = addBounded(state, random.chance(0.02) ? 1 : 0);
      const { lower, upper } = boundedMeanBounds(state);
      high ||= lower > 0.02;
      low ||= upper < 0.02;
    }
    if (high) tooHigh++;
    if (low) tooLow++;
  }
  // 20 of 400 allowed, with three binomial deviations.
  assert.ok(tooHigh <= 33 && tooLow <= 33, `${tooHigh} and ${tooLow} of 400`);
});

test('a value outside [0, 1] is refused', () => {
  assert.throws(() => addBounded(boundedMean(0.05), 1.2), RangeError);
});
