/** A disk that is full: nothing that was kept is lost, what cannot be kept is refused with the reason, and it goes on when there is room. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, open, rm, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, linkProject, registerModel, type Spawned, ship, spawnServer, until } from './spawned-server.ts';

// A small disk of its own needs a mount, and so a namespace in which the test may make one.
const mountSmallDisk = 'mount -t tmpfs -o size=24m rondo "$0" && exec "$@"';
const possible = spawnSync('unshare', ['-rm', 'sh', '-c', mountSmallDisk, tmpdir(), 'true']).status === 0;
const program = [process.execPath, join(import.meta.dirname, '..', '..', 'bin', 'rondo.mjs')];
const mlflow = '/api/2.0/mlflow';

test('a full disk refuses what it cannot keep, and recovers', {
  skip: !possible && 'needs the right to mount a small disk',
}, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-full-'));
  const dataFolder = join(place.path, 'data');
  await mkdir(dataFolder);
  await using server = await spawnServer({
    dataFolder,
    program: ['unshare', '-rm', 'sh', '-c', mountSmallDisk, dataFolder, ...program],
  });
  await linkProject(server, { folder: join(place.path, 'project') });
  await ship(
    server,
    await registerModel(server, { name: 'line', files: { 'model.onnx': linearModel({ weight: 2, bias: 1 }) } }),
  );
  await until('it serves', async () => (await infer(server, 0)).status === 200);
  const { body: before } = await infer(server, 1);

  // The same folder as the server sees it: its disk is mounted in its own namespace only.
  const seen = join(`/proc/${server.pid}/root`, dataFolder);
  const filler = join(seen, 'filler');
  await fill(filler);
  const refused = await until('writes are refused', async () => {
    const answer = await server.call('POST', `${mlflow}/registered-models/create`, { name: `m${Math.random()}` });
    return answer.status >= 500 && answer;
  });
  assert.equal(refused.status, 503, JSON.stringify(refused));
  assert.match(JSON.stringify(refused.body), /full/i);
  const upload = await server.call('PUT', '/api/2.0/mlflow-artifacts/artifacts/0/x/big', new Uint8Array(2 ** 20));
  assert.ok(upload.status === 503 || upload.status === 507, JSON.stringify(upload));
  assert.match(JSON.stringify(upload.body), /full/i);
  const readiness = await server.call('GET', '/health/ready');
  assert.equal(readiness.status, 503);
  assert.match(JSON.stringify(readiness.body), /full|read-only/);
  await server.must('GET', `/api/v1/predictions/${before.id}`);
  const asked = await infer(server, 2);
  assert.ok(asked.status === 200 || asked.status === 503, JSON.stringify(asked));

  await rm(filler);
  await until('writes are taken again', async () => {
    const { status } = await server.call('POST', `${mlflow}/registered-models/create`, { name: `n${Math.random()}` });
    return status === 200 && (await infer(server, 3)).status === 200;
  });
  assert.equal((await server.call('GET', '/health/ready')).status, 200);
  const verified = await server.must<{ bad?: unknown }>('POST', '/api/v1/audit/verify');
  assert.equal(verified.bad, undefined, JSON.stringify(verified));
  await keepsWhatItAnswered(server, [before.id, ...(asked.status === 200 ? [asked.body.id] : [])]);
  assert.equal(await server.stop(), 0);
});

for (const kind of ['among the blobs', 'in a plain folder'] as const) {
  test(`an artifact that the disk cannot hold is refused with 507, ${kind}, and nothing of it is kept`, {
    skip: !possible && 'needs the right to mount a small disk',
  }, async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-full-'));
    const dataFolder = join(place.path, 'data');
    await mkdir(dataFolder);
    await using server = await spawnServer({
      dataFolder,
      program: ['unshare', '-rm', 'sh', '-c', mountSmallDisk, dataFolder, ...program],
      env: kind === 'in a plain folder' ? { RONDO_ARTIFACTS_DESTINATION: join(dataFolder, 'files') } : {},
    });
    const seen = join(`/proc/${server.pid}/root`, dataFolder);
    const room = async () => {
      const { bavail, bsize } = await statfs(seen);
      return bavail * bsize;
    };
    using connection = await keptConnection(server);
    await connection.put('small', 2 ** 20, { announced: true });
    const before = await room();

    const refused = await connection.put('big', 64 * 2 ** 20, { announced: true });
    assert.deepEqual([refused.status, refused.body.error_code], [507, 'RESOURCE_LIMIT_EXCEEDED']);
    assert.match(refused.body.message, /full: it has no room for a file of 67108864 bytes/);
    const broken = await connection.put('big', 64 * 2 ** 20, { announced: false });
    assert.deepEqual([broken.status, broken.body.error_code], [507, 'RESOURCE_LIMIT_EXCEEDED']);
    assert.match(broken.body.message, /full/);

    assert.ok((await room()) > before - 2 ** 20, 'what was written of it is gone');
    const { body } = await server.call('GET', '/api/2.0/mlflow-artifacts/artifacts?path=0');
    assert.deepEqual(body, { files: [{ path: 'small', is_dir: false, file_size: 2 ** 20 }] });
    assert.equal((await connection.put('small', 2 ** 20, { announced: true })).status, 200);
    await until('it writes again', async () => (await server.call('GET', '/health/ready')).status === 200);
    assert.equal(await server.stop(), 0);
  });
}

type Refusal = { readonly status: number; readonly body: { readonly error_code?: string; readonly message: string } };

/** One connection for all requests, as clients keep it; they read no answer before they have sent everything. */
async function keptConnection({ url }: Spawned) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.setEncoding('latin1');

  async function read(): Promise<Refusal> {
    let text = '';
    for await (const part of socket.iterator({ destroyOnReturn: false })) {
      text += part;
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
      if (!(body.length >= length)) continue;
      return { status: Number(head.split(' ')[1]), body: body === '' ? { message: '' } : JSON.parse(body) };
    }
    throw new Error('the connection was closed');
  }

  return {
    /** A body whose length is not announced says its end when it comes. */
    put: async (name: string, size: number, { announced }: { readonly announced: boolean }): Promise<Refusal> => {
      const length = announced ? `content-length: ${size}` : 'transfer-encoding: chunked';
      socket.write(
        `PUT /api/2.0/mlflow-artifacts/artifacts/0/${name} HTTP/1.1\r\nhost: ${hostname}\r\n${length}\r\n\r\n`,
      );
      const piece = Buffer.alloc(2 ** 16, 1);
      for (let sent = 0; sent < size; sent += piece.length) {
        const goesOn = announced ? socket.write(piece) : socket.write(`10000\r\n${piece}\r\n`, 'latin1');
        if (!goesOn) await once(socket, 'drain');
      }
      if (!announced) socket.write('0\r\n\r\n');
      return read();
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

async function keepsWhatItAnswered(server: Spawned, ids: readonly string[]): Promise<void> {
  for (const id of ids) await server.must('GET', `/api/v1/predictions/${id}`);
}

/** Byte by byte at the end: nothing is left between the pages. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w');
  for (const size of [2 ** 20, 4_096, 1]) {
    const block = Buffer.alloc(size, 1);
    try {
      for (;;) await file.write(block);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
}
