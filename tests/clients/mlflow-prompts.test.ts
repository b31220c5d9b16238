/** Prompts through the unmodified `mlflow` client, as far as they are entries of the registry. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';
import { runSteps } from './run-steps.ts';

const python = findPythonClients();
const skip = python === undefined && 'no Python clients here: npm run setup:tests installs them';

eachDatabaseUrl(extent.databases, (database, newUrl) => {
  test(`${database}: an unmodified mlflow client registers, names, finds, loads and deletes prompts`, {
    skip,
    timeout: 300_000,
  }, async () => {
    assert.ok(python); // the test is skipped without it
    await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-prompts-'));
    await using server = await spawnServer({
      dataFolder: join(folder.path, 'data'),
      env: { DATABASE_URL: await newUrl() },
    });
    await runSteps(python, 'prompts.py', { url: server.url, home: folder.path });
  });
});
