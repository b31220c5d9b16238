import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startSequencer } from '../events/event-sequencer-worker.ts';
import { eventStore } from '../events/event-store.ts';
import { deliveryStore } from '../notify/delivery-store.ts';
import { startDeliveries } from '../notify/delivery-worker.ts';
import { openSecretBox } from '../notify/secret-box-adapter.ts';
import { openReceiver } from '../notify/test-receiver.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { startNotifyWorker } from './notify-worker.ts';
import { parseProject } from './project-file.ts';
import { projectStore } from './project-store.ts';

const file = `project: flights
alerts: [{slack: $SLACK}, {pagerduty: $PAGER, on: page}, {webhook: $HOOK, on: ticket}, {slack: $UNSET, on: ticket}]
`;

const alert = (severity: 'page' | 'ticket', id: string) => ({
  ...{ type: 'monitoring.alert-opened', project: 'flights', subject: `alert/${id}`, actor: 'rule:monitoring', at: 5 },
  data: {
    ...{ endpoint: 'flights', monitor: 'drift', model: 'm', version: 3, severity, state: 'open', items: [] },
    title: 'distance is higher',
  },
});

eachDatabase((name, open) => {
  test(`${name}: an alert goes to the places of its project, by severity, with keys from the environment`, async () => {
    await using receiver = await openReceiver();
    const at = (path: string) => new URL(path, receiver.url).href;
    await using database = await open();
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    await using resources = new AsyncDisposableStack();
    if (database.dialect === 'postgres') resources.use(startSequencer({ database, onError }));
    await database.write(async (tx) => {
      const text = { name: 'flights', folder: '/nowhere', file, digest: 'd', linkedAt: 1, changedAt: 1 };
      await projectStore(tx).save(text);
    });
    const now = () => 1_000_000;
    resources.use(startNotifyWorker({ database, now, onError }));
    resources.use(
      await startDeliveries({
        ...{ database, now, onError, random: Math.random, version: '1', pagerDutyUrl: at('/pager') },
        secrets: await openSecretBox(join(database.folder, 'keys', 'webhooks')),
        policy: { schemes: ['http'], allowPrivateAddresses: true },
        environment: { SLACK: at('/slack'), PAGER: 'a key', HOOK: at('/hook') },
      }),
    );
    await database.write(async (tx) => {
      await eventStore(tx).append(alert('page', 'a'));
      await eventStore(tx).append(alert('ticket', 'b'));
      await eventStore(tx).append({ ...alert('page', 'c'), project: 'not linked' });
      await eventStore(tx).append({
        ...{ ...alert('ticket', 'r'), type: 'rollouts.rolled-back', subject: 'rollout/r', reason: 'it is worse' },
        data: { endpoint: 'flights', model: 'm', version: 4, champion: 3 },
      });
      const approval = { project: 'flights', subject: 'approval/q', at: 6 };
      const change = { endpoint: 'flights', model: 'm', version: 5 };
      await eventStore(tx).append({
        ...{ ...approval, type: 'governance.approval-asked', actor: 'rule:retrain', reason: '3 gates pass' },
        data: { ...change, people: 2 },
      });
      await eventStore(tx).append({
        ...{ ...approval, type: 'governance.approval-granted', actor: 'user:eve' },
        data: { ...change, people: ['ann', 'eve'] },
      });
    });
    const came = await receiver.has(10);
    const bodies = (path: string) => came.filter((one) => one.path === path).map(({ payload }) => payload as object);
    const slack = bodies('/slack').map((body) => (body as { text: string }).text);
    assert.equal(slack.length, 5);
    assert.ok(
      slack.some((text) => /waits for the consent of 2 people\n3 gates pass; rondo approvals grant q/.test(text)),
    );
    assert.deepEqual(bodies('/pager'), [
      {
        ...{ routing_key: 'a key', event_action: 'trigger', dedup_key: 'rondo/alert/a' },
        payload: {
          ...{ summary: 'flights: distance is higher', source: 'flights', severity: 'critical' },
          ...{ timestamp: '1970-01-01T00:00:00.005Z', component: 'm@3', group: 'flights' },
          custom_details: { detail: 'drift of m@3' },
        },
      },
    ]);
    const hooked = bodies('/hook') as { entity: string; action: string; data: { reason: string } }[]; // as webhooks have it
    assert.deepEqual(hooked.map(({ entity, action }) => `${entity}.${action}`).toSorted(), [
      'alert.opened',
      'approval.asked',
      'approval.granted',
      'rollout.rolled_back',
    ]);
    const ended = async () => {
      const all = await deliveryStore(database.read).list({ project: 'flights', limit: 20 });
      return all.length === 14 && all.every(({ state }) => state !== 'waiting') && all;
    };
    let all = await ended();
    for (let tries = 0; !all && tries < 500; tries++) {
      await wait(10);
      all = await ended();
    }
    assert.ok(all);
    assert.ok(all.every(({ body }) => !body.includes('a key')));
    const failed = all.filter(({ state }) => state === 'failed').map(({ attempts }) => attempts[0]?.problem);
    assert.deepEqual(failed, new Array(4).fill('the variable UNSET is not set for the server'));
    assert.deepEqual(errors, []);
  });
});

test('an address that lacks its dollar sign is told where it stands', () => {
  assert.throws(() => parseProject('project: flights\nalerts: [{slack: SLACK_WEBHOOK}]\n'), {
    code: 'lifecycle/invalid-project',
    hint: 'Write an address, or $NAME of an environment variable of the server that holds it.',
  });
});
