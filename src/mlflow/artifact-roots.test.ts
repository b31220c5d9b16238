/** Where artifacts lie: behind the proxy, in folders that the operator named, and elsewhere. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestServer } from '../http/test-server.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import { openArtifacts } from '../storage/open-artifacts.ts';
import { openDatabase } from '../storage/open-database.ts';
import { mlflowRoutes } from './mlflow-routes.ts';

const api = '/api/2.0/mlflow';

type Roots = { readonly destination?: string; readonly root?: string };

/** @param roots below the test's folder, or URIs */
async function setUp({ destination, root = 'mlflow-artifacts:/' }: Roots) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), 'rondo-test-')));
  const database = stack.use(await openDatabase({ folder: folder.path, url: undefined }));
  const blobs = await openBlobFolder(join(folder.path, 'blobs'));
  const at = (uri: string) => (uri.includes(':') ? uri : join(folder.path, uri));
  const settings = {
    defaultArtifactRoot: at(root),
    artifactsDestination: destination === undefined ? undefined : at(destination),
    s3: { endpoint: undefined, region: undefined },
  };
  const app = stack.use(await openTestServer());
  await app.register(
    mlflowRoutes({
      ...{ database, artifactRoot: at(root), artifacts: await openArtifacts(settings, { database, blobs }) },
      now: () => 1000,
      newId: () => randomUUID().replaceAll('-', ''),
      random: () => 0.5,
      sourcePattern: undefined,
      onRegistered: async (version) => version,
    }),
  );
  const call = async (method: 'GET' | 'POST' | 'PUT', url: string, body?: object | string) => {
    const headers = {
      host: 'localhost',
      ...(typeof body === 'string' && { 'content-type': 'application/octet-stream' }),
    };
    const answer = await app.inject({ method, url, headers, ...(body !== undefined && { payload: body }) });
    const isJson = answer.body !== '' && String(answer.headers['content-type']).startsWith('application/json');
    return { status: answer.statusCode, body: isJson ? answer.json() : answer.body };
  };
  const held = stack.move();
  return {
    ...{ call, folder: folder.path },
    newRun: async (location?: string) => {
      const made = { name: randomUUID(), ...(location !== undefined && { artifact_location: location }) };
      const { experiment_id } = (await call('POST', `${api}/experiments/create`, made)).body;
      return (await call('POST', `${api}/runs/create`, { experiment_id })).body.run.info;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

test('a destination has the files under their own names', async () => {
  await using server = await setUp({ destination: 'files' });
  const run = await server.newRun();
  const path = `${run.artifact_uri.replace('mlflow-artifacts:/', '')}/a/b.txt`;
  assert.equal((await server.call('PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}`, 'hello')).status, 200);
  assert.equal(await readFile(join(server.folder, 'files', path), 'utf8'), 'hello');
});

test('a folder that clients write themselves is listed, read and written by the server', async () => {
  await using server = await setUp({ root: 'mlruns' });
  const run = await server.newRun();
  assert.equal(run.artifact_uri, join(server.folder, 'mlruns', run.experiment_id, run.run_id, 'artifacts'));
  await mkdir(run.artifact_uri, { recursive: true });
  await writeFile(join(run.artifact_uri, 'theirs.txt'), 'by the client');
  const query = `run_id=${run.run_id}&run_uuid=${run.run_id}`;
  const uploaded = await server.call(
    'POST',
    `/ajax-api/2.0/mlflow/upload-artifact?${query}&path=d/ours.txt`,
    'by a page',
  );
  assert.equal(uploaded.status, 200);
  assert.equal(await readFile(join(run.artifact_uri, 'd', 'ours.txt'), 'utf8'), 'by a page');
  assert.deepEqual((await server.call('GET', `${api}/artifacts/list?${query}`)).body.files, [
    { path: 'd', is_dir: true },
    { path: 'theirs.txt', is_dir: false, file_size: 13 },
  ]);
  assert.equal((await server.call('GET', `/get-artifact?${query}&path=theirs.txt`)).body, 'by the client');
  assert.equal((await server.call('GET', `/get-artifact?${query}&path=../../x`)).status, 400);
});

test('the URL of the proxy is the proxy', async () => {
  await using server = await setUp({ root: 'http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts' });
  const run = await server.newRun();
  assert.match(
    run.artifact_uri,
    /^http:\/\/127\.0\.0\.1:5000\/api\/2\.0\/mlflow-artifacts\/artifacts\/\d+\/\w+\/artifacts$/,
  );
  await server.call('PUT', `${new URL(run.artifact_uri).pathname}/x.txt`, 'hello');
  assert.equal((await server.call('GET', `/get-artifact?run_id=${run.run_id}&path=x.txt`)).body, 'hello');
});

test('a location elsewhere is kept as given, and the answer to whoever asks for its files names the options', async () => {
  await using server = await setUp({ destination: 'files' });
  for (const location of ['/etc', 'file:///etc', 's3://bucket/x', 'gs://bucket/x', 'dbfs:/x', 'http://elsewhere/x']) {
    const run = await server.newRun(location);
    assert.equal(run.artifact_uri, `${location}/${run.run_id}/artifacts`);
    const query = `run_id=${run.run_id}&run_uuid=${run.run_id}&path=passwd`;
    for (const [method, url] of [
      ['GET', `/get-artifact?${query}`],
      ['GET', `${api}/artifacts/list?${query}`],
      ['POST', `/ajax-api/2.0/mlflow/upload-artifact?${query}`],
    ] as const) {
      const { status, body } = await server.call(method, url, ...(method === 'POST' ? ['x'] : []));
      assert.deepEqual([status, body.error_code], [400, 'INVALID_PARAMETER_VALUE'], `${method} ${url}`);
      assert.match(body.message, /neither below --artifacts-destination nor below --default-artifact-root/);
    }
  }
});

test('a version is read below the named roots only, wherever its source claims to be', async () => {
  await using server = await setUp({ root: 'mlruns' });
  const run = await server.newRun();
  await mkdir(join(run.artifact_uri, 'model'), { recursive: true });
  await writeFile(join(run.artifact_uri, 'model', 'MLmodel'), 'flavors: {}');
  await server.call('POST', `${api}/registered-models/create`, { name: 'm' });
  const register = (source: string) =>
    server.call('POST', `${api}/model-versions/create`, { name: 'm', source, run_id: run.run_id });
  assert.equal((await register(`${run.artifact_uri}/model`)).status, 200);
  const file = (version: number) =>
    server.call('GET', `/model-versions/get-artifact?name=m&version=${version}&path=MLmodel`);
  assert.equal((await file(1)).body, 'flavors: {}');
  for (const source of ['/etc', `${run.artifact_uri}/../..`, 'file:///etc'])
    assert.equal((await register(source)).status, 400, source);
  assert.equal((await register('s3://bucket/model')).body.model_version.source, 's3://bucket/model');
  assert.match((await file(2)).body.message, /--artifacts-destination/);
});
