/** The unmodified `mlflow` client from PyPI against the server as users start it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { findPythonClients } from './python-env.ts';

const root = join(import.meta.dirname, '..', '..');
const python = findPythonClients();
const skip = python === undefined && 'no Python clients here: npm run setup:tests installs them';

test('an unmodified mlflow client logs, registers and loads models', { skip, timeout: 600_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-mlflow-'));
  await using server = await startServer(folder.path);
  const { code, output } = await journey(server.url, folder.path);
  assert.equal(code, 0, output);
  assert.match(output, /^all steps passed$/m);
});

async function journey(url: string, home: string): Promise<{ code: number | null; output: string }> {
  assert.ok(python); // the test is skipped without it
  const child = spawn(python, [join(import.meta.dirname, 'journey.py')], {
    cwd: home,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      MLFLOW_TRACKING_URI: url,
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      MLFLOW_HTTP_REQUEST_TIMEOUT: '30',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** `rondo up` on a free port; resolves with the address that it prints. */
async function startServer(folder: string): Promise<AsyncDisposable & { readonly url: string }> {
  const args = [join(root, 'bin', 'rondo.mjs'), '--data', join(folder, 'data'), 'up', '--port', '0'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const url = await Promise.race([
    addressOf(child, lines),
    once(child, 'exit').then(() => assert.fail(`the server did not start:\n${lines.join('\n')}`)),
  ]);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

function addressOf(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
        if (address) resolve(address[0]);
      });
    }
  });
}
