import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { chiSquaredSurvival } from '../statistics/chi-squared.ts';
import { assign, cohortOf, positionOf, rolledBack, type Traffic } from './traffic.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const one = { model: 'm', version: 1 };
const two = { model: 'm', version: 2 };

test('a position can be recomputed from the first eight bytes of a sha256', () => {
  const digest = createHash('sha256').update('salt:unit-7').digest();
  const exact = Number(digest.readBigUInt64BE(0) >> 11n) / 2 ** 53;
  assert.equal(positionOf('salt', 'unit-7'), exact);
  fc.assert(
    fc.property(fc.string(), fc.string(), (salt, unit) => {
      const at = positionOf(salt, unit);
      assert.ok(at >= 0 && at < 1);
    }),
  );
});

test('nobody leaves the canary when its share grows, nor the control cohort up to a half', () => {
  fc.assert(
    fc.property(position, share, share, (u, first, second) => {
      const [small, large] = [Math.min(first, second), Math.max(first, second)];
      const before = cohortOf(u, small);
      const after = cohortOf(u, large);
      if (before === 'canary') assert.equal(after, 'canary');
      if (before === 'control' && large <= 0.5) assert.equal(after, 'control');
      if (before === 'control') assert.notEqual(after, 'rest');
    }),
  );
});

test('canary and control are of equal size up to a half, and fill everything beyond', () => {
  fc.assert(
    fc.property(share, (w) => {
      const grid = Array.from({ length: 2_000 }, (_, i) => cohortOf((i + 0.5) / 2_000, w));
      const count = (cohort: string) => grid.filter((found) => found === cohort).length;
      assert.ok(Math.abs(count('canary') - w * 2_000) <= 1);
      if (w <= 0.5) assert.ok(Math.abs(count('control') - count('canary')) <= 1);
      else assert.equal(count('rest'), 0);
    }),
  );
});

test('over fresh salts the cohorts have their shares: p-values of the sample ratio are uniform', () => {
  const shares = [0.1, 0.1, 0.8];
  const ps = Array.from({ length: 400 }, (_, salt) => {
    const counts = [0, 0, 0];
    for (let unit = 0; unit < 500; unit++) {
      const cohort = cohortOf(positionOf(`salt-${salt}`, `user-${unit}`), 0.1);
      const place = ['canary', 'control', 'rest'].indexOf(cohort);
      counts[place] = (counts[place] ?? 0) + 1;
    }
    const statistic = counts.reduce(
      (sum, count, i) => sum + (count - 500 * (shares[i] ?? 0)) ** 2 / (500 * (shares[i] ?? 0)),
      0,
    );
    return chiSquaredSurvival(statistic, 2);
  }).sort((a, b) => a - b);
  const distance = Math.max(...ps.map((p, i) => Math.max((i + 1) / 400 - p, p - i / 400)));
  // Kolmogorov's 0.1 % point for n = 400; the salts are fixed, so this either holds or does not.
  assert.ok(distance < 1.95 / Math.sqrt(400), `distance ${distance}`);
});

test('who answers and who mirrors follows from stage and cohort', () => {
  const rollout = { id: 'r', salt: 's', challenger: two, stage: 'canary', share: 0.5 } as const;
  const traffic: Traffic = { generation: 3, champion: one, rollout };
  fc.assert(
    fc.property(fc.string(), (unit) => {
      const cohort = cohortOf(positionOf('s', unit), 0.5);
      const expected =
        cohort === 'canary'
          ? { role: 'challenger', serve: two, mirror: { role: 'control', version: one } }
          : { role: 'control', serve: one, mirror: { role: 'challenger', version: two } };
      assert.deepEqual(assign(traffic, unit), expected);
    }),
  );
  const shadow = { ...traffic, rollout: { ...rollout, stage: 'shadow' } } as const;
  assert.deepEqual(assign(shadow, 'u'), { role: 'champion', serve: one, mirror: { role: 'shadow', version: two } });
  assert.deepEqual(assign({ generation: 1, champion: one }, 'u'), { role: 'champion', serve: one });
  assert.equal(assign({ generation: 0 }, 'u'), undefined);
});

test('the way back leads out of a rollout first, then to the version before, and forward again', () => {
  const rollout = { id: 'r', salt: 's', challenger: two, stage: 'canary', share: 0.5 } as const;
  assert.deepEqual(rolledBack({ generation: 3, champion: one, rollout }), { champion: one });
  assert.deepEqual(rolledBack({ generation: 3, champion: two, previous: one }), { champion: one, previous: two });
  assert.equal(rolledBack({ generation: 3, champion: two }), undefined);
  assert.equal(rolledBack({ generation: 0 }), undefined);
});
