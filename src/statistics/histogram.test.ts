import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, driftCurrent, driftReference } from '../../tests/fixtures/statistics/golden.ts';
import { ksDistance } from './distance.ts';
import {
  type Bins,
  fineEdges,
  histogramOf,
  mergeHistograms,
  missingCount,
  presentCounts,
  topCategories,
  totalCount,
} from './histogram.ts';
import { ksTest } from './two-sample.ts';

const ages: Bins = { kind: 'numeric', edges: [18, 65] };

test('an edge belongs to the bin below it, outliers to the open ends, and NaN is missing', () => {
  const values = [18, 18.5, 65, 65.1, Number.POSITIVE_INFINITY, -1e300, Number.NaN, null, undefined, ''];
  assert.deepEqual(histogramOf(ages, values).counts, [2, 2, 2, 4]);
});

test('unknown categories count as other, numbers and booleans by their name', () => {
  const bins: Bins = { kind: 'categorical', categories: ['ATL', '7', 'true'] };
  const histogram = histogramOf(bins, ['ATL', 7, true, 'ORD', null, '']);
  assert.deepEqual(histogram.counts, [1, 1, 1, 2, 1]);
  assert.equal(missingCount(histogram), 1);
  assert.deepEqual(presentCounts(histogram), [1, 1, 1, 2]);
});

test('counting parts and adding is counting the whole', () => {
  const values = fc.array(fc.oneof(fc.double(), fc.constant(null)));
  fc.assert(
    fc.property(values, values, (a, b) => {
      const merged = mergeHistograms(histogramOf(ages, a), histogramOf(ages, b));
      assert.deepEqual(merged, histogramOf(ages, [...a, ...b]));
      assert.equal(totalCount(merged), a.length + b.length);
    }),
  );
});

test('histograms over different bins do not add up', () => {
  const other: Bins = { kind: 'numeric', edges: [18, 66] };
  assert.throws(() => mergeHistograms(histogramOf(ages, []), histogramOf(other, [])), RangeError);
});

test('fine edges part the values evenly, and heavy ties give fewer', () => {
  const edges = fineEdges(
    Array.from({ length: 1000 }, (_, i) => i / 7),
    10,
  );
  const { counts } = histogramOf(
    { kind: 'numeric', edges },
    Array.from({ length: 1000 }, (_, i) => i / 7),
  );
  assert.deepEqual(counts, [100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 0]);
  assert.ok(
    fineEdges([...new Array<number>(900).fill(0), ...Array.from({ length: 100 }, (_, i) => i + 1)], 10).length < 9,
  );
});

test('few distinct values become the edges themselves, so that the distance over bins is the exact one', () => {
  assert.deepEqual(fineEdges([3, 1, 1, 2, Number.NaN], 50), [1, 2, 3]);
  const edges = fineEdges([...driftReference, ...driftCurrent], 500);
  const bins: Bins = { kind: 'numeric', edges };
  const binned = ksDistance(histogramOf(bins, driftReference).counts, histogramOf(bins, driftCurrent).counts);
  assertClose(binned, ksTest(driftReference, driftCurrent).distance);
});

test('distances over bins of the reference never exceed the exact one', () => {
  const sample = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 5, maxLength: 80 });
  fc.assert(
    fc.property(sample, sample, (reference, current) => {
      const bins: Bins = { kind: 'numeric', edges: fineEdges(reference, 20) };
      const binned = ksDistance(histogramOf(bins, reference).counts, histogramOf(bins, current).counts);
      assert.ok(binned <= ksTest(reference, current).distance + 1e-12);
    }),
  );
});

test('the most frequent categories are kept, ties by name', () => {
  assert.deepEqual(topCategories(['b', 'a', 'c', 'c', null, 'b', 'a', 'd'], 3), ['a', 'b', 'c']);
});
