/** Unmodified MLflow clients from PyPI, of several versions, against the server as users start it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';

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
      const { code, output } = await journey({ python, home, url: server.url });
      assert.equal(code, 0, output);
      assert.match(output, /^all steps passed$/m);
      context.diagnostic(/^mlflow [\d.]+/m.exec(output)?.[0] ?? output);
    });
  }
});

async function journey({
  python,
  home,
  url,
}: {
  readonly python: string;
  readonly home: string;
  readonly url: string;
}) {
  const child = spawn(python, [join(import.meta.dirname, 'journey.py')], {
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      PYTHONDONTWRITEBYTECODE: '1',
      MLFLOW_TRACKING_URI: url,
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      MLFLOW_HTTP_REQUEST_TIMEOUT: '30',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code]: (number | null)[] = await once(child, 'close');
  return { code, output };
}
