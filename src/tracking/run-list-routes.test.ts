import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventStore } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase, type OpenTestDatabase } from '../storage/test-databases.ts';
import { createRun } from './create-run.ts';
import { experimentRoutes } from './experiment-routes.ts';
import { experimentStore } from './experiment-store.ts';
import { logBatch } from './log-batch.ts';
import { logInputs } from './log-inputs.ts';
import { loggedModelStore } from './logged-model-store.ts';
import { metricStore } from './metric-store.ts';
import { runInputStore } from './run-input-store.ts';
import { runListRoutes } from './run-list-routes.ts';
import { runStore } from './run-store.ts';

const now = () => 1_000;
const stores = (tx: Db) => ({
  experiments: experimentStore(tx),
  runs: runStore(tx),
  metrics: metricStore(tx),
  loggedModels: loggedModelStore(tx),
  inputs: runInputStore(tx),
  events: eventStore(tx),
  now,
  newId: () => randomUUID().replaceAll('-', ''),
  random: () => 0.5,
});

type NewRun = {
  readonly name: string;
  readonly depth?: string;
  readonly auc?: number;
  readonly parent?: string;
  readonly dataset?: string;
};

async function setUp(open: OpenTestDatabase) {
  const database = await open();
  const app = await openTestServer();
  await app.register(experimentRoutes({ database, artifactRoot: 'mlflow-artifacts:/', now }));
  await app.register(runListRoutes({ database, now }));
  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: object) => {
    const answer = await app.inject({
      method,
      url,
      headers: { host: 'localhost' },
      ...(body === undefined ? {} : { payload: body }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, which the assertions check
    return { status: answer.statusCode, body: (answer.body === '' ? {} : answer.json()) as any };
  };
  const { id: experiment } = (await call('POST', '/api/v1/experiments', { name: 'flights' })).body;
  let startTime = 0;
  return {
    database,
    call,
    experiment: String(experiment),
    names: async (query: string) => {
      const { body } = await call('GET', `/api/v1/runs?experiment=${experiment}&${query}`);
      return (body.items as { name: string }[]).map(({ name }) => name).join(' ');
    },
    add: ({ name, depth, auc, parent, dataset }: NewRun) =>
      database.write(async (tx) => {
        startTime += 10;
        const tags = parent === undefined ? [] : [{ key: 'mlflow.parentRunId', value: parent }];
        const { id } = await createRun(stores(tx), {
          experimentId: String(experiment),
          actor: 'owner',
          name,
          startTime,
          tags,
        });
        await logBatch(stores(tx), {
          runId: id,
          metrics: auc === undefined ? [] : [{ key: 'auc', value: auc, timestamp: 1, step: 0 }],
          params: depth === undefined ? [] : [{ key: 'depth', value: depth }],
          tags: [],
        });
        if (dataset !== undefined) {
          const source = { name: dataset, digest: 'd1', sourceType: 'local', source: 'x' };
          await logInputs(stores(tx), id, { datasets: [{ dataset: source, tags: [] }], models: [] });
        }
        return id;
      }),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

eachDatabase((dialect, open) => {
  test(`${dialect}: runs stand under their parents to any depth, and rise when a parent is deleted`, async () => {
    await using list = await setUp(open);
    const sweep = await list.add({ name: 'sweep' });
    const fold = await list.add({ name: 'fold', parent: sweep });
    await list.add({ name: 'part', parent: fold });
    await list.add({ name: 'alone' });
    const { body } = await list.call('GET', `/api/v1/runs?experiment=${list.experiment}&top=true&total=true`);
    assert.deepEqual(
      body.items.map((run: { name: string; children: number }) => [run.name, run.children]),
      [
        ['alone', 0],
        ['sweep', 1],
      ],
    );
    assert.equal(body.total, 2);
    assert.equal(await list.names(`parent=${sweep}`), 'fold');
    assert.equal(await list.names(`parent=${fold}`), 'part');
    assert.equal((await list.call('POST', '/api/v1/runs/delete', { runs: [sweep] })).status, 204);
    assert.equal(await list.names('top=true'), 'alone fold');
    assert.equal(await list.names('deleted=true'), 'sweep');
  });

  test(`${dialect}: a table jumps anywhere, and stands still while runs arrive`, async () => {
    await using list = await setUp(open);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await list.add({ name });
    assert.equal(await list.names('offset=3&limit=1'), 'b');
    await list.add({ name: 'late' });
    assert.equal(await list.names('startedUntil=50&offset=0&limit=2'), 'e d');
    assert.equal(await list.names('startedAfter=50'), 'late');
    const { body } = await list.call(
      'GET',
      `/api/v1/runs?experiment=${list.experiment}&startedAfter=20&total=true&limit=1`,
    );
    assert.equal(body.total, 4);
  });

  test(`${dialect}: groups count the runs with a value and those without, and tell the spread of a metric`, async () => {
    await using list = await setUp(open);
    await list.add({ name: 'a', depth: '4', auc: 0.5, dataset: 'may' });
    await list.add({ name: 'b', depth: '4', auc: 0.75, dataset: 'june' });
    await list.add({ name: 'c', depth: '8', auc: Number.NaN, dataset: 'june' });
    await list.add({ name: 'd' });
    const groups = async (query: string) => {
      const { body } = await list.call('GET', `/api/v1/runs/groups?experiment=${list.experiment}&${query}`);
      return body.items;
    };
    assert.deepEqual(await groups('by=params.depth&metrics=auc'), [
      { value: '4', runs: 2, lastStartedAt: 20, metrics: { auc: { min: 0.5, max: 0.75, mean: 0.625, runs: 2 } } },
      { value: '8', runs: 1, lastStartedAt: 30, metrics: {} },
      { runs: 1, lastStartedAt: 40, metrics: {} },
    ]);
    assert.equal(await list.names('groupedBy=params.depth&group=4'), 'b a');
    assert.equal(await list.names('groupedBy=params.depth'), 'd');
    assert.deepEqual(
      (await groups('by=dataset.name&filter=metrics.auc > 0')).map((group: { value: string; runs: number }) => [
        group.value,
        group.runs,
      ]),
      [
        ['june', 1],
        ['may', 1],
      ],
    );
    assert.equal(await list.names('groupedBy=dataset.name&group=june'), 'c b');
    assert.equal((await groups('by=attributes.status')).length, 1);
    assert.equal((await groups('by=model')).length, 1);
    const refused = await list.call('GET', '/api/v1/runs/groups?by=metrics.auc');
    assert.deepEqual([refused.status, refused.body.code], [400, 'tracking/invalid']);
  });

  test(`${dialect}: the keys are those of the experiment's own runs`, async () => {
    await using list = await setUp(open);
    await list.add({ name: 'a', depth: '4', auc: 0.5 });
    const other = (await list.call('POST', '/api/v1/experiments', { name: 'other' })).body.id;
    assert.deepEqual((await list.call('GET', `/api/v1/runs/keys?experiment=${list.experiment}`)).body, {
      metrics: ['auc'],
      params: ['depth'],
      tags: ['mlflow.runName'],
    });
    assert.deepEqual((await list.call('GET', `/api/v1/runs/keys?experiment=${other}`)).body, {
      metrics: [],
      params: [],
      tags: [],
    });
    assert.deepEqual((await list.call('GET', '/api/v1/runs/keys')).body.metrics, ['auc']);
  });

  test(`${dialect}: tags of several runs change together or not at all`, async () => {
    await using list = await setUp(open);
    const runs = [await list.add({ name: 'a' }), await list.add({ name: 'b' })];
    const patch = (body: object) => list.call('PATCH', '/api/v1/runs', body);
    assert.equal((await patch({ runs, tags: { team: 'blue', 'mlflow.runName': 'same' } })).status, 204);
    assert.equal(await list.names("filter=tags.team = 'blue'"), 'same same');
    const missing = await patch({ runs: [...runs, 'nobody'], tags: { team: 'red' } });
    assert.deepEqual([missing.status, missing.body.code], [404, 'tracking/run-not-found']);
    assert.equal(await list.names("filter=tags.team = 'red'"), '');
    assert.equal((await patch({ runs, tags: { team: null } })).status, 204);
    assert.equal(await list.names("filter=tags.team = 'blue'"), '');
    assert.equal((await patch({ runs, tags: { 'a{}': 'x' } })).status, 400);
    assert.equal((await patch({ runs, tags: {} })).status, 400);
    assert.equal((await patch({ runs: [], tags: { a: 'x' } })).status, 400);
  });

  test(`${dialect}: an experiment is renamed, tagged, and goes to the trash with its runs`, async () => {
    await using list = await setUp(open);
    await list.add({ name: 'a' });
    const path = `/api/v1/experiments/${list.experiment}`;
    const changed = await list.call('PATCH', path, { name: 'delays', tags: { team: 'blue' } });
    assert.deepEqual([changed.body.name, changed.body.tags], ['delays', [{ key: 'team', value: 'blue' }]]);
    assert.deepEqual((await list.call('PATCH', path, { name: 'delays', tags: { team: null } })).body.tags, []);
    const { body } = await list.call('GET', '/api/v1/experiments');
    assert.deepEqual(
      body.items.map((one: { name: string; runs: number; lastRunAt: number }) => [one.name, one.runs, one.lastRunAt]),
      [['delays', 1, 10]],
    );
    await list.call('POST', '/api/v1/experiments', { name: 'other' });
    assert.equal((await list.call('PATCH', path, { name: 'other' })).status, 409);
    assert.equal((await list.call('DELETE', path)).status, 204);
    assert.equal((await list.call('DELETE', path)).status, 404);
    assert.equal(await list.names(''), '');
    assert.equal((await list.call('PATCH', path, { name: 'again' })).status, 409);
  });
});
