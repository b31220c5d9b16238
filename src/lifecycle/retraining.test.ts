import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from '../monitoring/alert.ts';
import { retrainPlan } from './retrain-config.ts';
import { decideRetraining, type RetrainSituation } from './retraining.ts';

const day = 86_400_000;
const plan = retrainPlan({
  when: [{ drift: { features: 2 } }, { quality: 'fail' }, { schedule: '0 3 * * 1' }, { labels: 1000 }],
  cooldown: '7d',
  ship: 'auto',
});
const quiet: RetrainSituation = {
  plan,
  clock: 100 * day,
  openAlerts: [],
  newLabels: 0,
  due: [],
  last: undefined,
  rolloutRunning: false,
};

function alert(monitor: Alert['monitor'], features: number): Alert {
  return {
    ...{
      id: 'a1',
      identity: `flights/${monitor}`,
      endpoint: 'flights',
      project: 'flights',
      model: 'delay',
      version: 2,
      monitor,
    },
    ...{
      severity: 'ticket',
      state: 'open',
      title: 'two features moved',
      openedAt: 0,
      openedClock: 0,
      lastSeenClock: 0,
      evidence: {},
    },
    items: Array.from({ length: features }, (_, i) => ({ name: `x${i}`, says: '' })),
  };
}

test('nothing happens without a trigger', () => {
  assert.deepEqual(decideRetraining(quiet), { kind: 'nothing' });
});

test('drift starts it when enough features moved, and its evidence goes along', () => {
  assert.equal(decideRetraining({ ...quiet, openAlerts: [alert('drift', 1)] }).kind, 'nothing');
  const decision = decideRetraining({ ...quiet, openAlerts: [alert('drift', 2)] });
  assert.equal(decision.kind, 'start');
  assert.equal(decision.kind === 'start' && decision.evidence.alert, 'a1');
});

test('a quality alert, a schedule and enough labels start it too', () => {
  assert.equal(decideRetraining({ ...quiet, openAlerts: [alert('quality', 1)] }).kind, 'start');
  assert.equal(decideRetraining({ ...quiet, due: ['0 3 * * 1'] }).kind, 'start');
  assert.equal(decideRetraining({ ...quiet, newLabels: 999 }).kind, 'nothing');
  assert.equal(decideRetraining({ ...quiet, newLabels: 1000 }).kind, 'start');
});

test('within the cooldown it is skipped with the reason, after it the same alert may start it again', () => {
  const openAlerts = [alert('drift', 2)];
  const last = { startedClock: 95 * day, state: 'ended' } as const;
  const skipped = decideRetraining({ ...quiet, openAlerts, last });
  assert.deepEqual(skipped, {
    kind: 'skip',
    trigger: 'alert a1',
    because: 'the last one began 5 d ago, the cooldown is 7 d',
  });
  assert.equal(decideRetraining({ ...quiet, openAlerts, last: { ...last, startedClock: 93 * day } }).kind, 'start');
});

test('a rollout under way comes first, and a running retraining is not doubled', () => {
  const openAlerts = [alert('drift', 2)];
  assert.equal(decideRetraining({ ...quiet, openAlerts, rolloutRunning: true }).kind, 'skip');
  const last = { startedClock: 0, state: 'training' } as const;
  assert.equal(decideRetraining({ ...quiet, openAlerts, last }).kind, 'nothing');
});
