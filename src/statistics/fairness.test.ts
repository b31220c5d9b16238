import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, published } from '../../tests/fixtures/statistics/golden.ts';
import { countGroups, fairnessGap, type GroupCounts } from './fairness.ts';
import { seededRandom } from './seeded-random.ts';

const compas = published['ProPublica COMPAS, groups by race (fairlearn)'];
const counts = new Map(
  Object.entries(compas.counts).map(([group, { rows, positives, rate, selectionRate }]): [string, GroupCounts] => [
    group,
    { rows, positives, selected: Math.round(selectionRate * rows), found: Math.round(rate * positives) },
  ]),
);

test('gaps between the COMPAS groups are fairlearn’s', () => {
  const everyone = { minRows: 1, minTrials: 1 };
  const opportunity = fairnessGap('equal_opportunity_difference', counts, everyone).gap;
  assertClose(opportunity?.value, compas.equalOpportunity);
  assert.equal(opportunity?.highest, 'Native American');
  assert.equal(opportunity?.lowest, 'Other');
  assertClose(fairnessGap('demographic_parity_difference', counts, everyone).gap?.value, compas.demographicParity);
});

test('18 people do not drive the gap, and are listed', () => {
  const { gap, groups } = fairnessGap('demographic_parity_difference', counts, { minRows: 100 });
  assertClose(gap?.value, compas.demographicParityFrom100Rows);
  assert.deepEqual(
    groups.filter(({ tooSmall }) => tooSmall).map(({ group }) => group),
    ['Asian', 'Native American'],
  );
});

test('a group without positives has no rate and one group has no gap', () => {
  const two = new Map([
    ['a', { rows: 50, positives: 0, selected: 5, found: 0 }],
    ['b', { rows: 50, positives: 20, selected: 5, found: 4 }],
  ]);
  const { gap, groups } = fairnessGap('equal_opportunity_difference', two, { minTrials: 0 });
  assert.equal(gap, undefined);
  assert.equal(groups.find(({ group }) => group === 'a')?.rate, undefined);
});

test('rows are counted by group with the threshold inside', () => {
  const counted = countGroups(
    { group: ['a', 'a', 'b', 'a'], truth: Float64Array.of(1, 1, 0, 0), score: Float64Array.of(0.3, 0.2, 0.9, 0.4) },
    { threshold: 0.3 },
  );
  assert.deepEqual(counted.get('a'), { rows: 3, positives: 2, selected: 2, found: 1 });
  assert.deepEqual(counted.get('b'), { rows: 1, positives: 0, selected: 1, found: 0 });
});

test('equal groups are proved unequal in fewer than 5 %, and proved within their true gap in fewer than 5 %', () => {
  const random = seededRandom(5);
  const draw = (rates: readonly number[]) =>
    new Map(
      rates.map((rate, i): [string, GroupCounts] => {
        let selected = 0;
        for (let k = 0; k < 200; k++) if (random.chance(rate)) selected++;
        return [`group ${i}`, { rows: 200, positives: 0, selected, found: 0 }];
      }),
    );
  let unequal = 0;
  let within = 0;
  const runs = 1000;
  for (let run = 0; run < runs; run++) {
    if ((fairnessGap('demographic_parity_difference', draw([0.3, 0.3, 0.3, 0.3, 0.3])).gap?.lower ?? 0) > 0) unequal++;
    if ((fairnessGap('demographic_parity_difference', draw([0.3, 0.35, 0.4])).gap?.upper ?? 1) < 0.1) within++;
  }
  // 50 of 1,000 allowed, with three binomial deviations.
  assert.ok(unequal <= 50 + 21, `${unequal} of ${runs}`);
  assert.ok(within <= 50 + 21, `${within} of ${runs}`);
});

test('the gap does not depend on the order of groups, and lies between 0 and 1 with its bounds around it', () => {
  const group = fc
    .integer({ min: 1, max: 400 })
    .chain((rows) =>
      fc.integer({ min: 0, max: rows }).map((selected): GroupCounts => ({ rows, positives: 0, selected, found: 0 })),
    );
  fc.assert(
    fc.property(fc.array(group, { minLength: 2, maxLength: 6 }), (groups) => {
      const named = groups.map((counted, i): [string, GroupCounts] => [`group ${i}`, counted]);
      const gapOf = (ordered: typeof named) =>
        fairnessGap('demographic_parity_difference', new Map(ordered), { minRows: 1, minTrials: 1 }).gap;
      const gap = gapOf(named);
      const turned = gapOf(named.toReversed());
      assert.ok(gap && turned);
      assertClose(turned.value, gap.value);
      assertClose(turned.lower, gap.lower);
      assertClose(turned.upper, gap.upper);
      assert.ok(gap.lower >= 0 && gap.lower <= gap.value + 1e-12 && gap.value <= gap.upper + 1e-12 && gap.upper <= 1);
    }),
  );
});
