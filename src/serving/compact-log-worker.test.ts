import assert from 'node:assert/strict';
import { access, mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { columnsModel, columnsSignature } from '../../tests/fixtures/onnx/tiny-models.ts';
import { openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { RunJob } from '../jobs/job.ts';
import { exportEndpoint, readTablesWith, servingHandlers, startCompaction } from './compact-log-worker.ts';
import { openTestServing, type TestServing } from './test-serving.ts';

/** The handlers in this process; that jobs carry input and output unchanged is the claim of the tests of jobs/. */
const runIn = (tempFolder: string): RunJob => {
  const handlers = servingHandlers({ tempFolder });
  const context = {
    signal: new AbortController().signal,
    progress() {},
    log() {},
    startGroup: <P>(start: () => P) => start(),
  };
  return async <Output>(kind: string, input: unknown) =>
    structuredClone((await handlers[kind]?.(structuredClone(input) as never, context)) as Output);
};

async function openFlights(folder: string): Promise<TestServing> {
  const serving = await openTestServing({
    readTables: readTablesWith(runIn(folder)),
    logLimits: { maxRows: 40, keepBytes: 20_000 },
  });
  await serving.addVersion({ model: 'flight-delay', version: 1, ...columnsSignature }, columnsModel());
  await serving.addEndpoint(
    { name: 'flights', task: 'binary', key: 'flight_id', time: 'date', target: 'late' },
    { champion: { model: 'flight-delay', version: 1 } },
  );
  return serving;
}

const hour = 3_600_000;
const start = Date.UTC(2001, 0, 2);

async function fly(serving: TestServing, flight: number): Promise<void> {
  const { status, body } = await serving.infer('flights', {
    inputs: [
      { name: 'distance', datatype: 'FP32', shape: [1, 1], data: [flight % 7 === 0 ? null : flight + 0.1] },
      { name: 'origin', datatype: 'BYTES', shape: [1, 1], data: [flight % 2 === 0 ? 'ATL' : 'it\'s "ORD"\u2028'] },
      { name: 'flight_id', datatype: 'INT64', shape: [1], data: [flight] },
      { name: 'date', datatype: 'INT64', shape: [1], data: [start + flight * hour] },
    ],
  });
  // A missing distance makes this model's answer no number, which it says.
  assert.equal(status, flight % 7 === 0 ? 500 : 200, JSON.stringify(body));
}

const label = (serving: TestServing, labels: readonly { key: number; value: unknown }[]) =>
  serving.app.inject({ method: 'POST', url: '/api/v1/endpoints/flights/labels', payload: { labels } });

test('the log reads the same before and after it became tables', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using serving = await openFlights(folder.path);
  const { log, live } = serving.serving;
  for (let flight = 1; flight <= 200; flight++) await fly(serving, flight);
  await label(serving, [
    { key: 3, value: 1 },
    { key: 4, value: 'x' },
  ]);
  const before = await log.readLog('flights', { after: 0, limit: 1_000 });
  assert.equal(before.length, 202);
  await log.segments('flights', { seal: true });
  const errors: unknown[] = [];
  await using _ = startCompaction({
    log,
    live,
    run: runIn(folder.path),
    folder: join(folder.path, 'tables'),
    onError: (error) => errors.push(error),
  });
  let segments = await log.segments('flights', { seal: false });
  for (let wait = 0; segments.some(({ tables }) => !tables) && wait < 300; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    segments = await log.segments('flights', { seal: false });
  }
  assert.deepEqual(errors, []);
  assert.ok(segments.filter(({ file }) => file === undefined).length >= 2, 'old segment files are gone');
  for (const { file } of segments) if (file !== undefined) await access(join(log.folderOf('flights'), file));
  const files = (await readdir(log.folderOf('flights'))).filter((name) => name.endsWith('.ndjson'));
  assert.equal(files.length, segments.filter(({ file }) => file !== undefined).length);

  // Another reader than the one that wrote: nothing of it is in its memory.
  const page = await log.readLog('flights', { after: 0, limit: 1_000 });
  assert.deepEqual(page, before);
  const [first] = before;
  assert.ok(first?.kind === 'prediction');
  const records = await log.find(first.id);
  assert.deepEqual(records, [first]);
});

test('exports what was asked with the labels that came, in the types of the model', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using serving = await openFlights(folder.path);
  const { log, live } = serving.serving;
  const run = runIn(folder.path);
  const span = { from: start, to: start + 48 * hour };
  const rowsOf = async (name: string, signal = new AbortController().signal) => {
    const out = join(folder.path, 'export', `${name}.parquet`);
    const { rows } = await exportEndpoint({ log, live, run }, { endpoint: 'flights', span, out }, signal);
    using db = await openDuckDb({ folders: [join(folder.path, 'export')], tempFolder: folder.path });
    const found = await db.rows(`SELECT * FROM read_parquet('${out}')`);
    const types = await db.rows(`DESCRIBE SELECT * FROM read_parquet('${out}')`);
    assert.equal(found.length, rows);
    return { found, types: types.map((row) => `${row['column_name']} ${row['column_type']}`) };
  };
  const none = await rowsOf('none');
  assert.deepEqual(none.found, []);
  assert.deepEqual(none.types, [
    'distance FLOAT',
    'origin VARCHAR',
    'flight_id VARCHAR',
    'date TIMESTAMP',
    'late VARCHAR',
  ]);

  for (let flight = 1; flight <= 60; flight++) await fly(serving, flight);
  await label(serving, [
    { key: 2, value: 0 },
    { key: 3, value: 1 },
    { key: 7, value: 1 },
    { key: 55, value: 1 },
  ]);
  await label(serving, [
    { key: 2, value: 1 },
    { key: 999, value: 1 },
  ]);
  await using _ = startCompaction({ log, live, run, folder: join(folder.path, 'tables'), onError: () => {} });
  const some = await rowsOf('some');
  assert.deepEqual(some.types, [
    'distance FLOAT',
    'origin VARCHAR',
    'flight_id BIGINT',
    'date TIMESTAMP',
    'late BIGINT',
  ]);
  assert.deepEqual(
    some.found.map((row) => [row['origin'], row['flight_id'], row['date'], row['late']]),
    [
      ['ATL', 2, '2001-01-02T02:00:00.000Z', 1],
      ['it\'s "ORD"\u2028', 3, '2001-01-02T03:00:00.000Z', 1],
    ],
  );
  assert.equal(Math.fround(2.1), some.found[0]?.['distance']);
});
