import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { originalFile, quoted } from './features/read-flights.ts';
import { fetchData } from './fetch-data.ts';
import { prepare } from './prepare.ts';
import { train } from './train.ts';

const shape = { trees: 15, leaves: 15, depth: 4, learningRate: 0.2, minRows: 20, l2: 0, recentUnit: 'share', seed: 42 };

test('a month of real flights becomes a model that ranks, and a file that answers as its trainer', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-flights-'));
  const at = (name: string) => join(folder.path, name);
  const flights = at('flights.parquet');
  assert.equal(await fetchData({ from: originalFile(), to: flights, through: '2001-01', damaged: false }), 508_239);

  const counts = await prepare({ flights, recent: at('none'), out: folder.path, seed: 42 });
  assert.deepEqual(counts, { train: { rows: 300_000, fromLog: 0 }, test: { rows: 60_000, fromLog: 0 } });
  const days = await rowsOf(
    `SELECT strftime(min(date), '%d') || '-' || strftime(max(date), '%d') AS days FROM ${table(at('train.parquet'))}`,
  );
  assert.deepEqual(days, [['02-24']]);

  const options = { ...shape, train: at('train.parquet'), test: at('test.parquet'), out: folder.path };
  const { auc } = await train(options);
  assert.ok(auc > 0.66 && auc < 0.78, `AUC ${auc}`);

  const inputs = ['hour', 'weekday', 'distance', 'recent_origin', 'recent_destination', 'origin', 'destination'];
  const expected = await rowsOf(`SELECT ${inputs.join(', ')}, score FROM ${table(at('expected.parquet'))}`);
  assert.equal(expected.length, 2000);
  const feeds = inputs.map((name, place) => {
    const column = expected.map((row) => row[place]);
    const isText = place >= 5;
    return [
      name,
      isText
        ? new Tensor('string', column.map(String), [2000, 1])
        : new Tensor('float32', column.map(Number), [2000, 1]),
    ];
  });
  const session = await InferenceSession.create(await readFile(at('model.onnx')), { intraOpNumThreads: 1 });
  const { probabilities } = await session.run(Object.fromEntries(feeds));
  await session.release();
  const greatest = expected.reduce((most, row, place) => {
    return Math.max(most, Math.abs(Number(row.at(-1)) - Number(probabilities?.data[2 * place + 1])));
  }, 0);
  assert.ok(greatest < 1e-6, `${greatest}`);
});

test('the damaged copy breaks what the checks of rondo.yaml ask', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-flights-'));
  const to = join(folder.path, 'damaged.parquet');
  await fetchData({ from: originalFile(), to, through: '2001-01', damaged: true });
  const [[negative, strange] = []] = await rowsOf(
    `SELECT avg((distance < 0)::DOUBLE), avg((NOT regexp_matches(origin, '^[A-Z]{3}$'))::DOUBLE) FROM ${table(to)}`,
  );
  assert.equal(Number(negative).toFixed(2), '0.33');
  assert.equal(Number(strange).toFixed(2), '0.20');
});

const table = (path: string) => `read_parquet(${quoted(path)})`;

async function rowsOf(sql: string): Promise<readonly (readonly unknown[])[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowsJS();
  connection.closeSync();
  instance.closeSync();
  return rows;
}
