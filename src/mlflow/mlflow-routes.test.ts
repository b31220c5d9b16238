import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestServer } from '../http/test-server.ts';
import { versionStore } from '../registry/version-store.ts';
import { blobArtifactRoot } from '../storage/artifact-blobs.ts';
import { artifactPlaces } from '../storage/artifact-places.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { mlflowRoutes } from './mlflow-routes.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, which the assertions check
type Answer = { readonly status: number; readonly body: any; readonly text: string };

eachDatabase((dialect, open) => {
  async function setUp() {
    const database = await open();
    const blobs = await openBlobFolder(join(database.folder, 'blobs'));
    const app = await openTestServer();
    await app.register(
      mlflowRoutes({
        database,
        artifacts: artifactPlaces(blobArtifactRoot({ database, blobs })),
        artifactRoot: 'mlflow-artifacts:/',
        onRegistered: async (version) => version,
        now: () => 1000,
        newId: () => randomUUID().replaceAll('-', ''),
        random: () => 0.5,
      }),
    );
    const send = async (
      method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
      url: string,
      payload?: string,
      type = 'application/json',
    ): Promise<Answer> => {
      const headers = payload === undefined ? {} : { 'content-type': type };
      const answer = await app.inject({
        method,
        url,
        headers: { host: 'localhost', ...headers },
        ...(payload === undefined ? {} : { payload }),
      });
      const isJson = answer.headers['content-type']?.toString().startsWith('application/json') && answer.body !== '';
      return { status: answer.statusCode, body: isJson ? JSON.parse(answer.body) : answer.body, text: answer.body };
    };
    const api = '/api/2.0/mlflow';
    return {
      database,
      send,
      post: (path: string, body: unknown) => send('POST', api + path, JSON.stringify(body)),
      get: (path: string) => send('GET', api + path),
      [Symbol.asyncDispose]: async () => {
        await app[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  }

  test(`${dialect}: a step of 64 bits comes back with all its digits`, async () => {
    await using server = await setUp();
    const { body } = await server.post('/runs/create', { experiment_id: '0' });
    const { run_id } = body.run.info;
    const metric = `{"run_id":"${run_id}","key":"m","value":1,"timestamp":9007199254740993,"step":9223372036854775807}`;
    assert.equal((await server.send('POST', '/api/2.0/mlflow/runs/log-metric', metric)).status, 200);
    const point = /"value":1,"timestamp":9007199254740993,"step":9223372036854775807/;
    assert.match((await server.get(`/metrics/get-history?run_id=${run_id}&metric_key=m`)).text, point);
    assert.match((await server.get(`/runs/get?run_id=${run_id}`)).text, point);
  });

  test(`${dialect}: bodies are read as upstream reads them, and broken ones are refused`, async () => {
    await using server = await setUp();
    const search = '/api/2.0/mlflow/experiments/search';
    const of = async (payload: string, type?: string) =>
      (await server.send('POST', search, payload, type)).body.message;
    assert.match(await of('{', undefined), /^The body is not valid JSON: /);
    assert.match(await of('', undefined), /Invalid value 0 for parameter 'max_results'/);
    assert.match(await of('{}', 'text/plain'), /^Bad Request\. Content-Type must be one of \['application\/json'\]\.$/);
    const twice = await server.send('POST', search, JSON.stringify(JSON.stringify({ max_results: 5 })));
    assert.equal(twice.body.experiments[0].name, 'Default');
    const charset = await server.send('POST', search, '{"max_results":"5"}', 'application/json; charset=utf-8');
    assert.equal(charset.status, 200);
  });

  test(`${dialect}: JSON of more than 32 MiB is refused`, async () => {
    await using server = await setUp();
    const { status, body } = await server.send('POST', '/api/2.0/mlflow/runs/set-tag', ' '.repeat(32 * 2 ** 20 + 1));
    assert.deepEqual([status, body.error_code], [400, 'BAD_REQUEST']);
    assert.match(body.message, /^The body is larger than/);
  });

  test(`${dialect}: what is not here answers as an unknown endpoint, in JSON`, async () => {
    await using server = await setUp();
    for (const url of [
      '/api/2.0/mlflow/bogus',
      '/api/3.0/mlflow/traces/search',
      '/graphql',
      '/api/2.0/mlflow/webhooks',
    ]) {
      const { status, body } = await server.send('POST', url, '{}');
      assert.deepEqual([status, body.error_code], [404, 'ENDPOINT_NOT_FOUND'], url);
    }
    assert.match(
      (await server.send('POST', '/api/3.0/mlflow/traces/search', '{}')).body.message,
      /^Traces are not part/,
    );
    assert.equal((await server.send('GET', '/version')).text, '3.17.2');
    assert.equal((await server.send('GET', '/api/3.0/mlflow/server-info')).body.store_type, 'SqlStore');
  });

  test(`${dialect}: artifacts keep their names, whatever is in them`, async () => {
    await using server = await setUp();
    const files = '/api/2.0/mlflow-artifacts/artifacts';
    for (const name of [
      '100%.txt',
      'a b.txt',
      'ä/ö.bin',
      'img%step%1.png',
      '%2e%2e',
      'a+b',
      'hash#1.txt',
      'q?x=1.txt',
      '%2523',
    ]) {
      const path = name.split('/').map(encodeURIComponent).join('/');
      assert.equal(
        (await server.send('PUT', `${files}/1/r/artifacts/${path}`, name, 'application/octet-stream')).status,
        200,
        name,
      );
      assert.equal((await server.send('GET', `${files}/1/r/artifacts/${path}`)).body, name);
    }
    const { body } = await server.send('GET', `${files}?path=1/r/artifacts`);
    assert.deepEqual(
      body.files.map((file: { path: string }) => file.path).sort(),
      ['%2523', '%2e%2e', '100%.txt', 'a b.txt', 'a+b', 'hash#1.txt', 'img%step%1.png', 'q?x=1.txt', 'ä'].sort(),
    );
  });

  test(`${dialect}: paths that lead elsewhere are refused, missing files are not found`, async () => {
    await using server = await setUp();
    const files = '/api/2.0/mlflow-artifacts/artifacts';
    for (const path of ['..%2f..%2fetc', '1/..%2f2', '%2fetc', 'a%5cb', 'a%00b']) {
      const { status, body } = await server.send('GET', `${files}/${path}`);
      assert.deepEqual([status, body.error_code], [400, 'INVALID_PARAMETER_VALUE'], path);
    }
    assert.equal((await server.send('GET', `${files}/1/none.txt`)).status, 404);
    assert.deepEqual((await server.send('GET', `${files}?path=none`)).body, {});
  });

  test(`${dialect}: a version of another run's artifacts cannot be registered`, async () => {
    await using server = await setUp();
    const first = (await server.post('/runs/create', { experiment_id: '0' })).body.run.info;
    const second = (await server.post('/runs/create', { experiment_id: '0' })).body.run.info;
    await server.post('/registered-models/create', { name: 'm' });
    const register = (run_id: string) =>
      server.post('/model-versions/create', { name: 'm', source: `${first.artifact_uri}/model`, run_id });
    assert.equal((await register(second.run_id)).status, 400);
    assert.equal((await register(first.run_id)).body.model_version.version, '1');
  });

  test(`${dialect}: a version knows the datasets and the commit of its run`, async () => {
    await using server = await setUp();
    const tags = [{ key: 'mlflow.source.git.commit', value: 'ab12' }];
    const { run_id } = (await server.post('/runs/create', { experiment_id: '0', tags })).body.run.info;
    const dataset = { name: 'iris', digest: 'd1', source_type: 'local', source: 's' };
    const context = [{ key: 'mlflow.data.context', value: 'training' }];
    await server.post('/runs/log-inputs', { run_id, datasets: [{ tags: context, dataset }] });
    await server.post('/registered-models/create', { name: 'm' });
    await server.post('/model-versions/create', { name: 'm', source: `runs:/${run_id}/model`, run_id });
    assert.deepEqual((await versionStore(server.database.read).find('m', 1))?.lineage, {
      datasets: [{ name: 'iris', version: 'd1', context: 'training' }],
      code: 'ab12',
    });
  });
});
