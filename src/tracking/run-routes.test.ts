import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { columnsModel } from '../../tests/fixtures/onnx/tiny-models.ts';
import { eventStore } from '../events/event-store.ts';
import { startServer } from '../http/server.ts';
import { openTestServer } from '../http/test-server.ts';
import { openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { RunJob } from '../jobs/job.ts';
import { openArtifactFolder } from '../storage/artifact-folder.ts';
import { artifactPlaces } from '../storage/artifact-places.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase, type OpenTestDatabase } from '../storage/test-databases.ts';
import { createExperiment } from './create-experiment.ts';
import { createRun } from './create-run.ts';
import { experimentStore } from './experiment-store.ts';
import { logBatch } from './log-batch.ts';
import { loggedModelStore } from './logged-model-store.ts';
import type { Metric } from './metric.ts';
import { metricStore } from './metric-store.ts';
import { runRoutes } from './run-routes.ts';
import { runStore } from './run-store.ts';
import { previewHandlers, previewTableWith } from './table-preview-worker.ts';

const stores = (tx: Db) => ({
  experiments: experimentStore(tx),
  runs: runStore(tx),
  metrics: metricStore(tx),
  loggedModels: loggedModelStore(tx),
  events: eventStore(tx),
  now: () => 1_000,
  newId: () => randomUUID().replaceAll('-', ''),
  random: () => 0.5,
});

/** The handler in this process; that jobs carry input and output unchanged is the claim of the tests of jobs/. */
const runHere: RunJob = async <Output>(kind: string, input: unknown, options: { signal?: AbortSignal } = {}) => {
  const signal = options.signal ?? new AbortController().signal;
  const context = { signal, progress() {}, log() {}, startGroup: <P>(start: () => P) => start() };
  return structuredClone((await previewHandlers()[kind]?.(structuredClone(input) as never, context)) as Output);
};

async function setUp(open: OpenTestDatabase) {
  const database = await open();
  const root = await openArtifactFolder(join(database.folder, 'files'));
  const tempFolder = join(database.folder, 'tmp');
  const app = await openTestServer();
  await app.register(
    runRoutes({ database, artifacts: artifactPlaces(root), previewTable: previewTableWith(runHere), tempFolder }),
  );
  const run = await database.write(async (tx) => {
    const experimentId = await createExperiment(stores(tx), {
      ...{ name: 'flights', project: 'p', actor: 'owner', artifactRoot: 'mlflow-artifacts:/' },
    });
    return createRun(stores(tx), { experimentId, actor: 'owner', name: 'r', startTime: 0 });
  });
  return {
    ...{ database, app, root, tempFolder, run },
    log: (metrics: readonly Metric[]) =>
      database.write((tx) => logBatch(stores(tx), { runId: run.id, metrics, params: [], tags: [] })),
    get: async (path: string) => {
      const answer = await app.inject({ url: `/api/v1/runs/${run.id}${path}`, headers: { host: 'localhost' } });
      // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, which the assertions check
      return { status: answer.statusCode, body: answer.json() as any };
    },
    put: (path: string, bytes: Uint8Array) =>
      root.put(`${run.artifactUri.replace('mlflow-artifacts:/', '')}/${path}`.replace(/^\//, ''), bytes),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

const series = (count: number, value: (step: number) => number, at = (step: number) => 1_000 + 10 * step) =>
  Array.from({ length: count }, (_, step) => ({ key: 'train/loss', value: value(step), timestamp: at(step), step }));

eachDatabase((dialect, open) => {
  test(`${dialect}: a thinned series keeps every spike, its last point, and counts all points`, async () => {
    await using page = await setUp(open);
    await page.log(series(1000, (step) => (step === 503 ? 99 : step === 77 ? -99 : 1)));
    const { body } = await page.get('/series?key=train/loss&buckets=10');
    assert.equal(body.width, 100);
    assert.equal(body.points.length, 10);
    assert.deepEqual(body.points[9], { step: 999, at: 10_990, points: 100, value: 1 });
    assert.deepEqual([body.points[0].min, body.points[0].max], [-99, 1]);
    assert.deepEqual([body.points[5].min, body.points[5].max, body.points[5].value], [1, 99, 1.98]);
    assert.equal(
      body.points.reduce((sum: number, { points }: { points: number }) => sum + points, 0),
      1000,
    );
  });

  test(`${dialect}: a range is read at a finer width, down to single steps, by step and by time`, async () => {
    await using page = await setUp(open);
    await page.log(series(1000, (step) => step));
    const steps = (await page.get('/series?key=train/loss&buckets=10&from=100&to=104')).body;
    assert.equal(steps.width, 1);
    assert.deepEqual(
      steps.points.map(({ value }: { value: number }) => value),
      [100, 101, 102, 103, 104],
    );
    const times = (await page.get('/series?key=train/loss&axis=time&buckets=10&from=2000&to=2040')).body;
    assert.equal(times.width, 5);
    assert.deepEqual(
      times.points.map(({ step, at }: { step: number; at: number }) => [step, at]),
      [100, 101, 102, 103, 104].map((step) => [step, 1_000 + 10 * step]),
    );
    assert.deepEqual((await page.get('/series?key=train/loss&from=5000')).body.points, []);
    assert.deepEqual((await page.get('/series?key=other')).body.points, []);
  });

  test(`${dialect}: NaN and infinities are counted, and never take part in a mean`, async () => {
    await using page = await setUp(open);
    const odd = [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3];
    await page.log(series(5, (step) => odd[step] ?? 0));
    const at = (step: number) => ({ step, at: 1_000 + 10 * step, points: 1 });
    const { points } = (await page.get('/series?key=train/loss&buckets=100')).body;
    assert.deepEqual(points, [
      { ...at(0), value: 1 },
      { ...at(1), nan: 1 },
      { ...at(2), above: 1 },
      { ...at(3), below: 1 },
      { ...at(4), value: 3 },
    ]);
  });

  test(`${dialect}: steps at both ends of 64 bits are one series like any other`, async () => {
    await using page = await setUp(open);
    const ends = [-(2n ** 63n), 0n, 2n ** 63n - 1n];
    await page.log(ends.map((step, value) => ({ key: 'train/loss', value, timestamp: 1, step })));
    const { status, body } = await page.get('/series?key=train/loss&buckets=10');
    assert.equal(status, 200);
    assert.deepEqual(
      body.points.map(({ value }: { value: number }) => value),
      [0, 1, 2],
    );
  });

  test(`${dialect}: who follows a run hears that it logged, once for many commits, and not of other runs`, async () => {
    await using page = await setUp(open);
    const other = await page.database.write((tx) =>
      createRun(stores(tx), { experimentId: page.run.experimentId, actor: 'owner', name: 'other', startTime: 0 }),
    );
    const { url } = await startServer(page.app, { host: '127.0.0.1', port: 0 });
    const response = await fetch(`${url}/api/v1/metrics/stream?runs=${page.run.id}`);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const reader = (response.body ?? assert.fail('no body')).pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, 'retry: 2000\n\n');
    const [point] = series(1, () => 1);
    await page.database.write((tx) =>
      logBatch(stores(tx), { runId: other.id, metrics: point ? [point] : [], params: [], tags: [] }),
    );
    for (let step = 0; step < 5; step += 1) await page.log([{ key: 'train/loss', value: 1, timestamp: 1, step }]);
    assert.equal((await reader.read()).value, `data: {"runs":["${page.run.id}"]}\n\n`);
    await reader.cancel();
    const signal = AbortSignal.timeout(10_000);
    const head = await fetch(`${url}/api/v1/metrics/stream?runs=${page.run.id}`, { method: 'HEAD', signal });
    assert.equal(head.status, 200);
  });

  test(`${dialect}: a preview tells the graph of an ONNX file and the first rows of a table`, async () => {
    await using page = await setUp(open);
    await page.put('model/model.onnx', columnsModel());
    await page.put('broken.onnx', Buffer.from('not a model'));
    await page.put('notes.txt', Buffer.from('hello'));
    await page.put('broken.parquet', Buffer.from('not a table at all'));
    {
      using db = await openDuckDb({ folders: [page.database.folder], tempFolder: page.tempFolder });
      const rows = `SELECT range AS n, CASE WHEN range = 1 THEN NULL ELSE 'row ' || range END AS "the name" FROM range(250)`;
      await db.connection.run(`COPY (${rows}) TO '${join(page.database.folder, 'made.parquet')}' (FORMAT parquet)`);
    }
    await page.put('rows.parquet', await readFile(join(page.database.folder, 'made.parquet')));

    const graph = (await page.get('/artifacts/preview?path=model/model.onnx')).body;
    assert.equal(graph.kind, 'onnx');
    assert.ok(graph.operators.length > 0 && graph.inputs.length > 0 && graph.opsets.length > 0);
    assert.equal(
      graph.nodes,
      graph.operators.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0),
    );
    const broken = (await page.get('/artifacts/preview?path=broken.onnx')).body;
    assert.equal(broken.findings[0].code, 'onnx/malformed');

    const table = (await page.get('/artifacts/preview?path=rows.parquet')).body;
    assert.equal(table.rows, 250);
    assert.deepEqual(table.columns, [
      { name: 'n', type: 'BIGINT' },
      { name: 'the name', type: 'VARCHAR' },
    ]);
    assert.equal(table.items.length, 100);
    assert.deepEqual(table.items[1], ['1', null]);

    for (const [path, status] of [
      ['broken.parquet', 400],
      ['notes.txt', 400],
      ['absent.onnx', 404],
      ['../../secret.onnx', 400],
    ] as const) {
      assert.equal((await page.get(`/artifacts/preview?path=${path}`)).status, status, path);
    }
    const listed = (await page.get('/artifacts?path=model')).body.items;
    assert.deepEqual(
      listed.map(({ path }: { path: string }) => path),
      ['model/model.onnx'],
    );
    assert.equal((await page.get('/artifacts?model=m-none')).status, 404);
  });
});
