/** The unmodified client with files that it sends in parts, where the artifacts lie in a bucket and where they do not. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { openTestBucket, s3Credentials, skipWithoutS3 } from '../../src/storage/test-bucket.ts';
import { type Spawned, spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';
import { runSteps } from './run-steps.ts';

const options = { skip: skipWithoutS3, timeout: 300_000 };
const mebibyte = String(2 ** 20);

/** @returns what the program printed */
async function logAndFetch(server: Spawned, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const python = findPythonClients();
  assert.ok(python); // the test is skipped without it
  return runSteps(python, 'large_files.py', {
    url: server.url,
    home: tmpdir(),
    env: {
      MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE: String(10 * 2 ** 20),
      MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE: String(5 * 2 ** 20),
      MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE: mebibyte,
      ...env,
    },
  });
}

/** How many requests a route has answered well. */
async function answered(server: Spawned, method: string, route: string): Promise<number> {
  const metrics = await server.must<string>('GET', '/metrics');
  const lines = metrics.split('\n').filter((line) => line.includes('_count{') && line.includes(`method="${method}"`));
  const [found] = lines.filter((line) => line.includes(`route="${route}"`) && line.includes('status="200"'));
  return Number(found?.split(' ').at(-1) ?? 0);
}

const files = '/api/2.0/mlflow-artifacts/artifacts/*';

test('with artifacts in a bucket large files go past the server', options, async () => {
  const { client, ...s3 } = await openTestBucket();
  using _ = { [Symbol.dispose]: () => client.destroy() };
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-large-'));
  const env = { ...s3Credentials, MLFLOW_S3_ENDPOINT_URL: s3.endpoint, RONDO_ARTIFACTS_DESTINATION: s3.uri };
  await using server = await spawnServer({ dataFolder: join(folder.path, 'data'), env });
  const output = await logAndFetch(server);
  assert.equal(await answered(server, 'POST', '/api/2.0/mlflow-artifacts/mpu/complete/*'), 1);
  assert.equal(await answered(server, 'PUT', files), 2); // the small ones
  assert.equal(await answered(server, 'GET', '/api/2.0/mlflow-artifacts/presigned/*'), 3);
  assert.equal(await answered(server, 'GET', files), 0);
  const key = /artifact_uri: mlflow-artifacts:\/(\S+)/.exec(output)?.[1];
  const [, , bucket = '', ...prefix] = s3.uri.split('/');
  const Key = [...prefix, key, 'd', 'big model.bin'].join('/');
  const stored = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
  assert.match(stored.ETag ?? '', /-5"$/); // of five parts
});

test(
  'without a bucket the same client sends and fetches them in one piece, also when it insists on parts',
  options,
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-large-'));
    await using server = await spawnServer({ dataFolder: join(folder.path, 'data') });
    await logAndFetch(server);
    assert.equal(await answered(server, 'PUT', files), 3);
    await logAndFetch(server, {
      MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: 'true',
      MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: 'true',
    });
    assert.equal(await answered(server, 'PUT', files), 6);
  },
);

test(
  'with the bucket as the root of runs the client reaches it itself, and the server reads it too',
  options,
  async () => {
    const { client, ...s3 } = await openTestBucket();
    client.destroy();
    await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-large-'));
    const aws = { ...s3Credentials, MLFLOW_S3_ENDPOINT_URL: s3.endpoint, AWS_DEFAULT_REGION: s3.region ?? '' };
    const env = { ...aws, RONDO_DEFAULT_ARTIFACT_ROOT: s3.uri };
    await using server = await spawnServer({ dataFolder: join(folder.path, 'data'), env });
    const output = await logAndFetch(server, aws);
    const runId = /artifact_uri: s3:\S+\/(\w+)\/artifacts/.exec(output)?.[1];
    type Listed = { files: { path: string; file_size: number }[] };
    const { files: listed } = await server.must<Listed>('GET', `/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=d`);
    assert.deepEqual(
      listed.map(({ path }) => path),
      ['d/big model.bin', 'd/empty.bin', 'd/small.bin'],
    );
    const small = await fetch(new URL(`/get-artifact?run_id=${runId}&path=d/small.bin`, server.url));
    assert.equal((await small.bytes()).length, 11);
  },
);
