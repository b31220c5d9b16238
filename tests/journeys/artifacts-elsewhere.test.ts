/** Artifacts in a folder that only the server was told of: the commands that open the data folder without it know where they are. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { spawnServer } from './spawned-server.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'rondo.mjs');

test('what is purged without a server takes its artifacts along, wherever the server kept them', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-elsewhere-'));
  const dataFolder = join(folder.path, 'data');
  const destination = join(folder.path, 'artifacts');
  const command = (...words: readonly string[]) =>
    promisify(execFile)(process.execPath, [program, ...words, '--data', dataFolder, '--json'], {
      env: { PATH: process.env['PATH'], HOME: folder.path },
    });
  await using server = await spawnServer({ dataFolder, env: { RONDO_ARTIFACTS_DESTINATION: destination } });
  type Created = { run: { info: { run_id: string; artifact_uri: string } } };
  const { run } = await server.must<Created>('POST', '/api/2.0/mlflow/runs/create', { experiment_id: '0' });
  const key = `${run.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, '')}/a.txt`;
  await server.must('PUT', `/api/2.0/mlflow-artifacts/artifacts/${key}`, new TextEncoder().encode('hello'));
  await access(join(destination, key));
  await server.must('POST', '/api/2.0/mlflow/runs/delete', { run_id: run.info.run_id });
  await server.stop();

  await command('gc', '--older-than', '0s');
  await assert.rejects(access(join(destination, key)), { code: 'ENOENT' });

  await writeFile(join(dataFolder, 'last-server.json'), '{');
  await assert.rejects(command('gc'), /storage\/unreadable-file/);
  await using _next = await spawnServer({ dataFolder });
  await command('gc');
});
