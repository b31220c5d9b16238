/** `examples/credit` goes round the loop: a project of Python programs with the unmodified client, from its data to its retraining. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { type RolloutView, rollouts, type Spawned, spawnServer, until } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';

const python = findPythonClients();
const root = join(import.meta.dirname, '..', '..');
const patience = { seconds: 240 };

type Version = { version: number; servable: boolean; runId: string; lineage: { datasets: { name: string }[] } };

eachDatabaseUrl(extent.databases, (database, newUrl) => {
  test(`${database}: credit: data, gates, rollout, drift, and a retraining on what was served`, {
    skip: !python && 'no Python clients',
  }, async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-credit-'));
    const folder = join(place.path, 'credit');
    await cp(join(root, 'examples', 'credit'), folder, { recursive: true });
    // The project says `python`, as its authors would in their own environment.
    const path = `${dirname(python ?? '')}${delimiter}${process.env['PATH']}`;
    const inFolder = (command: string, ...words: readonly string[]) =>
      promisify(execFile)(command, words, { cwd: folder, env: { ...process.env, PATH: path } });
    await inFolder('python', 'fetch_data.py');
    await using server = await spawnServer({
      dataFolder: join(place.path, 'data'),
      cwd: folder,
      env: { PATH: path, DATABASE_URL: await newUrl() },
    });
    const rondo = async <T>(...words: readonly string[]): Promise<T> => {
      const program = join(root, 'bin', 'rondo.mjs');
      const { stdout } = await inFolder(process.execPath, program, ...words, '--json', '--server', server.url);
      return JSON.parse(stdout) as T; // what the command documents
    };
    let day = 0;
    const replay = async (days: number) => {
      const span = ['--first', `${day + 1}`, '--last', `${day + days}`];
      const { stdout } = await inFolder('python', 'replay.py', '--url', server.url, ...span);
      day += days;
      assert.equal((JSON.parse(stdout) as { failed: number }).failed, 0);
    };

    await rondo('data', 'add', 'applications');
    await rondo('run');
    const first = await versionOf(server, 1);
    assert.ok(first.servable, JSON.stringify(first));
    const { run } = await server.must<{ run: { data: { params: { key: string }[] } } }>(
      'GET',
      `/api/2.0/mlflow/runs/get?run_id=${first.runId}`,
    );
    assert.ok(
      run.data.params.some(({ key }) => key.startsWith('classifier')),
      'what scikit-learn was told is in the run under which the version stands',
    );
    await rondo('ship', 'credit-default@1');
    await until('the first version is live', async () => (await newest(server))?.state === 'promoted');
    await replay(4);

    await rondo('run', '--param', 'kind=boosted');
    await rondo('ship', 'credit-default@2');
    const id = (await newest(server))?.id;
    while ((await settled(server)).state !== 'promoted' && day < 25) await replay(3);
    assert.deepEqual([(await newest(server))?.id, (await newest(server))?.state], [id, 'promoted']);

    type Alerts = { items: { monitor: string; items: { name: string }[] }[] };
    const alerts = () => server.must<Alerts>('GET', '/api/v1/alerts');
    await replay(25 - day);
    assert.deepEqual((await alerts()).items, [], 'nothing has changed before the campaign');
    while ((await alerts()).items.length === 0 && day < 40) await replay(1);
    const [alert] = (await alerts()).items;
    assert.deepEqual([alert?.monitor, alert?.items.some(({ name }) => name === 'credit_limit')], ['drift', true]);

    await until('the retraining has made a version', async () => (await versions(server)).length === 3, patience);
    const third = await versionOf(server, 3);
    assert.ok(
      third.lineage.datasets.some(({ name }) => name === 'recent'),
      'on logged predictions and their labels',
    );
    // It is rolled out, or refused with its reason: both are the loop.
    await until(
      'its shipment has ended',
      async () => {
        const { items } = await server.must<{ items: { type: string; data: { version?: { version: number } } }[] }>(
          'GET',
          '/api/v1/events?types=lifecycle.retraining-ended&limit=10',
        );
        return items.some(({ data }) => data.version?.version === 3);
      },
      patience,
    );
    const { bad } = await rondo<{ bad?: unknown }>('audit', 'verify');
    assert.equal(bad, undefined);
  });
});

async function versions(server: Spawned): Promise<readonly Pick<Version, 'version'>[]> {
  return (await server.must<{ versions: Version[] }>('GET', '/api/v1/models/credit-default')).versions;
}

const versionOf = (server: Spawned, version: number) =>
  server.must<Version>('GET', `/api/v1/models/credit-default/versions/${version}`);

const newest = async (server: Spawned): Promise<RolloutView | undefined> => (await rollouts(server))[0];

/** As it stands when everything that was served is weighed. */
async function settled(server: Spawned): Promise<RolloutView> {
  for (let before = ''; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    const view = await newest(server);
    assert.ok(view);
    if (view.says === before) return view;
    before = view.says;
  }
}
