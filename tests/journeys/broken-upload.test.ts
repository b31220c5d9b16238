/** Uploads that do not come to their end: the sender goes away, or the server dies. Nothing of them is ever seen, and nothing stays. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { openTestBucket, s3Credentials, skipWithoutS3 } from '../../src/storage/test-bucket.ts';
import { type Spawned, spawnServer, until } from './spawned-server.ts';

const files = '/api/2.0/mlflow-artifacts/artifacts';

/** Sends half of what it announces. */
async function beginUpload({ url }: Spawned, name: string, size = 2 ** 20): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => undefined); // it ends in one
  await once(socket, 'connect');
  const half = Buffer.alloc(size, 1);
  socket.write(`PUT ${files}/0/${name} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: ${2 * half.length}\r\n\r\n`);
  socket.write(half);
  return socket;
}

const listed = async (server: Spawned) => (await server.must<{ files?: unknown }>('GET', `${files}?path=0`)).files;

for (const kind of ['among the blobs', 'in a plain folder'] as const) {
  test(`an upload that breaks off leaves nothing, ${kind}`, async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-broken-'));
    const dataFolder = join(place.path, 'data');
    const isFolder = kind === 'in a plain folder';
    const destination = join(place.path, 'files');
    const incoming = isFolder ? join(destination, '.rondo-incoming') : join(dataFolder, 'blobs', 'incoming');
    const env = isFolder ? { RONDO_ARTIFACTS_DESTINATION: destination } : {};
    const half = async () => (await readdir(incoming).catch(() => [])).length;
    {
      await using server = await spawnServer({ dataFolder, env });
      await server.must('PUT', `${files}/0/kept`, new Uint8Array(10));
      const gone = await beginUpload(server, 'gone');
      await until('half of it is there', async () => (await half()) === 1);
      gone.destroy();
      await until('it is gone with its sender', async () => (await half()) === 0);
      assert.deepEqual(await listed(server), [{ path: 'kept', is_dir: false, file_size: 10 }]);
      assert.doesNotMatch(server.stderr(), /http\/internal/); // whoever goes away is no failure of the server

      using _ = { [Symbol.dispose]: () => over.destroy() };
      const over = await beginUpload(server, 'kept');
      await until('half of it is there', async () => (await half()) === 1);
      await server.kill();
    }
    await using server = await spawnServer({ dataFolder, env });
    assert.deepEqual(await listed(server), [{ path: 'kept', is_dir: false, file_size: 10 }]);
    if (!isFolder) assert.equal(await half(), 0); // in a folder that others may write it goes after a day
    await server.must('PUT', `${files}/0/kept`, new Uint8Array(20));
    assert.deepEqual(await listed(server), [{ path: 'kept', is_dir: false, file_size: 20 }]);
  });
}

test('an upload that the server dies in leaves the file in its bucket as it was, and its parts go', {
  skip: skipWithoutS3,
}, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-broken-'));
  const { uri, endpoint, client } = await openTestBucket();
  using _client = { [Symbol.dispose]: () => client.destroy() };
  const Bucket = uri.split('/')[2] ?? '';
  const unfinished = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0;
  const env = { ...s3Credentials, AWS_ENDPOINT_URL_S3: endpoint, RONDO_ARTIFACTS_DESTINATION: uri };
  const options = { dataFolder: join(place.path, 'data'), env };
  {
    await using server = await spawnServer(options);
    await server.must('PUT', `${files}/0/kept`, new Uint8Array(10));
    using _ = { [Symbol.dispose]: () => over.destroy() };
    const over = await beginUpload(server, 'kept', 40 * 2 ** 20);
    await until('its first part is there', async () => (await unfinished()) === 1);
    await server.kill();
  }
  await using server = await spawnServer(options);
  assert.deepEqual(await listed(server), [{ path: 'kept', is_dir: false, file_size: 10 }]);
  const { operation } = await server.must<{ operation: string }>('POST', '/api/v1/trash/collect', {});
  type Operation = { state: string; result?: { uploads: { count: number } } };
  const collected = () => server.must<Operation>('GET', `/api/v1/operations/${operation}`);
  await until('it is collected', async () => (await collected()).state === 'done');
  assert.equal((await collected()).result?.uploads.count, 1); // this S3 dates every upload in 2010: long ago
  assert.equal(await unfinished(), 0);
});
