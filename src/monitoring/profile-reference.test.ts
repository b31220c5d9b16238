import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { profileReference } from './profile-reference-adapter.ts';
import { allDays, type ReferenceProfile, slidingWindows } from './reference-profile.ts';

const context = {
  signal: new AbortController().signal,
  progress: () => {},
  log: () => {},
  startGroup: <P>(start: () => P) => start(),
};

test('counts every feature of a training file per day, and leaves out what is none', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-profile-'));
  const file = join(folder.path, 'train.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (
    SELECT i AS flight_id, TIMESTAMP '2001-01-01' + INTERVAL (i // 100) DAY AS date, i % 7 AS weekday,
      CASE WHEN i % 10 = 0 THEN NULL ELSE i / 3.0 END AS distance, CASE WHEN i % 2 = 0 THEN 'ATL' ELSE 'ORD' END AS origin, i % 5 = 0 AS late
    FROM range(1000) t(i)) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();

  const output = join(folder.path, 'profile.json');
  const done = await profileReference(
    { file, time: 'date', leaveOut: ['flight_id', 'late'], tempFolder: folder.path, output },
    context,
  );
  assert.deepEqual(done.features, ['weekday', 'distance', 'origin']);
  const profile: ReferenceProfile = JSON.parse(await readFile(output, 'utf8'));
  const { weekday, distance, origin } = profile.features;
  assert.ok(weekday && distance && origin);
  assert.equal(profile.rows, 1000);
  assert.equal(weekday.days.length, 10);
  assert.equal(weekday.days[0]?.day, Date.UTC(2001, 0, 1));
  assert.deepEqual(origin.bins, { kind: 'categorical', categories: ['ATL', 'ORD'] });
  assert.deepEqual(allDays(origin), [500, 500, 0, 0]);
  assert.equal(allDays(distance).at(-1), 100, 'missing values have a cell of their own');
  assert.equal(slidingWindows(weekday, 7 * 86_400_000).length, 4);
});
