/** Sources as people have them: what is none is told, and what MLflow wrote is read as it was meant. */
import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import type { MlflowSource } from './mlflow-source.ts';
import { openMlflowSource } from './open-source-adapter.ts';

const run = 'ab'.repeat(16);
const files: Readonly<Record<string, string>> = {
  'mlruns/0/meta.yaml':
    "artifact_location: s3://bucket/0\ncreation_time: 1\nexperiment_id: '0'\nlast_update_time: 2\nlifecycle_stage: active\nname: 1e3\n",
  [`mlruns/0/${run}/meta.yaml`]:
    `artifact_uri: s3://bucket/0/${run}/artifacts\nend_time: null\nexperiment_id: '0'\nlifecycle_stage: active\n` +
    `run_id: ${run}\nrun_name: 'null'\nrun_uuid: ${run}\nstart_time: 5\nstatus: 1\nuser_id: yes-man\n`,
  [`mlruns/0/${run}/params/a/b`]: 'line\nbreak',
  [`mlruns/0/${run}/metrics/loss`]: '10 0.5 1\n10 0.5 1\n20 nan 2\n30 -inf 3 data digest\n40 1e-05\n\n',
};

async function openFiles(more: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rondo-source-'));
  for (const [path, text] of Object.entries({ ...files, ...more })) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  return folder;
}

const open = (address: string, cwd: string) => openMlflowSource({ address, cwd, signal: AbortSignal.timeout(60_000) });

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  return (await Array.fromAsync(pages)).flat();
}

test('a folder is read as MLflow meant it: plain YAML is text, doubled lines are one point', async () => {
  await using folder = await openFiles();
  await using source: MlflowSource = await open('mlruns', folder.path);
  const [experiment] = await all(source.experiments());
  assert.equal(experiment?.name, '1e3');
  const runs = await all(source.runs());
  const [found] = runs;
  assert.ok(found);
  assert.deepEqual([found.name, found.userId, found.status, found.endTime], ['null', 'yes-man', 'RUNNING', undefined]);
  assert.deepEqual(found.params, [{ key: 'a/b', value: 'line\nbreak' }]);
  const [points] = await Array.fromAsync(source.points(runs));
  assert.deepEqual(points?.timestamps, [10, 20, 30, 40]);
  assert.deepEqual(points?.steps, [1, 2, 3, 0]);
  assert.deepEqual(points?.values, [0.5, 'NaN', -Number.MAX_VALUE, 0.00001]);
});

test('artifacts in a bucket stay there', async () => {
  await using folder = await openFiles();
  await using source = await open(`file://${folder.path}/mlruns`, '/');
  const owner = { kind: 'run', id: run, experimentId: '0', location: `s3://bucket/0/${run}/artifacts` } as const;
  assert.deepEqual(await source.artifacts(owner), { kind: 'stays' });
});

test('a line that is no point is told, with what it says', async () => {
  await using folder = await openFiles({ [`mlruns/0/${run}/metrics/loss`]: '10 zero 1\n' });
  await using source = await open('mlruns', folder.path);
  const runs = await all(source.runs());
  await assert.rejects(Array.fromAsync(source.points(runs)), { code: 'interop/unreadable', message: /zero/ });
});

test('what is no MLflow is refused with what would be one', async () => {
  await using folder = await openFiles({ 'no.db': 'text', 'empty/x': '' });
  new DatabaseSync(join(folder.path, 'other.db')).exec('create table t (x)');
  const refusals = [
    'nowhere',
    'no.db',
    'sqlite:///no.db',
    'sqlite:///other.db',
    'empty',
    'sqlite:///empty',
    'sqlite://',
    'mysql://u:secret@h/d',
    'ftp://h',
  ];
  for (const address of refusals) {
    await assert.rejects(open(address, folder.path), (error) => {
      assert.ok(error instanceof PlatformError, address);
      assert.equal(error.code, 'interop/bad-source', address);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/);
      return true;
    });
  }
});

test('a database of an old release is read without what it did not have', async () => {
  await using folder = await openFiles();
  {
    using database = new DatabaseSync(join(folder.path, 'old.db'));
    database.exec(`
      create table experiments (experiment_id integer, name text, artifact_location text, lifecycle_stage text);
      create table runs (run_uuid text, name text, user_id text, status text, start_time bigint, end_time bigint,
        lifecycle_stage text, artifact_uri text, experiment_id integer);
      create table metrics (key text, value float, timestamp bigint, run_uuid text);
      create table params (key text, value text, run_uuid text);
      create table tags (key text, value text, run_uuid text);
      insert into experiments values (0, 'Default', './mlruns/0', 'active');
      insert into runs values ('r', '', 'ada', 'FINISHED', 1, 2, 'active', './mlruns/0/r/artifacts', 0);
      insert into tags values ('mlflow.runName', 'named by a tag', 'r');
      insert into metrics values ('m', 0.5, 9223372036854775807, 'r');
      insert into metrics values ('m', 1e999, 1, 'r');
    `);
  }
  await using source = await open('sqlite:///old.db', folder.path);
  const runs = await all(source.runs());
  assert.deepEqual(
    runs.map(({ name, datasets, modelInputs }) => [name, datasets, modelInputs]),
    [['named by a tag', [], []]],
  );
  const [points] = await Array.fromAsync(source.points(runs));
  assert.deepEqual(points?.timestamps.toSorted(), [1, '9223372036854775807']);
  assert.ok(points?.values.includes(Number.MAX_VALUE));
  assert.deepEqual(await all(source.loggedModels()), []);
  assert.deepEqual(await all(source.models()), []);
  assert.deepEqual(await source.leftOut(), {});
});
