import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, published } from '../../tests/fixtures/statistics/golden.ts';
import { addError, errorRatio, errorRatioP, logEvidence } from './error-ratio.ts';
import { seededRandom } from './seeded-random.ts';

test('10 of 30 errors on a tenth of the traffic give the published evidence', () => {
  let state = errorRatio({ tolerated: 1 });
  for (let i = 0; i < 30; i++) state = addError(state, { onCanary: i < 10, share: 0.1 });
  assertClose(logEvidence(state), published['error ratio, numpy over the 32-point grid'].logEvidence);
});

test('without errors there is no evidence', () => {
  assert.equal(logEvidence(errorRatio({ tolerated: 1 })), 0);
  assert.equal(errorRatioP(errorRatio({ tolerated: 1 })), 1);
});

test('what was crossed once stays crossed', () => {
  let state = errorRatio({ tolerated: 1 });
  for (let i = 0; i < 10; i++) state = addError(state, { onCanary: true, share: 0.1 });
  const p = errorRatioP(state);
  for (let i = 0; i < 40; i++) state = addError(state, { onCanary: false, share: 0.1 });
  assert.equal(errorRatioP(state), p);
});

/** Errors over a ramp of 1, 5, 25 and 50 %, looked at one by one. @returns the number at which the alarm went, or undefined */
function ramp(random: ReturnType<typeof seededRandom>, ratio: number, tolerated: number): number | undefined {
  let state = errorRatio({ tolerated });
  let errors = 0;
  for (const share of [0.01, 0.05, 0.25, 0.5]) {
    for (let i = 0; i < 100; i++) {
      errors++;
      state = addError(state, { onCanary: random.chance((ratio * share) / (ratio * share + 1 - share)), share });
      if (logEvidence(state) >= Math.log(20)) return errors;
    }
  }
  return undefined;
}

test('a sound canary alarms in fewer than 5 % of ramps, though each error is a look', () => {
  const random = seededRandom(31);
  let alarms = 0;
  let atTolerance = 0;
  for (let run = 0; run < 400; run++) {
    if (ramp(random, 1, 1) !== undefined) alarms++;
    if (ramp(random, 1.1, 1.1) !== undefined) atTolerance++;
  }
  assert.ok(alarms <= 33 && atTolerance <= 33, `${alarms} and ${atTolerance} of 400`);
});

test('three times the errors are found in every ramp', () => {
  const random = seededRandom(37);
  for (let run = 0; run < 100; run++) assert.notEqual(ramp(random, 3, 1), undefined);
});

test('the median number of errors to an alarm is the one published, to 15 %', () => {
  const random = seededRandom(43);
  const published = [
    { share: 0.1, ratio: 2, median: 111 },
    { share: 0.1, ratio: 3, median: 35 },
    { share: 0.5, ratio: 2, median: 55 },
    { share: 0.05, ratio: 3, median: 50 },
  ];
  for (const { share, ratio, median } of published) {
    const needed = Array.from({ length: 301 }, () => {
      let state = errorRatio({ tolerated: 1 });
      while (state.peak < Math.log(20) && state.onCanary + state.onControl < 2000) {
        state = addError(state, { onCanary: random.chance((ratio * share) / (ratio * share + 1 - share)), share });
      }
      return state.onCanary + state.onControl;
    }).sort((a, b) => a - b);
    const found = needed[150] ?? 0;
    assert.ok(Math.abs(found - median) <= 0.15 * median + 1, `${found} for ${median} at ${share}, ratio ${ratio}`);
  }
});

test('the evidence does not depend on the order of the errors, and more of them on the canary is more', () => {
  const share = fc.constantFrom(0.05, 0.25, 0.5);
  const errors = fc.array(fc.record({ onCanary: fc.boolean(), share }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(errors, (events) => {
      const of = (ordered: typeof events) => logEvidence(ordered.reduce(addError, errorRatio({ tolerated: 1.1 })));
      assert.ok(Math.abs(of(events) - of(events.toReversed())) < 1e-9);
      assert.ok(of([...events, { onCanary: true, share: 0.5 }]) > of([...events, { onCanary: false, share: 0.5 }]));
    }),
  );
});
