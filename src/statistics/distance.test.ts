import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden } from '../../tests/fixtures/statistics/golden.ts';
import {
  greatestShift,
  hellingerDistance,
  jensenShannonDistance,
  ksDistance,
  populationStability,
  wassersteinOfBins,
} from './distance.ts';

test('over Sturges bins the distances are those of Evidently’s formulas', () => {
  const [reference, current] = golden.binned.sturges;
  assertClose(jensenShannonDistance(reference, current, { base: Math.E }), golden.binned.jsNatural);
  assertClose(jensenShannonDistance(reference, current), golden.binned.jsBase2);
  assertClose(populationStability(reference, current, { fill: 1e-4 }), golden.binned.psiFilled);
  assertClose(ksDistance(reference, current), golden.binned.ks);
});

test('over Doane bins of the reference they are those of NannyML', () => {
  const [reference, current] = golden.binned.doane;
  assertClose(jensenShannonDistance(reference, current), golden.binned.jsDoaneBase2);
  assertClose(hellingerDistance(reference, current), golden.binned.hellingerDoane);
});

test('a bin that is empty on one side only makes PSI infinite unless filled', () => {
  assert.equal(populationStability([5, 0, 5], [5, 1, 5]), Number.POSITIVE_INFINITY);
  assert.equal(populationStability([5, 0, 5], [50, 0, 50]), 0);
  assert.ok(populationStability([5, 0, 5], [5, 1, 5], { fill: 1e-4 }) < 1);
});

test('a step to the right costs its width times its mass', () => {
  assertClose(wassersteinOfBins([0, 1, 2], [0, 10, 0, 0], [0, 0, 10, 0]), 1);
  assertClose(wassersteinOfBins([0, 1, 3], [0, 10, 0, 0], [0, 5, 5, 0]), 0.75);
});

test('the cell that moved most is named with its change', () => {
  assert.deepEqual(greatestShift([50, 25, 25], [50, 0, 50]), { cell: 1, change: -0.25 });
});

test('all distances are 0 to itself, the same both ways and for multiples, and within their limits', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 4, maxLength: 4 });
  const methods = {
    ks: ksDistance,
    js: jensenShannonDistance,
    hellinger: hellingerDistance,
    psi: (p: readonly number[], q: readonly number[]) => populationStability(p, q),
  };
  fc.assert(
    fc.property(counts, counts, (p, q) => {
      for (const [name, method] of Object.entries(methods)) {
        assert.equal(method(p, p), 0, name);
        assert.ok(Math.abs(method(p, q) - method(q, p)) < 1e-12, name);
        assert.ok(
          Math.abs(
            method(p, q) -
              method(
                p,
                q.map((n) => 7 * n),
              ),
          ) < 1e-7,
          name,
        );
        if (name !== 'psi') assert.ok(method(p, q) >= 0 && method(p, q) <= 1, name);
      }
    }),
  );
});

test('a side that counts nothing is refused', () => {
  assert.throws(() => ksDistance([1, 2], [0, 0]), /current counts nothing/);
});
