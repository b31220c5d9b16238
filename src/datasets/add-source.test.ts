import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { JobContext } from '../jobs/job.ts';
import { type AddInput, addSource, inferFromSource, materialise } from './add-source-adapter.ts';
import type { Check } from './data-config.ts';

const context: JobContext = {
  signal: new AbortController().signal,
  progress() {},
  log() {},
  startGroup: (start) => start(),
};

async function openHouse() {
  const temp = await mkdtempDisposable(join(tmpdir(), 'rondo-datasets-'));
  const projectFolder = join(temp.path, 'project');
  const folders = { folder: join(temp.path, 'datasets'), tempFolder: join(temp.path, 'temp') };
  await mkdir(projectFolder);
  const input = (source: string, checks: readonly Check[] = []): AddInput => ({
    project: 'p',
    name: 'd',
    projectFolder,
    source,
    checks,
  });
  return {
    folders,
    project: (path: string) => join(projectFolder, path),
    add: (source: string, checks?: readonly Check[]) => addSource(folders, input(source, checks), context),
    infer: (source: string) => inferFromSource(folders, input(source), context),
    checkout: (root: string) => materialise(folders, root, context.signal),
    [Symbol.asyncDispose]: async () => {
      await chmod(folders.folder, 0o700).catch(() => {});
      await temp.remove();
    },
  };
}

const csv = (rows: readonly unknown[][]) => rows.map((row) => row.join(',')).join('\n');

test('a folder comes back as it was, and the same files are the same version', async () => {
  await using house = await openHouse();
  await mkdir(house.project('images/deep'), { recursive: true });
  const big = Buffer.alloc(5_000_000, 'a line that repeats itself, ');
  await writeFile(house.project('images/deep/big.bin'), big);
  await writeFile(house.project('images/small.bin'), 'x');
  await writeFile(house.project('images/empty.bin'), '');
  await writeFile(house.project('images/.hidden'), 'not part of it');
  const first = await house.add('images');
  assert.equal(first.tree?.files, 3);
  const path = await house.checkout(first.tree?.root ?? '');
  assert.deepEqual(await readFile(join(path, 'deep/big.bin')), big);
  assert.equal(await readFile(join(path, 'empty.bin'), 'utf8'), '');
  const again = await house.add('images');
  assert.deepEqual([again.tree?.root, again.tree?.newBytes], [first.tree?.root, 0]);
});

test('of a changed file only the chunks around the change are kept anew', async () => {
  await using house = await openHouse();
  const lines = Array.from({ length: 100_000 }, (_, i) => `${i},${(i * 7919) % 10_007},${Math.sin(i)}`);
  await writeFile(house.project('a.csv'), lines.join('\n'));
  const first = await house.add('a.csv');
  await writeFile(house.project('a.csv'), lines.toSpliced(50_000, 0, 'a,new,line').join('\n'));
  const second = await house.add('a.csv');
  assert.notEqual(second.tree?.root, first.tree?.root);
  assert.ok((second.tree?.newBytes ?? 0) < 400_000, `${second.tree?.newBytes} of ${second.tree?.bytes}`);
});

test('every kind of check says what breaks it, with row numbers from 1', async () => {
  await using house = await openHouse();
  await writeFile(
    house.project('t.csv'),
    csv([
      ['id', 'x', 'code', 'when'],
      [1, 0.5, 'AB', '2001-01-01'],
      [2, 'nan', 'ab', '2001-06-01'],
      [2, 7, '', '1999-01-01'],
    ]),
  );
  const { scan } = await house.add('t.csv', [
    { column: 'x', between: [0, 1], severity: 'warn' },
    { column: 'code', matches: '^[A-Z]{2}$', severity: 'warn' },
    { column: 'code', notNull: true, severity: 'warn' },
    { column: 'id', unique: true, severity: 'warn' },
    { column: 'id', in: [1, 3], severity: 'warn' },
    { column: 'when', min: '2000-01-01', severity: 'warn' },
    { column: 'id', type: 'integer' },
    { column: 'code', between: [0, 1], severity: 'warn' },
    { column: 'gone', notNull: true, severity: 'warn' },
    { rows: { min: 3, max: 3 } },
    { column: 'id', max: 1, tolerate: '70%' },
  ]);
  assert.deepEqual(
    scan.checks.map(({ name, verdict, failing, samples }) => [
      name,
      verdict.outcome,
      failing,
      samples.map(({ row, value }) => `${row}:${value}`),
    ]),
    [
      ['x between 0 and 1', 'fail', 2, ['2:nan', '3:7.0']],
      ['code matches ^[A-Z]{2}$', 'fail', 1, ['2:ab']],
      ['code is never null', 'fail', 1, ['3:null']],
      ['id is unique', 'fail', 1, ['2:2', '3:2']],
      ['id is one of 1, 3', 'fail', 2, ['2:2', '3:2']],
      ['when at least 2000-01-01', 'fail', 1, ['3:1999-01-01']],
      ['id is integer', 'pass', 0, []],
      ['code between 0 and 1', 'fail', 3, []],
      ['gone is never null', 'fail', 3, []],
      ['between 3 and 3 rows', 'pass', 0, []],
      ['id at most 1', 'pass', 2, ['2:2', '3:2']],
    ],
  );
  assert.equal(scan.checks[7]?.verdict.reason, 'code is VARCHAR; only numbers and times have a range.');
  assert.equal(scan.profile?.columns.find(({ name }) => name === 'x')?.nan, 1);
});

test('data that breaks an error check is not kept, a warning keeps nothing out', async () => {
  await using house = await openHouse();
  await writeFile(house.project('t.csv'), csv([['x'], [1], [-1]]));
  const refused = await house.add('t.csv', [{ column: 'x', min: 0 }]);
  assert.equal(refused.tree, undefined);
  assert.deepEqual(await readdir(house.folders.folder).catch(() => []), []);
  const warned = await house.add('t.csv', [{ column: 'x', min: 0, severity: 'warn' }]);
  assert.equal(warned.tree?.files, 1);
});

test('without rows a column check is inconclusive, and that keeps nothing out', async () => {
  await using house = await openHouse();
  await writeFile(house.project('t.csv'), 'x\n');
  const { scan, tree } = await house.add('t.csv', [{ column: 'x', notNull: true }]);
  assert.deepEqual([scan.checks[0]?.verdict.outcome, tree?.files], ['inconclusive', 1]);
});

test('names and values with quotes in them stay names and values', async () => {
  await using house = await openHouse();
  await writeFile(house.project("it's.jsonl"), JSON.stringify({ 'a "b" c': "'; DROP TABLE x; --" }));
  const { scan } = await house.add("it's.jsonl", [{ column: 'a "b" c', in: ["'; DROP TABLE x; --"] }]);
  assert.equal(scan.checks[0]?.verdict.outcome, 'pass', scan.checks[0]?.verdict.reason ?? '');
});

test('a pattern that is none is told with its place', async () => {
  await using house = await openHouse();
  await writeFile(house.project('t.csv'), 'x\na\n');
  await assert.rejects(house.add('t.csv', [{ column: 'x', matches: '[a' }]), { code: 'datasets/bad-check' });
});

test('a source does not leave the project folder, not even through links', async () => {
  await using house = await openHouse();
  await writeFile(house.project('../outside.csv'), 'x\n1\n');
  await symlink(house.project('../outside.csv'), house.project('link.csv'));
  await symlink(house.project('..'), house.project('up'));
  for (const source of ['../outside.csv', '/etc/passwd', 's3://bucket/x', 'file:///etc/passwd']) {
    await assert.rejects(house.add(source), { code: 'datasets/bad-source' }, source);
  }
  for (const source of ['link.csv', 'up/outside.csv', '*.csv']) {
    await assert.rejects(house.add(source), { code: 'datasets/link-refused' }, source);
  }
  await assert.rejects(house.add('missing.csv'), { code: 'datasets/no-files' });
});

test('suggested checks follow the data, and the data passes them', async () => {
  await using house = await openHouse();
  const rows = Array.from({ length: 200 }, (_, i) => [
    i,
    ['red', 'green'][i % 2],
    `K-${String(i).padStart(4, '0')}`,
    i % 10 === 0 ? '' : i / 10,
    -i,
  ]);
  await writeFile(house.project('t.csv'), csv([['id', 'colour', 'code', 'gaps', 'minus'], ...rows]));
  const { checks, yaml } = await house.infer('t.csv');
  assert.deepEqual(checks, [
    { column: 'id', notNull: true },
    { column: 'id', unique: true },
    { column: 'id', min: 0 },
    { column: 'colour', notNull: true },
    { column: 'colour', in: ['green', 'red'] },
    { column: 'code', notNull: true },
    { column: 'code', unique: true },
    { column: 'code', matches: '^[A-Z]-[0-9]{4}$' },
    { column: 'gaps', notNull: true, tolerate: 0.15 },
    { column: 'gaps', min: 0 },
    { column: 'minus', notNull: true },
    { column: 'minus', unique: true },
    { rows: { min: 100 } },
  ]);
  assert.match(yaml, /^checks:\n {2}- \{ column: id, notNull: true \}\n/);
  const { scan } = await house.add('t.csv', checks);
  assert.ok(scan.checks.every(({ verdict }) => verdict.outcome === 'pass'));
});

test('DuckDB reads what it was given and nothing else', async () => {
  await using house = await openHouse();
  await writeFile(house.project('t.csv'), 'x\n1\n');
  using db = await openDuckDb({ folders: [house.project('.')], tempFolder: house.folders.tempFolder });
  assert.deepEqual(await db.rows(`SELECT x FROM read_csv('${house.project('t.csv')}')`), [{ x: 1 }]);
  for (const sql of [
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM glob('/etc/*')`,
    `COPY (SELECT 1) TO '${join(tmpdir(), 'rondo-escape.csv')}'`,
    `ATTACH '${join(tmpdir(), 'rondo-escape.db')}'`,
    'INSTALL httpfs',
    `SET memory_limit = '64GB'`,
    `SELECT * FROM read_parquet('https://example.org/x.parquet')`,
  ]) {
    await assert.rejects(db.rows(sql), /Permission|configuration|locked/i, sql);
  }
});
