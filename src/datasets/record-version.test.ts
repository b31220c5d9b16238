import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventStore } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import type { CheckResult } from './dataset.ts';
import { datasetStore } from './dataset-store.ts';
import { type AddedFiles, recordVersion } from './record-version.ts';

const key = { project: 'p', name: 'flights' };

const added = (root: string, checks: readonly CheckResult[] = []): AddedFiles => ({
  ...key,
  source: 'data/flights.parquet',
  scan: { columns: [{ name: 'x', type: 'BIGINT' }], profile: { rows: 3, columns: [] }, checks },
  tree: { root, files: 1, bytes: 100, newBytes: 60 },
});

const failing: CheckResult = {
  check: { column: 'x', min: 0 },
  name: 'x at least 0',
  severity: 'error',
  verdict: { outcome: 'fail', reason: 'x at least 0: 7 of 9 values are not.', n: 9, method: 'counted, all rows' },
  failing: 7,
  share: 7 / 9,
  samples: Array.from({ length: 7 }, (_, i) => ({ row: i + 1, value: -i })),
};

const record = (database: Database, files: AddedFiles) =>
  database.write((tx) =>
    recordVersion({ datasets: datasetStore(tx), events: eventStore(tx), now: () => 5 }, files, 'user:ada'),
  );

const events = async (database: Database) => {
  const rows = await database.read
    .withTables<{ events: { type: string; data: string } }>()
    .selectFrom('events')
    .select(['type', 'data'])
    .execute();
  return rows.map(({ type, data }) => ({ type, data: JSON.parse(data) }));
};

eachDatabase((name, open) => {
  test(`${name}: other data is the next version, the same data is the version it was`, async () => {
    await using database = await open();
    assert.equal((await record(database, added('r1'))).outcome, 'added');
    const second = await record(database, added('r2'));
    assert.deepEqual([second.outcome, 'version' in second && second.version], ['added', 2]);
    const same = await record(database, added('r1'));
    assert.deepEqual([same.outcome, 'version' in same && same.version], ['unchanged', 1]);
    const third = await record(database, added('r3'));
    assert.equal('version' in third && third.version, 3, 'no number is lost');
    const store = datasetStore(database.read);
    assert.deepEqual(
      (await store.listVersions(key, { limit: 10 })).map(({ version }) => version),
      [3, 2, 1],
    );
    assert.deepEqual(
      (await events(database)).map(({ type }) => type),
      Array(3).fill('datasets.version-added'),
    );
  });

  test(`${name}: refused data leaves an event with the failing checks and a few rows, and no version`, async () => {
    await using database = await open();
    const { tree: _tree, ...refused } = added('r1', [failing]);
    assert.equal((await record(database, refused)).outcome, 'refused');
    assert.equal(await datasetStore(database.read).find(key), undefined);
    const [event] = await events(database);
    assert.equal(event?.type, 'datasets.version-refused');
    assert.deepEqual([event?.data.failing[0].name, event?.data.failing[0].samples.length], ['x at least 0', 5]);
  });

  test(`${name}: sixteen who add at once get sixteen numbers, or one when it is the same data`, async () => {
    await using database = await open();
    const all = await Promise.all(Array.from({ length: 16 }, (_, i) => record(database, added(`r${i}`))));
    const numbers = all.map((outcome) => ('version' in outcome ? outcome.version : 0)).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    const same = await Promise.all(Array.from({ length: 16 }, () => record(database, added('again'))));
    assert.deepEqual(new Set(same.map((outcome) => ('version' in outcome ? outcome.version : 0))), new Set([17]));
    assert.equal(same.filter(({ outcome }) => outcome === 'added').length, 1);
  });
});
