/** Transfers past the server, where the artifacts lie in a bucket and where they do not. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestServer } from '../http/test-server.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import { type ArtifactSettings, openArtifacts } from '../storage/open-artifacts.ts';
import { openDatabase } from '../storage/open-database.ts';
import { openTestBucket, skipWithoutS3 } from '../storage/test-bucket.ts';
import { mlflowRoutes } from './mlflow-routes.ts';

const options = { skip: skipWithoutS3 };
const api = '/api/2.0';

async function setUp(settings: Partial<ArtifactSettings> = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), 'rondo-test-')));
  const database = stack.use(await openDatabase({ folder: folder.path, url: undefined }));
  const blobs = await openBlobFolder(join(folder.path, 'blobs'));
  const s3 = { endpoint: undefined, region: undefined };
  const artifactRoot = settings.defaultArtifactRoot ?? 'mlflow-artifacts:/';
  const all = { artifactsDestination: undefined, s3, ...settings, defaultArtifactRoot: artifactRoot };
  const app = stack.use(await openTestServer());
  await app.register(
    mlflowRoutes({
      ...{ database, artifactRoot, artifacts: await openArtifacts(all, { database, blobs }) },
      now: () => 1000,
      newId: () => randomUUID().replaceAll('-', ''),
      random: () => 0.5,
      onRegistered: async (version) => version,
    }),
  );
  const call = async (method: 'GET' | 'POST', url: string, body?: object) => {
    const answer = await app.inject({ method, url, headers: { host: 'localhost' }, ...(body && { payload: body }) });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  const held = stack.move();
  return {
    call,
    newRun: async () => (await call('POST', `${api}/mlflow/runs/create`, { experiment_id: '0' })).body.run.info,
    raw: (url: string) => app.inject({ url, headers: { host: 'localhost' } }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function withBucket(where: 'artifactsDestination' | 'defaultArtifactRoot') {
  const { client, uri, ...s3 } = await openTestBucket();
  client.destroy();
  return setUp({ [where]: uri, s3 });
}

test('a file goes to the bucket in parts, under the name that it has on any machine', options, async () => {
  await using server = await withBucket('artifactsDestination');
  for (const [path, name] of [
    ['/home/ada/x y#1%.bin', 'x y#1%.bin'],
    ['C:\\data\\model.bin', 'model.bin'],
  ] as const) {
    const folder = '0/r/artifacts/a%20b';
    const begun = await server.call('POST', `${api}/mlflow-artifacts/mpu/create/${folder}`, { path, num_parts: 2 });
    assert.equal(begun.status, 200, JSON.stringify(begun));
    const { upload_id, credentials } = begun.body;
    assert.deepEqual(
      credentials.map(({ part_number }: { part_number: number }) => part_number),
      [1, 2],
    );
    const sent = [Buffer.alloc(5 * 2 ** 20, 7), Buffer.from('rest')];
    const parts = [];
    for (const [index, { url, part_number }] of credentials.entries()) {
      const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(sent[index] ?? []) });
      parts.push({ part_number, etag: answer.headers.get('etag'), url });
    }
    const step = (verb: string) => `${api}/mlflow-artifacts/mpu/${verb}/${folder}`;
    assert.deepEqual(await server.call('POST', step('complete'), { path, upload_id, parts }), {
      status: 200,
      body: {},
    });
    const key = `0/r/artifacts/a b/${name}`.split('/').map(encodeURIComponent).join('/');
    const file = await server.raw(`${api}/mlflow-artifacts/artifacts/${key}`);
    assert.ok(file.rawPayload.equals(Buffer.concat(sent)), file.body.slice(0, 100));

    const signed = await server.call('GET', `${api}/mlflow-artifacts/presigned/${key}`);
    assert.equal(signed.body.file_size, file.rawPayload.length);
    const part = await fetch(signed.body.url, { headers: { range: 'bytes=5242880-' } });
    assert.deepEqual([part.status, await part.text()], [206, 'rest']);
  }
});

test('a broken upload in parts is refused or given up, and leaves nothing', options, async () => {
  await using server = await withBucket('artifactsDestination');
  const step = (verb: string) => `${api}/mlflow-artifacts/mpu/${verb}/0/r/artifacts`;
  const create = (more: object) => server.call('POST', step('create'), { path: 'x.bin', ...more });
  assert.deepEqual((await create({ num_parts: 10_001 })).status, 400);
  assert.deepEqual((await create({ num_parts: -1 })).status, 400);
  assert.equal((await server.call('POST', step('create'), { path: '/', num_parts: 1 })).status, 200); // the folder's own name
  assert.equal((await server.call('POST', step('create'), { num_parts: 1 })).status, 400);
  const { upload_id } = (await create({ num_parts: 1 })).body;
  const complete = (parts: unknown) => server.call('POST', step('complete'), { path: 'x.bin', upload_id, parts });
  for (const parts of [
    [{ part_number: 1, etag: '"none"' }],
    [{ part_number: 1 }],
    [{ part_number: 0, etag: 'x' }],
    undefined,
    'x',
  ]) {
    const { status, body } = await complete(parts);
    assert.deepEqual([status, body.error_code], [400, 'INVALID_PARAMETER_VALUE'], JSON.stringify(parts));
  }
  assert.deepEqual((await server.call('POST', step('abort'), { path: 'x.bin', upload_id })).body, {});
  assert.equal((await server.call('POST', step('abort'), { path: 'x.bin', upload_id })).status, 400);
  assert.deepEqual((await server.call('GET', `${api}/mlflow-artifacts/artifacts?path=0/r/artifacts`)).body, {});
  assert.equal((await server.call('GET', `${api}/mlflow-artifacts/presigned/0/r/artifacts/x.bin`)).status, 404);
  for (const folder of ['..%2fx', '%2e%2e%2fx', '..%5cx', 'a%00b']) {
    const { status } = await server.call('POST', `${api}/mlflow-artifacts/mpu/create/${folder}`, {
      path: 'x',
      num_parts: 1,
    });
    assert.equal(status, 400, folder);
  }
});

test('URLs for one file are given where clients know the bucket themselves', options, async () => {
  await using server = await withBucket('defaultArtifactRoot');
  const run = await server.newRun();
  assert.match(run.artifact_uri, /^s3:/);
  const ask = (verb: string, body: object) =>
    server.call('POST', `${api}/mlflow/artifacts/presigned-${verb}-url`, body);
  const upload = await ask('upload', { run_id: run.run_id, path: 'd/x.json' });
  assert.deepEqual(upload.body.headers, { 'Content-Type': 'text/plain; charset=utf-8' });
  const { presigned_url: url, headers } = upload.body;
  assert.equal((await fetch(url, { method: 'PUT', headers, body: '{"a":1}' })).status, 200);

  const listed = await server.call('GET', `${api}/mlflow/artifacts/list?run_id=${run.run_id}&path=d`);
  assert.deepEqual(listed.body.files, [{ path: 'd/x.json', is_dir: false, file_size: 7 }]);
  assert.equal((await server.raw(`/get-artifact?run_id=${run.run_id}&path=d/x.json`)).body, '{"a":1}');
  const download = await ask('download', { run_id: run.run_id, path: 'd/x.json' });
  assert.equal(download.body.file_size, 7);
  assert.equal(await (await fetch(download.body.presigned_url)).text(), '{"a":1}');

  const refused = async (verb: string, body: object) => (await ask(verb, body)).status;
  assert.equal(await refused('upload', { path: 'x' }), 400);
  assert.equal(await refused('upload', { run_id: run.run_id, model_id: 'm-1', path: 'x' }), 400);
  assert.equal(await refused('upload', { run_id: run.run_id, path: '../x' }), 400);
  assert.equal(await refused('upload', { run_id: run.run_id, path: 'x', expiration: 604_801 }), 400);
  assert.equal(await refused('download', { run_id: run.run_id, path: 'x', expiration: 0 }), 400);
  assert.equal(await refused('download', { run_id: run.run_id, path: 'none' }), 404);
  assert.equal(await refused('download', { run_id: 'none', path: 'x' }), 404);
});

test("without a bucket every transfer is refused in MLflow's words, and server-info says so before", async () => {
  await using server = await setUp();
  const run = await server.newRun();
  const info = await server.call('GET', '/api/3.0/mlflow/server-info');
  assert.deepEqual([info.body.multipart_uploads_enabled, info.body.multipart_downloads_enabled], [false, false]);
  const says = async (call: Promise<{ status: number; body: { message: string } }>) => {
    const { status, body } = await call;
    return [status, body.message.split(' (')[0]];
  };
  const upload = [501, 'Multipart upload is not supported for the current artifact repository'];
  const mpu = (verb: string, more: object) =>
    server.call('POST', `${api}/mlflow-artifacts/mpu/${verb}/0/x`, { path: 'x', ...more });
  assert.deepEqual(await says(mpu('create', { num_parts: 2 })), upload);
  assert.deepEqual(await says(mpu('complete', { upload_id: 'x', parts: [{ part_number: 1, etag: 'x' }] })), upload);
  assert.deepEqual(await says(mpu('abort', { upload_id: 'x' })), upload);
  assert.deepEqual(await says(server.call('GET', `${api}/mlflow-artifacts/presigned/0/x`)), [
    501,
    'Multipart download is not supported for the current artifact repository',
  ]);
  for (const [verb, words] of [
    ['upload', 'Presigned upload is not supported for proxied artifact storage'],
    ['download', 'Presigned download is not supported for runs with proxied artifact storage'],
  ]) {
    const body = { run_id: run.run_id, path: 'x' };
    assert.deepEqual(await says(server.call('POST', `${api}/mlflow/artifacts/presigned-${verb}-url`, body)), [
      400,
      words,
    ]);
  }
});
