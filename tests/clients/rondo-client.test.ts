/** `rondo/client` against the real server, over HTTP. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { openApp } from '../../src/app.ts';
import { connect } from '../../src/client/client.ts';
import { readConfig } from '../../src/config.ts';
import { columnsModel } from '../fixtures/onnx/tiny-models.ts';

const signature = {
  inputs: [
    { name: 'distance', dtype: 'float32', shape: [-1, 1] },
    { name: 'origin', dtype: 'object', shape: [-1, 1] },
  ],
  outputs: [{ name: 'probabilities', dtype: 'float32', shape: [-1, 2] }],
};

test('a run, its metrics, files, data and model arrive, and the model becomes a version', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await using server = await start(join(folder.path, 'data'));
  const client = connect({ url: server.url });
  const notes = join(folder.path, 'notes 100%.txt');
  await writeFile(notes, 'as it was');

  const run = await client.startRun({ experimentName: 'flights', runName: 'first', tags: { team: 'a' } });
  await run.logParams({ depth: 6, learning_rate: 0.1 });
  for (let step = 0; step < 1500; step++) run.logMetric('loss', 1 / (step + 1), { step });
  run.logMetrics({ nothing: Number.NaN, everything: Number.POSITIVE_INFINITY });
  await run.setTag('note', 'é\n"');
  await run.logArtifact(notes, 'plots/a b');
  await run.logInput({ name: 'train', digest: 'abc', source: 'data/train.parquet', context: 'training' });
  const model = await run.logModel({ name: 'm', files: { 'model.onnx': columnsModel() }, signature });
  await run.end();
  const version = await client.registerModel({ name: 'flight-delay', model, runId: run.id });
  assert.deepEqual(version, { name: 'flight-delay', version: 1 });

  const { run: kept } = await server.get(`runs/get?run_id=${run.id}`);
  assert.equal(kept.info.status, 'FINISHED');
  const latest = new Map(kept.data.metrics.map(({ key, value }: { key: string; value: unknown }) => [key, value]));
  assert.deepEqual(
    [latest.get('loss'), latest.get('nothing'), latest.get('everything')],
    [1 / 1500, 'NaN', Number.MAX_VALUE],
  );
  assert.equal(kept.inputs.dataset_inputs[0].dataset.source, '{"uri":"data/train.parquet"}');
  assert.equal(kept.outputs.model_outputs[0].model_id, model.id);
  const { metrics } = await server.get(`metrics/get-history?run_id=${run.id}&metric_key=loss`);
  assert.equal(metrics.length, 1500);
  const { model: logged } = await server.get(`logged-models/${model.id}`);
  assert.equal(logged.info.status, 'LOGGED_MODEL_READY');
  const path = kept.info.artifact_uri.replace('mlflow-artifacts:/', '');
  const file = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${path}/plots/a%20b/notes%20100%25.txt`);
  assert.equal(await file.text(), 'as it was');
});

test('a second start of the experiment finds it, and a run can be continued', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await using server = await start(folder.path);
  const client = connect({ url: server.url });
  const first = await client.startRun({ experimentName: 'flights' });
  await first.end();
  const again = await client.startRun({ runId: first.id });
  await again.logParam('late', true);
  await again.end('KILLED');
  const other = await client.startRun({ experimentName: 'flights', parentRunId: first.id });
  await other.end();
  assert.equal(again.experimentId, other.experimentId);
  const { run } = await server.get(`runs/get?run_id=${first.id}`);
  assert.equal(run.info.status, 'KILLED');
  assert.deepEqual(run.data.params, [{ key: 'late', value: 'true' }]);
});

test('metrics outlive a restart of the server', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  const before = await start(folder.path);
  const client = connect({ url: before.url, firstPauseMs: 50 });
  const run = await client.startRun({ experimentName: 'flights' });
  run.logMetric('loss', 1, { step: 1 });
  await run.flush();
  await before[Symbol.asyncDispose]();
  run.logMetric('loss', 2, { step: 2 });
  const ended = run.end();
  await using after = await start(folder.path, new URL(before.url).port);
  await ended;
  const { metrics } = await after.get(`metrics/get-history?run_id=${run.id}&metric_key=loss`);
  assert.deepEqual(
    metrics.map(({ step }: { step: number }) => step),
    [1, 2],
  );
});

async function start(data: string, port = '0') {
  const root = join(import.meta.dirname, '..', '..');
  const app = await openApp({
    config: readConfig({ data, port }, {}),
    version: '0.0.0-test',
    log: pino({ enabled: false }),
    uiFolder: join(data, 'no-ui'),
    entry: join(root, 'src', 'main.ts'),
    env: {},
  });
  await app.server.listen({ host: '127.0.0.1', port: Number(port) });
  const address = app.server.server.address() as AddressInfo; // it listens on TCP
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    // biome-ignore lint/suspicious/noExplicitAny: an answer of MLflow's, looked into by the tests above
    get: async (path: string): Promise<any> => (await fetch(`${url}/api/2.0/mlflow/${path}`)).json(),
    async [Symbol.asyncDispose]() {
      app.server.server.closeAllConnections();
      await app.server.close();
      await app[Symbol.asyncDispose]();
    },
  };
}
