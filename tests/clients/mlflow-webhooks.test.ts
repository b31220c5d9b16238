/** Webhooks through the unmodified `mlflow` client, received and verified by its own code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';

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
    const child = spawn(python, [join(import.meta.dirname, 'webhooks.py')], {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        HOME: folder.path,
        MLFLOW_TRACKING_URI: server.url,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
        MLFLOW_DISABLE_TELEMETRY: 'true',
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    assert.match(output, /^all steps passed$/m);
  });
});
