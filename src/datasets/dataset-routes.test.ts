import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestServer } from '../http/test-server.ts';
import { forkWorker } from '../jobs/fork-worker.ts';
import { jobStore } from '../jobs/job-store.ts';
import { operationRoutes } from '../jobs/operation-routes.ts';
import { startJobs } from '../jobs/start-jobs.ts';
import type { TestDatabase } from '../storage/test-databases.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { datasetRoutes } from './dataset-routes.ts';
import { datasetKinds } from './dataset-worker.ts';

const base = '/api/v1/projects/p/datasets/numbers';

async function openHouse(database: TestDatabase) {
  const stack = new AsyncDisposableStack();
  const project = join(database.folder, 'project');
  await mkdir(project);
  const tempFolder = join(database.folder, 'temp');
  const jobs = stack.use(
    await startJobs({
      database,
      spawn: () =>
        forkWorker({
          entry: join(import.meta.dirname, 'fixtures', 'test-worker.ts'),
          env: { ...process.env, TEST_DATA_FOLDER: database.folder },
        }),
      kinds: datasetKinds({
        now: Date.now,
        tempFolder,
        exportEndpoint: async ({ folder, endpoint, lastMs }) =>
          writeFile(join(folder, 'log.csv'), `endpoint,last\n${endpoint},${lastMs}\n`),
      }),
      now: Date.now,
      newId: randomUUID,
      onError: (error) => assert.fail(String(error)),
    }),
  );
  const server = stack.use(await openTestServer());
  await server.register(operationRoutes({ jobs, reads: () => jobStore(database.read) }));
  await server.register(
    datasetRoutes({
      database,
      jobs,
      folder: join(database.folder, 'datasets'),
      readProject: async () => ({
        folder: project,
        data: {
          numbers: { source: 'numbers.csv', checks: [{ column: 'n', min: 0 }] },
          recent: { source: 'endpoint://flights?last=60d' },
        },
      }),
    }),
  );
  const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) => {
    const answer = await server.inject({ method, url, ...(body && { payload: body }) });
    return { status: answer.statusCode, body: answer.json() };
  };
  return {
    project,
    call,
    /** Posts, and waits for the operation as a client does. */
    async work(url: string, body: object = {}) {
      const { status, body: answer } = await call('POST', url, body);
      assert.equal(status, 202, JSON.stringify(answer));
      return (await call('GET', `/api/v1/operations/${answer.operation}?wait=30`)).body;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

eachDatabase((name, open) => {
  test(`${name}: data is added, listed, read and compared over HTTP`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(join(house.project, 'numbers.csv'), 'n\n1\n2\n');
    const first = await house.work(`${base}/versions`);
    assert.deepEqual([first.state, first.result.outcome, first.result.version], ['done', 'added', 1]);
    assert.equal((await house.work(`${base}/versions`)).result.outcome, 'unchanged');
    await writeFile(join(house.project, 'numbers.csv'), 'n,m\n1,a\n2,b\n3,c\n');
    assert.equal((await house.work(`${base}/versions`)).result.version, 2);

    const list = (await house.call('GET', `${base}/versions?limit=1`)).body;
    assert.deepEqual([list.items.length, list.items[0].version, list.next], [1, 2, '2']);
    const version = (await house.call('GET', `${base}/versions/2`)).body;
    assert.deepEqual([version.rows, version.columns.length, version.checks[0].verdict.outcome], [3, 2, 'pass']);
    const files = (await house.call('GET', `${base}/versions/2/files`)).body;
    assert.deepEqual([files.items[0].path, files.items[0].chunks], ['numbers.csv', 1]);
    const diff = (await house.call('GET', `${base}/diff?from=1&to=2`)).body;
    assert.deepEqual([diff.files.changed, diff.rows, diff.columns.added], [['numbers.csv'], { from: 2, to: 3 }, ['m']]);
    assert.deepEqual((await house.call('GET', '/api/v1/projects/p/datasets')).body.items[0].latest, 2);
  });

  test(`${name}: refused data is an outcome with the rows that broke the check`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(join(house.project, 'numbers.csv'), 'n\n1\n-2\n');
    const { state, result } = await house.work(`${base}/versions`);
    assert.deepEqual([state, result.outcome, result.checks[0].samples], ['done', 'refused', [{ row: 2, value: '-2' }]]);
    assert.equal((await house.call('GET', `${base}/versions`)).status, 404);
  });

  test(`${name}: an endpoint's log is written out by the server and becomes a version`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    const { result } = await house.work('/api/v1/projects/p/datasets/recent/versions');
    assert.equal(result.outcome, 'added', JSON.stringify(result));
    const { columns, rows } = (await house.call('GET', '/api/v1/projects/p/datasets/recent/versions/1')).body;
    assert.deepEqual([columns.length, rows], [2, 1]);
  });

  test(`${name}: suggestions come as a list and as text; what is wrong is told with a code`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(join(house.project, 'numbers.csv'), 'n\n1\n2\n');
    const { result } = await house.work(`${base}/infer`);
    assert.match(result.yaml, /\{ column: n, min: 0 \}/);
    const { error } = await house.work(`${base}/versions`, { source: '../secret.csv' });
    assert.equal(error.code, 'datasets/bad-source');
    const unknown = await house.call('POST', '/api/v1/projects/p/datasets/other/versions', {});
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'datasets/not-found']);
    assert.equal((await house.call('GET', '/api/v1/operations/none')).status, 404);
    assert.equal((await house.call('POST', `${base}/versions`, { checks: [{ column: 'n' }] })).status, 400);
  });
});
