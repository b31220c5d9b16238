import assert from 'node:assert/strict';
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openReceiver } from '../notify/test-receiver.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'rondo.mjs');

test('a webhook is added, tried, watched, mended and removed', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-webhooks-'));
  let status = 200;
  await using receiver = await openReceiver((_, response) => {
    response.statusCode = status;
    response.end();
  });
  const options: SpawnOptions = {
    cwd: place.path,
    env: {
      ...{ PATH: process.env.PATH, HOME: place.path },
      ...{ MLFLOW_WEBHOOK_ALLOWED_SCHEMES: 'http', MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true' },
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  };
  const rondo = async (words: readonly string[], input = '') => {
    const child = spawn(process.execPath, [program, 'webhooks', ...words], options);
    child.stdin?.end(input);
    const said = { stdout: '', stderr: '' };
    child.stdout?.on('data', (part) => (said.stdout += part));
    child.stderr?.on('data', (part) => (said.stderr += part));
    const [code] = await once(child, 'close');
    return { code, ...said };
  };
  const server = spawn(process.execPath, [program, 'up', '--port', '0', '--json'], options);
  await using _ = {
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGTERM');
      await once(server, 'close');
    },
  };
  await once(server.stdout ?? server, 'data');

  const wrong = await rondo(['add', 'ci', receiver.url, 'run.flew']);
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  const added = await rondo(['add', 'ci', receiver.url, 'run.ended', 'alert.opened', '--secret-stdin'], 'a secret\n');
  const id = /^Added ci: (\S+)\n$/.exec(added.stdout)?.[1] ?? '';
  assert.match(id, /^[0-9a-f-]{36}$/, added.stderr);
  assert.equal((await rondo(['test', id, '--event', 'run.ended'])).stdout, 'Delivered: it answered 200.\n');
  assert.equal(receiver.received[0]?.payload.entity, 'run');
  assert.ok(receiver.received[0]?.headers['x-mlflow-signature']);
  status = 500;
  const failed = await rondo(['test', id]);
  assert.deepEqual([failed.code, failed.stdout], [1, 'Not delivered: it answered 500.\n']);
  const [latest] = JSON.parse((await rondo(['deliveries', id, '--state', 'failed', '--json'])).stdout).items;
  assert.match((await rondo(['deliveries', id])).stdout, /alert\.opened +test .* failed +1 +it answered 500\n/);
  status = 200;
  assert.equal((await rondo(['redeliver', latest.id])).stdout, `Sends ${latest.id} again.\n`);
  await receiver.has(3);
  assert.equal((await rondo(['resume', id])).stdout, 'ci is active.\n');
  assert.match(
    (await rondo([])).stdout,
    new RegExp(`${id} +ci +active +127\\.0\\.0\\.1:\\d+ +alert\\.opened, run\\.ended`),
  );
  assert.equal((await rondo(['remove', id])).stdout, `Removed ${id}.\n`);
  assert.equal((await rondo([])).stdout, 'No webhooks.\n');
  const gone = await rondo(['remove', id]);
  assert.match(gone.stderr, /^error\[notify\/webhook-not-found\]: .*\n {2}fix: .+\n$/);
});
