import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoggedEvent } from '../events/event.ts';
import { type DeliveryFact, measureDelivery } from './delivery.ts';
import { factsOf } from './delivery-facts.ts';

const clock = (text: string) => Date.parse(`2026-03-02T${text}Z`);
const fact = (kind: DeliveryFact['kind'], time: string): DeliveryFact => ({
  kind,
  version: 'fraud@3',
  at: clock(time),
});
const week = { from: clock('00:00:00'), to: clock('00:00:00') + 7 * 86_400_000 };

test('the worked example: two hours to production, of which ninety minutes are people; back in 0.8 s', () => {
  const measured = measureDelivery(
    [
      fact('registered', '10:00:00'),
      fact('gates-passed', '10:05:00'),
      fact('approval-asked', '10:05:00'),
      fact('approved', '11:35:00'),
      fact('loaded', '11:36:00'),
      fact('exposed', '11:36:30'),
      fact('live', '12:06:30'),
      fact('harm-began', '14:58:00'),
      fact('harm-seen', '15:00:00'),
      fact('rollback-asked', '15:00:02'),
      fact('rollback-effective', '15:00:02.800'),
    ],
    week,
  );
  const [time] = measured.timeToProduction.each;
  assert.equal(time?.total, ((2 * 60 + 6) * 60 + 30) * 1000);
  assert.deepEqual(time?.parts, { gates: 300_000, people: 5_400_000, load: 60_000, ramp: 1_830_000 });
  assert.deepEqual(measured.rollbacks, [
    { version: 'fraud@3', wasLive: true, detection: 120_000, rollback: 800, recovery: 2800, fromHarm: 122_800 },
  ]);
  assert.equal(measured.failRate, 1);
  assert.equal(measured.perWeek, 1);
});

test('a version that was stopped on the way is caught, not failed, and is counted as never live', () => {
  const measured = measureDelivery([fact('registered', '10:00:00'), fact('rollback-effective', '11:00:00')], week);
  assert.equal(measured.caught, 1);
  assert.equal(measured.failed, 0);
  assert.equal(measured.neverLive, 1);
  assert.equal(measured.failRate, undefined);
});

test('the log tells the facts: a rollout that failed, and a way back by hand', () => {
  let position = 0;
  const event = (type: string, subject: string, at: number, data: LoggedEvent['data']): LoggedEvent => ({
    ...{ type, subject, at, data, project: 'flights', actor: 'owner', position: ++position },
  });
  const v1 = { model: 'delay', version: 1 };
  const v2 = { model: 'delay', version: 2 };
  const facts = factsOf([
    event('registry.version-registered', 'model/delay/1', 1, {}),
    event('serving.traffic-set', 'endpoint/flights', 2, { champion: v1 }),
    event('rollouts.promoted', 'rollout/a', 2, v1),
    event('registry.version-registered', 'model/delay/2', 3, {}),
    event('gates.decided', 'model/delay/2', 4, { outcome: 'pass' }),
    event('rollouts.step-entered', 'rollout/b', 5, { ...v2, share: 0.01 }),
    event('serving.traffic-set', 'endpoint/flights', 6, { champion: v2, previous: v1 }),
    event('rollouts.promoted', 'rollout/b', 6, v2),
    event('serving.traffic-set', 'endpoint/flights', 9, { champion: v1, previous: v2 }),
    event('rollouts.rolled-back', 'rollout/c', 20, { model: 'delay', version: 3, decidedAt: 18, swappedAt: 19 }),
  ]);
  const measured = measureDelivery(facts, { from: 0, to: 20 });
  assert.deepEqual(
    measured.timeToProduction.each.map(({ version, total }) => [version, total]),
    [
      ['delay@1', 1],
      ['delay@2', 3],
    ],
  );
  assert.deepEqual(measured.rollbacks, [
    { version: 'delay@2', wasLive: true, rollback: 0 },
    { version: 'delay@3', wasLive: false, rollback: 1, recovery: 1 },
  ]);
});
