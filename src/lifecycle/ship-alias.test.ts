import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventCursorStore } from '../events/event-cursor-store.ts';
import { startSequencer } from '../events/event-sequencer-worker.ts';
import { eventStore, readEvents } from '../events/event-store.ts';
import { setAlias, setStage } from '../registry/change-version.ts';
import { modelStore } from '../registry/model-store.ts';
import { registerModel } from '../registry/register-model.ts';
import { registerVersion } from '../registry/register-version.ts';
import { versionStore } from '../registry/version-store.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { parseProject } from './project-file.ts';
import { startShipAlias } from './ship-alias-worker.ts';
import type { Shipment } from './shipment.ts';

const file = (project: string, rollout: string) => `
project: ${project}
model: {name: delay, task: binary}
gates: {data: test.parquet, tests: [{metric: auc, atLeast: 0.6}]}
endpoint: {name: ${project}-endpoint}
${rollout}`;

eachDatabase((dialect, open) => {
  async function setUp() {
    const database = await open();
    const sequencer =
      dialect === 'postgres' ? startSequencer({ database, onError: (error) => assert.fail(String(error)) }) : undefined;
    const stores = (tx: Db) => ({
      ...{ models: modelStore(tx), versions: versionStore(tx), events: eventStore(tx), now: () => 1000 },
    });
    const actor = 'user:ada';
    let marks = 0;
    for (const model of ['delay', 'other']) {
      await database.write((tx) => registerModel(stores(tx), { name: model, project: 'p', actor }));
      for (const source of ['s3://b/1', 's3://b/2', 's3://b/3']) {
        await database.write((tx) => registerVersion(stores(tx), { model, source, actor }));
      }
    }
    const projects = [file('flights', 'rollout: {alias: champion}'), file('quiet', '')].map((text) => {
      const { config, digest } = parseProject(text);
      return { name: config.project, folder: '/', config, digest };
    });
    const world = { champion: undefined as VersionRef | undefined, shipments: [] as (Shipment & { actor: string })[] };
    const deps = {
      database,
      projects: async () => projects,
      championOf: async () => world.champion,
      shipments: {
        request: async (
          shipment: Shipment,
          options: { actor: string; gates: boolean; also?: (tx: Db) => Promise<void> },
        ) => {
          assert.equal(options.gates, true);
          if (options.also) await database.write(options.also);
          world.shipments.push({ ...shipment, actor: options.actor });
          return 'operation';
        },
      },
      onError: (error: unknown) => assert.fail(String(error)),
    };
    return {
      world,
      start: () => startShipAlias(deps),
      move: async (alias: string, version: number, model = 'delay') => {
        await database.write((tx) => setAlias(stores(tx), { model, alias, version, actor }));
      },
      stage: (version: number) =>
        database.write((tx) =>
          setStage(stores(tx), { model: 'delay', version, stage: 'Production', archiveOthers: true, actor }),
        ),
      /** Every move so far has its place in the log. @returns the place of the last one */
      logged: async (): Promise<number> => {
        const alias = `mark-${marks++}`;
        await database.write((tx) => setAlias(stores(tx), { model: 'other', alias, version: 1, actor }));
        for (;;) {
          const [last] = await readEvents(database.read, { limit: 1, order: 'newest' });
          if (last?.data.alias === alias) return last.position;
          await delay(5);
        }
      },
      /** Every move up to this place has been looked at. */
      seen: async (position: number) => {
        while ((await eventCursorStore(database.read).find('lifecycle/ship-alias')) < position) await delay(5);
      },
      [Symbol.asyncDispose]: async () => {
        await sequencer?.[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  }

  test(`${dialect}: moving the alias that a project names ships the version, once, for whoever moved it`, async () => {
    await using set = await setUp();
    {
      await using _worker = await set.start();
      await set.move('champion', 2);
      await set.move('champion', 2);
      await set.move('other', 3);
      await set.move('champion', 3, 'other');
      await set.stage(3);
      await set.seen(await set.logged());
    }
    const reason = '@champion was moved to version 2';
    const shipped = { project: 'flights', endpoint: 'flights-endpoint', model: 'delay', version: 2, reason };
    assert.deepEqual(set.world.shipments, [{ ...shipped, actor: 'user:ada' }]);
    await using _again = await set.start();
    await set.seen(await set.logged());
    assert.equal(set.world.shipments.length, 1, 'a restart ships nothing again');
  });

  test(`${dialect}: moves from before the first start, and to what serves already, ship nothing`, async () => {
    await using set = await setUp();
    await set.move('champion', 1);
    await set.move('champion', 2);
    await set.logged();
    set.world.champion = { model: 'delay', version: 3 };
    await using _worker = await set.start();
    await set.move('champion', 3);
    await set.seen(await set.logged());
    assert.deepEqual(set.world.shipments, []);
  });
});

test('an alias needs a model, and a name that MLflow lets people set', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => parseProject(text), { code: 'lifecycle/invalid-project', message });
  refused('project: p\nendpoint: {name: e}\nrollout: {alias: champion}', /an alias is one of a model/);
  refused(file('p', 'rollout: {alias: v3}'), /v3 cannot be an alias/);
  refused(file('p', 'rollout: {alias: "a b"}'), /rondo.yaml:6:/);
});
