import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from './client.ts';
import { RequestError } from './rest-client.ts';

type Seen = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
};
type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

test('starts a run in an experiment that it makes when it is not there', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights', runName: 'first', tags: { team: 'a' } });
  assert.equal(run.id, 'r1');
  assert.deepEqual(server.calls(), [
    'GET /api/2.0/mlflow/experiments/get-by-name?experiment_name=flights',
    'POST /api/2.0/mlflow/experiments/create',
    'POST /api/2.0/mlflow/runs/create',
  ]);
  const created = server.json(2);
  assert.equal(created.experiment_id, '7');
  assert.equal(created.run_name, 'first');
  assert.deepEqual(new Map(created.tags.map(({ key, value }) => [key, value])).get('team'), 'a');
  assert.equal(server.seen[2]?.headers.authorization, 'Bearer secret');
});

test('sends metrics in the background, at most a thousand at once, in order', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  for (let step = 0; step < 2500; step++) run.logMetric('loss', 1 / (step + 1), { step, timestamp: 1000 + step });
  await run.end();
  const batches = server.seen.flatMap(({ path, body }) =>
    path.endsWith('log-batch') ? [JSON.parse(body).metrics] : [],
  );
  assert.ok(batches.every((batch) => batch.length <= 1000));
  assert.deepEqual(
    batches.flat().map(({ step }) => step),
    Array.from({ length: 2500 }, (_, step) => step),
  );
  assert.deepEqual(batches[0][0], { key: 'loss', value: 1, timestamp: 1000, step: 0 });
  assert.equal(server.calls().at(-1), 'POST /api/2.0/mlflow/runs/update');
  assert.equal(server.json(-1).status, 'FINISHED');
});

test('writes what JSON has no number for as MLflow does', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  run.logMetrics({ a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY }, { step: 2n ** 60n });
  await run.flush();
  const { metrics } = server.json(-1);
  assert.deepEqual(
    metrics.map(({ value }) => value),
    ['NaN', 'Infinity', '-Infinity'],
  );
  assert.equal(metrics[0]?.step, '1152921504606846976');
});

test('repeats what failed because the server was restarting, and loses nothing', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  server.fail('runs/log-batch', { status: 503 }, { status: 500 }, { status: 429, headers: { 'retry-after': '0' } });
  run.logMetric('loss', 1);
  await run.end();
  const tries = server.calls().filter((call) => call.endsWith('log-batch'));
  assert.equal(tries.length, 4);
});

test('repeats when nobody answers', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  server.fail('runs/log-batch', 'hang up', 'hang up');
  await run.logParams({ depth: 6, rate: 0.1, seeded: true });
  assert.deepEqual(server.json(-1).params, [
    { key: 'depth', value: '6' },
    { key: 'rate', value: '0.1' },
    { key: 'seeded', value: 'true' },
  ]);
});

test('does not repeat what the server refuses, and says why', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  const refusal = {
    status: 400,
    body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'Changing param values is not allowed.' },
  };
  server.fail('runs/log-batch', refusal);
  await assert.rejects(run.logParam('depth', 7), (error: unknown) => {
    assert.ok(error instanceof RequestError);
    assert.deepEqual(
      [error.status, error.code, error.message],
      [400, 'INVALID_PARAMETER_VALUE', 'Changing param values is not allowed.'],
    );
    return true;
  });
});

test('a metric that never arrives is an error of the end, and the run is ended all the same', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  server.fail('runs/log-batch', {
    status: 400,
    body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'no such metric' },
  });
  run.logMetric('bad name!', 1);
  await assert.rejects(run.end(), /no such metric/);
  assert.equal(server.calls().at(-1), 'POST /api/2.0/mlflow/runs/update');
});

test('a run that an exception leaves is failed', async () => {
  await using server = await mlflow();
  await assert.rejects(async () => {
    await using run = await server.client.startRun({ experimentName: 'flights' });
    await run.logParam('a', 1);
    throw new Error('out of memory');
  }, /out of memory/);
  assert.equal(server.json(-1).status, 'FAILED');
});

test('uploads files and bytes under names that stay what they are', async () => {
  await using server = await mlflow();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await writeFile(join(folder.path, 'a b%1.txt'), 'from a file');
  await using run = await server.client.startRun({ experimentName: 'flights' });
  await run.logArtifact(join(folder.path, 'a b%1.txt'), 'notes');
  await run.logArtifact({ path: 'plots/é.bin', bytes: Buffer.from('bytes') });
  await run.logText('text', 'a#?.txt');
  await run.logDict({ a: [1] }, 'a.json');
  const artifacts = 'PUT /api/2.0/mlflow-artifacts/artifacts/7/r1/artifacts';
  assert.deepEqual(server.calls().slice(-4), [
    `${artifacts}/notes/a%20b%251.txt`,
    `${artifacts}/plots/%C3%A9.bin`,
    `${artifacts}/a%23%3F.txt`,
    `${artifacts}/a.json`,
  ]);
  assert.deepEqual(
    server.seen.slice(-4).map(({ body }) => body),
    ['from a file', 'bytes', 'text', '{\n  "a": [\n    1\n  ]\n}'],
  );
  await run.logArtifacts(folder.path, 'all');
  assert.equal(server.calls().at(-1), `${artifacts}/all/a%20b%251.txt`);
});

test('names the data a run was trained on', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  await run.logInput({ name: 'flights', digest: 'abc', source: 'data/flights.parquet', context: 'training' });
  assert.deepEqual(server.json(-1), {
    run_id: 'r1',
    datasets: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'training' }],
        dataset: { name: 'flights', digest: 'abc', source_type: 'local', source: '{"uri":"data/flights.parquet"}' },
      },
    ],
  });
});

test('logs a model with its signature and registers it', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  const side = [{ name: 'hour', dtype: 'float32', shape: [-1, 1] }];
  const model = await run.logModel({
    name: 'model',
    files: { 'model.onnx': Buffer.from('onnx') },
    signature: { inputs: side, outputs: side },
  });
  assert.equal(model.uri, 'models:/m-1');
  const version = await server.client.registerModel({ name: 'flight-delay', model, runId: run.id });
  assert.deepEqual(version, { name: 'flight-delay', version: 3 });
  assert.deepEqual(server.calls().slice(3), [
    'POST /api/2.0/mlflow/logged-models',
    'POST /api/2.0/mlflow/runs/outputs',
    'PUT /api/2.0/mlflow-artifacts/artifacts/7/models/m-1/artifacts/model.onnx',
    'PUT /api/2.0/mlflow-artifacts/artifacts/7/models/m-1/artifacts/MLmodel',
    'PATCH /api/2.0/mlflow/logged-models/m-1',
    'POST /api/2.0/mlflow/registered-models/create',
    'GET /api/2.0/mlflow/model-versions/search?filter=source_path+%3D+%27models%3A%2Fm-1%27&order_by=version_number+DESC',
    'POST /api/2.0/mlflow/model-versions/create',
  ]);
  const description = JSON.parse(server.seen[6]?.body ?? '');
  assert.equal(description.flavors.onnx.data, 'model.onnx');
  assert.equal(
    description.signature.inputs,
    '[{"name":"hour","type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,1]}}]',
  );
  assert.equal(server.json(7).status, 'LOGGED_MODEL_READY');
});

test('a model whose upload fails is marked so', async () => {
  await using server = await mlflow();
  await using run = await server.client.startRun({ experimentName: 'flights' });
  server.fail('model.onnx', { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'Invalid path' } });
  await assert.rejects(
    run.logModel({ name: 'm', files: { 'model.onnx': Buffer.from('x') }, signature: { inputs: [], outputs: [] } }),
    { name: 'RequestError', message: /model\.onnx: Invalid path$/ },
  );
  assert.equal(server.json(-1).status, 'LOGGED_MODEL_UPLOAD_FAILED');
});

type Fields = {
  readonly experiment_id?: string;
  readonly run_name?: string;
  readonly status?: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly params: readonly { readonly key: string; readonly value: string }[];
  readonly metrics: readonly { readonly value: number | string; readonly step: number | string }[];
};

/** Answers as MLflow does, as far as this client asks, and keeps what it was asked. */
async function mlflow() {
  const seen: Seen[] = [];
  const failures = new Map<string, (Answer | 'hang up')[]>();
  const server: Server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP

  async function respond(request: IncomingMessage, response: ServerResponse) {
    const path = request.url ?? '';
    seen.push({
      method: request.method ?? '',
      path,
      body: (await buffer(request)).toString(),
      headers: request.headers,
    });
    const planned = [...failures].find(([ending]) => path.endsWith(ending))?.[1].shift();
    if (planned === 'hang up') {
      request.socket.destroy();
      return;
    }
    const { status, body = {}, headers = {} } = planned ?? answerTo(path);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }

  return {
    seen,
    client: connect({ url: `http://127.0.0.1:${port}/`, token: 'secret', firstPauseMs: 1 }),
    calls: () => seen.map(({ method, path }) => `${method} ${path}`),
    json: (at: number): Fields => JSON.parse(seen.at(at)?.body ?? ''),
    fail: (ending: string, ...answers: (Answer | 'hang up')[]) => failures.set(ending, answers),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerTo(path: string): Answer {
  const known: Readonly<Record<string, Answer>> = {
    'experiments/get-by-name': { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'none' } },
    'experiments/create': { status: 200, body: { experiment_id: '7' } },
    'runs/create': {
      status: 200,
      body: { run: { info: { run_id: 'r1', experiment_id: '7', artifact_uri: 'mlflow-artifacts:/7/r1/artifacts' } } },
    },
    'logged-models': {
      status: 200,
      body: { model: { info: { model_id: 'm-1', artifact_uri: 'mlflow-artifacts:/7/models/m-1/artifacts' } } },
    },
    'registered-models/create': { status: 400, body: { error_code: 'RESOURCE_ALREADY_EXISTS', message: 'exists' } },
    'model-versions/create': { status: 200, body: { model_version: { version: '3', status: 'READY' } } },
  };
  return known[path.replace('/api/2.0/mlflow/', '').replace(/\?.*/, '')] ?? { status: 200 };
}
