/** Webhooks through the unmodified `mlflow` client, received and verified by its own code. */
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
  test(`${database}: an unmodified mlflow client makes webhooks, and its own code verifies what comes`, {
    skip,
    timeout: 300_000,
  }, async () => {
    assert.ok(python); // the test is skipped without it
    await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-webhooks-'));
    await using server = await spawnServer({
      dataFolder: join(folder.path, 'data'),
      env: {
        DATABASE_URL: await newUrl(),
        ...{ MLFLOW_WEBHOOK_ALLOWED_SCHEMES: 'http', MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true' },
        MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX: '^(s3://bucket/|dummy-source$)',
      },
    });
    await runSteps(python, 'webhooks.py', { url: server.url, home: folder.path });
  });
});
