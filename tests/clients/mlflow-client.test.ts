/** Unmodified MLflow clients from PyPI, of several versions, against the server as users start it. */
import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';
import { runSteps } from './run-steps.ts';

eachDatabaseUrl(extent.databases, (database, newUrl) => {
  for (const client of extent.clients) {
    const python = findPythonClients(client);
    const skip = python === undefined && `no MLflow client ${client} here: npm run setup:tests installs it`;
    const claim = `${database}: the unmodified MLflow client (${client}) logs, registers, searches and loads`;
    test(claim, { skip, timeout: 600_000 }, async (context) => {
      assert.ok(python); // the test is skipped without it
      await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-mlflow-'));
      const home = join(folder.path, 'home');
      await mkdir(home);
      const url = await newUrl();
      await using server = await spawnServer({
        dataFolder: join(folder.path, 'data'),
        env: url === undefined ? {} : { DATABASE_URL: url },
      });
      const output = await runSteps(python, 'journey.py', {
        ...{ url: server.url, home },
        env: { MLFLOW_HTTP_REQUEST_TIMEOUT: '30' },
      });
      context.diagnostic(/^mlflow [\d.]+/m.exec(output)?.[0] ?? output);
    });
  }
});
