import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden, pairedDays } from '../../tests/fixtures/statistics/golden.ts';
import { addPair, noPairs, type PairedDesign, type PairedSequence, pairedBounds } from './paired-sequence.ts';
import { seededRandom } from './seeded-random.ts';

const design: PairedDesign = { alpha: 0.05 / 3, optimalAt: 2000 };

test('unequal days give the bounds that SciPy’s analysis of variance leads to', () => {
  const pairs = pairedDays.flatMap((differences, day) => differences.map((difference) => ({ day, difference })));
  const bounds = pairedBounds(pairs.reduce<PairedSequence>(addPair, noPairs), design);
  assert.deepEqual([bounds?.pairs, bounds?.days], [370, 5]);
  for (const name of ['value', 'standardError', 'lower', 'upper'] as const)
    assertClose(bounds?.[name], golden.paired[name]);
});

test('says nothing before 100 pairs, nor before the days asked for', () => {
  let state = noPairs;
  for (let i = 0; i < 99; i++) state = addPair(state, { day: 1, difference: i % 2 });
  assert.equal(pairedBounds(state, design), undefined);
  state = addPair(state, { day: 1, difference: 1 });
  assert.equal(pairedBounds(state, design)?.pairs, 100);
  assert.equal(pairedBounds(state, { ...design, minDays: 3 }), undefined);
});

test('days that agree perfectly leave the error of independent pairs, and a little for the prior', () => {
  let state = noPairs;
  for (let day = 0; day < 200; day++) {
    for (let i = 0; i < 10; i++) state = addPair(state, { day, difference: i % 2 === 0 ? 1 : -1 });
  }
  const bounds = pairedBounds(state, design);
  assert.ok(Math.abs(bounds?.value ?? 1) < 1e-12);
  // s² = 10/9 within days over 2,000 pairs.
  assertClose(bounds?.standardError, Math.sqrt(10 / 9 / 2000), 0.001);
});

test('pairs that only repeat their day are worth as many observations as there are days', () => {
  const random = seededRandom(2);
  let state = noPairs;
  for (let day = 0; day < 60; day++) {
    const weather = random.normal();
    for (let i = 0; i < 500; i++) state = addPair(state, { day, difference: weather + 0.1 * random.normal() });
  }
  const error = pairedBounds(state, design)?.standardError ?? 0;
  assert.ok(error > 0.8 / Math.sqrt(60) && error < 1.3 / Math.sqrt(60), `${error}`);
});

test('the order of pairs within and between days does not matter', () => {
  const pair = fc.record({ day: fc.integer({ min: 1, max: 5 }), difference: fc.integer({ min: -20, max: 20 }) });
  fc.assert(
    fc.property(fc.array(pair, { minLength: 100, maxLength: 150 }), (pairs) => {
      const forward = pairedBounds(pairs.reduce<PairedSequence>(addPair, noPairs), design);
      const backward = pairedBounds(pairs.toReversed().reduce<PairedSequence>(addPair, noPairs), design);
      assert.ok(forward && backward);
      assert.ok(Math.abs(forward.lower - backward.lower) < 1e-9 && Math.abs(forward.upper - backward.upper) < 1e-9);
    }),
    { numRuns: 50 },
  );
});

/** Looks every 82 pairs for 15 days of 410. @returns whether each bound was ever on the wrong side of the true mean 0 */
function run(random: ReturnType<typeof seededRandom>, dayDeviation: number) {
  let state = noPairs;
  let above = false;
  let below = false;
  for (let day = 0; day < 15; day++) {
    const weather = dayDeviation * random.normal();
    for (let i = 1; i <= 410; i++) {
      state = addPair(state, { day, difference: weather + random.normal() });
      const bounds = i % 82 === 0 ? pairedBounds(state, design) : undefined;
      above ||= bounds !== undefined && bounds.lower > 0;
      below ||= bounds !== undefined && bounds.upper < 0;
    }
  }
  return { above, below };
}

test('day-clustered pairs err within the 1.7 % allowed, with days as different as any that were measured', () => {
  const random = seededRandom(7);
  for (const dayDeviation of [0, 0.05]) {
    const runs = Array.from({ length: 150 }, () => run(random, dayDeviation));
    const wrong = runs.filter(({ above }) => above).length + runs.filter(({ below }) => below).length;
    // 5 of 300 one-sided looks allowed, with three binomial deviations.
    assert.ok(wrong <= 5 + 7, `${wrong} of 300 at ${dayDeviation}`);
  }
});

test('a plainly broken model is caught within its first day', () => {
  const random = seededRandom(9);
  let state = noPairs;
  let pairs = 0;
  while ((pairedBounds(state, design)?.lower ?? 0) < 0.01) {
    state = addPair(state, { day: 1, difference: 0.6 + 1.2 * random.normal() });
    pairs++;
  }
  assert.ok(pairs < 400, `${pairs} pairs`);
});
