/**
 * Moving in and out against MLflow's own server, with content that its unmodified client made: what that client sees of Rondo
 * afterwards is compared with what it saw before, field by field.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { connect } from '../../src/client/client.ts';
import { canonical } from '../../src/interop/import-report.ts';
import type { MlflowSource } from '../../src/interop/mlflow-source.ts';
import { openMlflowSource } from '../../src/interop/open-source-adapter.ts';
import { eachDatabase } from '../../src/storage/test-databases.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import { type MlflowServer, startMlflowServer } from './differential/mlflow-server.ts';
import { findPythonClients } from './python-env.ts';
import { openPythonForks, type PythonForks } from './python-forks.ts';
import { withoutInference } from './without-inference.ts';

const python = findPythonClients();
const skip = python === undefined && 'no MLflow here: npm run setup:tests installs it';
const here = import.meta.dirname;
const program = join(here, '..', '..', 'bin', 'rondo.mjs');

let folder: AsyncDisposable & { readonly path: string };
let forks: PythonForks;
let old: MlflowServer;
let seen: View;

type View = Record<'experiments' | 'runs' | 'logged models' | 'models' | 'versions', Record<string, unknown>>;
type Report = {
  readonly counts: Record<string, { source: number; here: number; sourceDigest: string; hereDigest: string }>;
  readonly added: number;
  readonly changed: number;
  readonly differences: { readonly total: number; readonly first: readonly string[] };
  readonly unreachable: { readonly total: number; readonly first: readonly string[] };
  readonly notReadAgain: { readonly runs: number; readonly artifacts: number };
  readonly leftOut: Record<string, number>;
};

const serverOptions = (at: string) => ({
  python: python ?? '',
  folder: at,
  workers: 1,
  env: {
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', // ten processes that nobody needs here
    MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true',
  },
});

before(async () => {
  if (python === undefined) return;
  folder = await mkdtempDisposable(join(tmpdir(), 'rondo-moving-'));
  forks = openPythonForks({
    python,
    modules: ['mlflow', 'mlflow.sklearn', 'sklearn.linear_model'],
    folder: folder.path,
    env: {
      PATH: process.env['PATH'],
      HOME: folder.path,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      GIT_PYTHON_REFRESH: 'quiet',
      ...withoutInference,
    },
  });
  await mkdir(join(folder.path, 'old'));
  old = await startMlflowServer(serverOptions(join(folder.path, 'old')));
  await runPython('content.py', { MLFLOW_TRACKING_URI: old.url, WITH_PROMPTS: 'yes', WITH_WHAT_STAYS: 'yes' });
  seen = await view(old.url);
});
after(async () => {
  await forks?.[Symbol.asyncDispose]();
  await old?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

test('from a server: the client sees of Rondo what it saw of MLflow', { skip, timeout: 600_000 }, async () => {
  const dataFolder = join(folder.path, 'from-server');
  const dry = await rondo(['import', 'mlflow', old.url, '--dry-run', '--data', dataFolder]);
  assert.equal(dry.code, 0, dry.stderr);
  assert.ok(dry.report.added > 25, 'what would come');
  const ran = await rondo(['import', 'mlflow', old.url, '--data', dataFolder]);
  assertSame(ran);
  assert.ok((ran.report.counts.points?.here ?? 0) > 26_000);
  assert.deepEqual(ran.report.leftOut, { webhooks: 1, 'experiments with traces': 1 });
  await using server = await spawnServer({ dataFolder });
  assert.deepEqual(await view(server.url), seen);

  const again = await rondo(['import', 'mlflow', old.url, '--server', server.url, '--data', dataFolder]);
  assertSame(again);
  assert.equal(again.report.added + again.report.changed, 0, 'a second import brings nothing twice');
  assert.ok(again.report.notReadAgain.runs > 5 && again.report.notReadAgain.artifacts > 10);
  const deep = await rondo(['import', 'mlflow', old.url, '--deep', '--server', server.url, '--data', dataFolder]);
  assertSame(deep);
  assert.deepEqual(deep.report.notReadAgain, { runs: 0, artifacts: 0 });

  const { items } = await server.must<{ items: { endedAt?: number; report?: unknown }[] }>('GET', '/api/v1/imports');
  assert.equal(items.filter(({ endedAt, report }) => endedAt !== undefined && report !== undefined).length, 3);
});

test('from a database, killed again and again until it is done', { skip, timeout: 600_000 }, async (context) => {
  const dataFolder = join(folder.path, 'killed');
  const source = `sqlite:///${join(folder.path, 'old', 'mlflow.db')}`;
  const words = [
    'import',
    'mlflow',
    source,
    '--artifacts',
    join(folder.path, 'old', 'artifacts'),
    '--data',
    dataFolder,
  ];
  let kills = 0;
  for (; ; kills += 1) {
    const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    await Promise.race([once(child.stderr, 'data'), ended]); // the first line of its progress
    const timer = setTimeout(() => child.kill('SIGKILL'), kills === 0 ? 0 : 100 * 2 ** kills);
    const [code] = await ended;
    clearTimeout(timer);
    if (code !== null) break;
  }
  context.diagnostic(`${kills} kills`);
  assert.ok(kills > 0);
  const ran = await rondo(words);
  assertSame(ran);
  assert.equal(ran.report.added + ran.report.changed, 0, 'the import that came to its end left nothing to bring');
  await using server = await spawnServer({ dataFolder });
  assert.deepEqual(await view(server.url), seen);
});

test('what was changed here since is mended, and what cannot be is told', { skip, timeout: 600_000 }, async () => {
  const dataFolder = join(folder.path, 'killed');
  {
    using here = new DatabaseSync(join(dataFolder, 'rondo.db'));
    const change = (sql: string) => assert.equal(here.prepare(sql).run().changes, 1, sql);
    change("update run_params set value = '4' where key = 'depth'");
    change("update registered_models set description = 'another' where name = 'iris'");
    change(
      "update artifacts set digest = (select digest from artifacts where key like '%/named/deep') where key like '%/named/a+b=c.bin'",
    );
    const ofKey = (key: string) => `series_id = (select id from metric_series where key = '${key}')`;
    change(`delete from metric_points where ${ofKey('curve')} and step = 25000`);
    change(`update metric_points set value = 7 where ${ofKey('curve')} and step = 12`);
  }
  const source = join(folder.path, 'old', 'mlflow.db');
  const words = [
    'import',
    'mlflow',
    source,
    '--artifacts',
    join(folder.path, 'old', 'artifacts'),
    '--data',
    dataFolder,
  ];
  const ran = await rondo(words);
  assert.equal(ran.code, 1, 'a point that only this side has is never taken away');
  assert.equal(ran.report.changed, 3, 'the param, the description and the file');
  assert.equal(ran.report.differences.total, 1, ran.report.differences.first.join('\n'));
  assert.match(ran.report.differences.first[0] ?? '', /\(long\): (\d+) points there, \d+ here/);
  const { points } = ran.report.counts;
  assert.equal(
    points?.here,
    (points?.source ?? 0) + 1,
    'the lost one came back, the changed one stands beside its own',
  );
});

test('from a folder mlruns, also one that was moved', { skip, timeout: 600_000 }, async () => {
  const before = join(folder.path, 'where-it-was', 'mlruns');
  await mkdir(join(before, '..'), { recursive: true });
  const env = { MLFLOW_TRACKING_URI: `file://${before}`, MLFLOW_ALLOW_FILE_STORE: 'true' };
  await runPython('content.py', env, ['100']);
  const files = withoutTypes(await view(env.MLFLOW_TRACKING_URI, env));
  const whereItWas = await rondo(['import', 'mlflow', before, '--data', join(folder.path, 'from-folder')]);
  assertSame(whereItWas);
  const source = join(folder.path, 'moved', 'mlruns');
  await mkdir(join(source, '..'));
  await rename(before, source);
  const dataFolder = join(folder.path, 'from-moved-folder');
  const ran = await rondo(['import', 'mlflow', source, '--data', dataFolder]);
  assertSame(ran);
  assert.deepEqual(ran.report.counts, whereItWas.report.counts);
  await using server = await spawnServer({ dataFolder });
  assert.deepEqual(withoutTypes(await view(server.url)), files);
});

test('a name that is taken here is refused, and nothing here changes', { skip, timeout: 600_000 }, async () => {
  await using server = await spawnServer({ dataFolder: join(folder.path, 'taken') });
  const [[, experiment] = []] = Object.entries(seen.experiments).filter(([id]) => id !== '0');
  const { name } = experiment as { name: string };
  for (const other of ['first', name]) await server.must('POST', '/api/2.0/mlflow/experiments/create', { name: other });
  const { code, error } = await rondo(['import', 'mlflow', old.url, '--server', server.url]);
  assert.equal(code, 1);
  assert.equal(error?.code, 'interop/collision');
  assert.match(error?.fix ?? '', /--data/);
});

eachDatabase((name, open) => {
  if (name === 'sqlite') return;
  test('a server and its database hold the same, in SQLite and in PostgreSQL', { skip, timeout: 600_000 }, async () => {
    await using database = await open();
    const file = join(folder.path, 'old', 'mlflow.db');
    await copyToPostgres(file, `${database.url}_mlflow`);
    const artifacts = join(folder.path, 'old', 'artifacts');
    const addresses = [old.url, file, `${database.url?.replace('postgres:', 'postgresql+psycopg2:')}_mlflow`];
    const [server, ...others] = await Promise.all(addresses.map((address) => contentOf(address, artifacts)));
    for (const other of others) assert.deepEqual(other, server);
  });
});

test('out to another MLflow server, broken off and begun again', { skip, timeout: 600_000 }, async () => {
  const dataFolder = join(folder.path, 'from-server');
  const at = join(folder.path, 'new');
  await mkdir(at);
  await using target = await startMlflowServer(serverOptions(at));
  const words = ['export', 'mlflow', target.url, '--data', dataFolder, '--mapping', join(folder.path, 'mapping.jsonl')];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' });
  child.stderr.on('data', (part) => String(part).includes('metric points') && child.kill('SIGKILL'));
  await once(child, 'exit');
  const ran = await rondo(words);
  assertSame(ran);

  const lines = (await readFile(join(folder.path, 'mapping.jsonl'), 'utf8')).trim().split('\n');
  const runs = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'run');
  const there = await view(target.url);
  assert.equal(runs.length, Object.keys(seen.runs).length);
  assert.deepEqual(Object.keys(there.runs).toSorted(), runs.map(({ to }) => to).toSorted(), 'each run once');
  assert.deepEqual(Object.keys(there.versions), Object.keys(seen.versions), 'numbers stay, also behind a gap');
  for (const { from, to } of runs) {
    const [one, other] = [seen.runs[from], there.runs[to]] as {
      histories: unknown;
      params: unknown;
      artifacts: unknown;
    }[];
    for (const field of ['histories', 'params', 'artifacts', 'datasets'] as const) {
      assert.deepEqual(other?.[field as 'params'], one?.[field as 'params'], `${from}: ${field}`);
    }
  }
  const again = await rondo(words);
  assertSame(again);
  assert.equal(Object.keys((await view(target.url)).runs).length, runs.length);
});

test('`rondo/client` logs to MLflow’s server as it does to Rondo', { skip, timeout: 600_000 }, async () => {
  const client = connect({ url: old.url, spoolFolder: join(folder.path, 'spool') });
  await client.setExperiment('from TypeScript');
  const id = await client.startRun({ runName: 'trees' }, async (run) => {
    await run.logParams({ trees: 300 });
    await run.logInput({ name: 'train', digest: '9f2c41', source: 'data/train.parquet', context: 'training' });
    for (let step = 0; step < 2_500; step++) run.logMetrics({ loss: 1 / (step + 1), nan: Number.NaN }, { step });
    await run.logText('hello', 'notes/a b.txt');
    const signature = { inputs: [{ name: 'x', dtype: 'float32', shape: [-1, 1] }], outputs: [] };
    const model = await run.logModel({ name: 'model', files: { 'model.onnx': Buffer.from('bytes') }, signature });
    const { version } = await client.registerModel({ name: 'from-ts', model, runId: run.id });
    await client.setRegisteredModelAlias('from-ts', 'newest', version);
    return run.id;
  });
  const { status, params, metrics } = await client.getRun(id);
  assert.deepEqual([status, params, metrics['nan']], ['FINISHED', { trees: '300' }, Number.NaN]);
  assert.equal((await client.getMetricHistory(id, 'loss')).length, 2_500);
  const there = await view(old.url);
  assert.ok(there.versions['from-ts/1']);
  const { artifacts } = there.runs[id] as { artifacts: Record<string, string> };
  assert.deepEqual(Object.keys(artifacts), ['notes/a b.txt']);
});

function assertSame({ report, code, stderr }: Ran): void {
  assert.ok(report, stderr);
  assert.deepEqual(report.differences.first, []);
  assert.deepEqual(report.unreachable.first, []);
  for (const [kind, one] of Object.entries(report.counts)) {
    assert.equal(one.here, one.source, kind);
    assert.equal(one.hereDigest, one.sourceDigest, kind);
  }
  assert.equal(code, 0, stderr);
}

type Ran = {
  readonly code: number | null;
  readonly report: Report;
  readonly error: { readonly code: string; readonly fix?: string } | undefined;
  readonly stderr: string;
};

async function rondo(words: readonly string[]): Promise<Ran> {
  const env = { PATH: process.env['PATH'], HOME: folder.path };
  const child = spawn(process.execPath, [program, ...words, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (part) => (texts.out += part));
  child.stderr.on('data', (part) => (texts.err += part));
  const [code] = await once(child, 'close');
  const line = texts.err.split('\n').find((one) => one.startsWith('{"error"'));
  return {
    code,
    report: (texts.out === '' ? undefined : JSON.parse(texts.out)) as Report,
    error: line === undefined ? undefined : JSON.parse(line).error,
    stderr: texts.err,
  };
}

/** All that the unmodified client sees, artifacts by digest. */
async function view(url: string, env: Readonly<Record<string, string>> = {}): Promise<View> {
  return JSON.parse(await runPython('view.py', { ...env, MLFLOW_TRACKING_URI: url }, ['--artifacts']));
}

function runPython(
  script: string,
  env: Readonly<Record<string, string>>,
  words: readonly string[] = [],
): Promise<string> {
  return forks.run({ path: join(here, 'moving', script), words, env });
}

/**
 * A file store read without a server has None where its API has '', infinities, doubled points where a
 * database has one, and its own addresses: none of that is content.
 */
function withoutTypes(of: View): unknown {
  return JSON.parse(JSON.stringify(of), (key, value) => {
    if (key === 'location' || key === 'source' || key === 'artifact_location') return '';
    if (value === 'inf' || value === '-inf') return value.replace('inf', '1.7976931348623157e+308');
    if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(one)))].sort();
    return value ?? '';
  });
}

/** Everything of a source but what only one of them can say, in one order. */
async function contentOf(address: string, artifacts: string): Promise<Readonly<Record<string, readonly string[]>>> {
  await using source = await openMlflowSource({ address, cwd: '/', artifacts, signal: AbortSignal.timeout(500_000) });
  const all = async <T>(pages: AsyncIterable<readonly T[]>, say: (one: T) => readonly string[]) => {
    const found: string[] = [];
    for await (const page of pages) for (const one of page) found.push(...say(one));
    return found.toSorted();
  };
  return {
    experiments: await all(source.experiments(), (one) => [canonical(one)]),
    runs: await all(source.runs(), ({ deletedAt: _, ...run }) => [canonical(run)]),
    points: await pointsOf(source),
    loggedModels: await all(source.loggedModels(), (one) => [canonical(one)]),
    models: await all(source.models(), (one) => [canonical(one)]),
    versions: await all(versionsOf(source), (one) => (one.deleted ? [] : [canonical(one)])),
  };
}

async function* versionsOf(source: MlflowSource) {
  for await (const models of source.models()) yield* source.versions(models);
}

async function pointsOf(source: MlflowSource): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const runs of source.runs()) {
    for await (const { runId, key, steps, timestamps, values } of source.points(runs)) {
      for (const [at, step] of steps.entries()) found.push(`${runId} ${key} ${step} ${timestamps[at]} ${values[at]}`);
    }
  }
  return found.toSorted();
}

/** The tables of an MLflow in SQLite, as its server would have them in PostgreSQL. */
async function copyToPostgres(file: string, url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const admin = new pg.Client({ connectionString: url.replace(/_mlflow$/, '') });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  using source = new DatabaseSync(file, { readOnly: true });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const tables = source.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[];
  for (const table of tables.map((one) => one.name)) {
    const columns = source.prepare('select name, type from pragma_table_info(?)').all(table) as {
      name: string;
      type: string;
    }[];
    const typed = columns.map((column) => `"${column.name}" ${postgresType(column.type)}`);
    await client.query(`create table "${table}" (${typed.join(', ')})`);
    // Everything as text: node:sqlite refuses long integers, and PostgreSQL reads them from it.
    const texts = columns.map(({ name: column, type }) =>
      /FLOAT/.test(type) ? `"${column}"` : `cast("${column}" as text) as "${column}"`,
    );
    const rows = source.prepare(`select ${texts.join(', ')} from "${table}"`).all();
    await client.query(`insert into "${table}" select * from json_populate_recordset(null::"${table}", $1)`, [
      JSON.stringify(rows),
    ]);
  }
  await client.end();
}

const postgresType = (type: string): string => {
  if (/BIGINT/.test(type)) return 'bigint';
  if (/INT/.test(type)) return 'integer';
  if (/FLOAT/.test(type)) return 'double precision';
  return /BOOL/.test(type) ? 'boolean' : 'text';
};
