import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sequenceEvents } from '../events/event-sequencer-worker.ts';
import { readEvents } from '../events/event-store.ts';
import type { Job } from '../jobs/job.ts';
import type { Alert } from '../monitoring/alert.ts';
import { alertStore } from '../monitoring/alert-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { LogRecord } from '../serving/prediction.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { parseProject } from './project-file.ts';
import { type Executed, type RetrainWorkerDeps, startRetrainWorker } from './retrain-worker.ts';
import { retrainingStore } from './retraining-store.ts';
import type { Shipment } from './shipment.ts';

const day = 86_400_000;
const endpoint: Endpoint = {
  name: 'flights',
  project: 'flights',
  task: 'binary',
  key: 'id',
  time: 'date',
  latencyMs: 100,
  log: 'durable',
};
const project = (retrain: string) =>
  parseProject(`project: flights
pipeline: {train: {run: node train.ts, model: out/model.onnx}}
model: {name: delay, task: binary}
endpoint: {name: flights, key: id, time: date}
monitors: {drift: {}, quality: {metric: auc, atLeast: 0.6}}
retrain: ${retrain}
`);
const onDrift = '{when: [{drift: {features: 2}}], cooldown: 7d, ship: auto}';

eachDatabase((name, open) => {
  test(`${name}: an alert starts the pipeline like the champion's, and its version is shipped`, async () => {
    await using database = await open();
    const world = new World();
    await raise(database, 2);
    await using worker = startRetrainWorker(world.deps(database, onDrift));
    await until(worker, async () => world.executions.length === 1);
    assert.deepEqual(world.executions, [
      { project: 'flights', actor: 'rule:retrain', like: { model: 'delay', version: 2 } },
    ]);
    world.executed = { kind: 'done', version: { model: 'delay', version: 4 } };
    await until(worker, async () => world.shipments.length === 1);
    assert.deepEqual(world.shipments[0]?.version, 4);
    world.job = { state: 'done' };
    await until(worker, async () => (await retrainingStore(database.read).last('flights'))?.state === 'ended');
    // The alert is still open, so the worker may already have told that the cooldown keeps it.
    assert.deepEqual((await eventsOf(database)).slice(0, 2), [
      'lifecycle.retraining-started two features moved',
      'lifecycle.retraining-ended version 4 passed its gates and is being rolled out',
    ]);
  });

  test(`${name}: within the cooldown nothing starts, and that is told once`, async () => {
    await using database = await open();
    const world = new World();
    world.executed = { kind: 'failed', because: 'train exited with 1' };
    await raise(database, 2);
    await using worker = startRetrainWorker(world.deps(database, onDrift));
    await until(worker, async () => (await eventsOf(database)).length === 3);
    world.clock += day;
    for (let i = 0; i < 4; i++) await until(worker, async () => true);
    assert.equal(world.executions.length, 1);
    assert.deepEqual(
      (await eventsOf(database)).map((one) => one.split(' ')[0]),
      ['lifecycle.retraining-started', 'lifecycle.retraining-ended', 'lifecycle.retraining-skipped'],
    );
    world.clock += 7 * day;
    await until(worker, async () => world.executions.length === 2);
  });

  test(`${name}: with approval the shipment asks a person`, async () => {
    await using database = await open();
    const world = new World();
    world.executed = { kind: 'done', version: { model: 'delay', version: 4 } };
    await raise(database, 2);
    await using worker = startRetrainWorker(world.deps(database, onDrift.replace('auto', 'approve')));
    await until(worker, async () => world.shipments.length === 1);
    assert.equal(world.shipments[0]?.consent, true);
  });

  test(`${name}: labels and a schedule on the endpoint's clock start it too`, async () => {
    await using database = await open();
    const world = new World();
    for (let seq = 1; seq <= 10; seq++) {
      world.log.push({
        kind: 'label',
        seq,
        endpoint: 'flights',
        at: 0,
        eventTime: world.clock,
        key: `k${seq}`,
        value: 1,
      });
    }
    await using byLabels = startRetrainWorker(world.deps(database, '{when: [{labels: 10}], cooldown: 0d}'));
    await until(byLabels, async () => world.executions.length === 1);
    await byLabels[Symbol.asyncDispose]();

    await using other = await open();
    const later = new World();
    await using bySchedule = startRetrainWorker(later.deps(other, "{when: [{schedule: '0 3 * * *'}], cooldown: 0d}"));
    await until(bySchedule, async () => true);
    assert.equal(later.executions.length, 0);
  });
});

class World {
  clock = 100 * day;
  executed: Executed = { kind: 'running' };
  job: Partial<Job> = { state: 'running' };
  readonly executions: unknown[] = [];
  readonly shipments: Shipment[] = [];
  readonly log: LogRecord[] = [];

  deps(database: Database, retrain: string): RetrainWorkerDeps {
    let ids = 0;
    const { config, digest } = project(retrain);
    return {
      database,
      endpoints: async () => [endpoint],
      findProject: async (name) => ({ name, folder: '/', config, digest }),
      endpointNow: async () => this.clock,
      championOf: async () => ({ model: 'delay', version: 2 }),
      readLog: async (_, { after, limit }) => this.log.slice(after, after + limit),
      execute: async (request) => {
        this.executions.push(request);
        return { execution: `e${this.executions.length}` };
      },
      executed: async () => this.executed,
      ship: async (shipment) => {
        this.shipments.push(shipment);
        return 'o1';
      },
      operation: async () => this.job as Job, // only its state and error are read
      now: () => ++ids,
      newId: () => `t${++ids}`,
      onError: (error) => {
        throw error;
      },
    };
  }
}

async function raise(database: Database, features: number): Promise<void> {
  const alert: Alert = {
    ...{
      id: 'a1',
      identity: 'flights/drift',
      endpoint: 'flights',
      project: 'flights',
      monitor: 'drift',
      model: 'delay',
      version: 2,
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
  await database.write((tx) => alertStore(tx).insert(alert));
}

async function until(worker: { wake: () => void }, holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    worker.wake();
    await sleep(30);
    if (turn > 2 && (await holds())) return;
  }
  assert.fail('it never came to that');
}

async function eventsOf(database: Database): Promise<readonly string[]> {
  if (database.dialect === 'postgres') await sequenceEvents(database);
  return (await readEvents(database.read, { limit: 100 })).map(({ type, reason }) => `${type} ${reason}`);
}
