/** Step 1: flights (and, once there are any, served flights with their outcome) become rows to train on and rows to judge by. */
import { mkdir } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { dayOf } from './features/features.ts';
import { modelRows } from './features/model-rows.ts';
import { quoted, readFlights } from './features/read-flights.ts';
import { readLog } from './features/read-log.ts';
import { type ModelRow, rowTable } from './features/row-table.ts';
import { splitRows, splitRules } from './features/split-rows.ts';
import { readOptions } from './options.ts';

if (import.meta.main) {
  const options = readOptions({
    flights: process.env.RONDO_DATA_FLIGHTS ?? 'data/flights.parquet',
    recent: process.env.RONDO_DATA_RECENT ?? 'data/recent.parquet',
    out: 'out',
    seed: Number(process.env.RONDO_SEED ?? splitRules.seed),
  });
  console.log(JSON.stringify(await prepare(options)));
}

type PrepareOptions = {
  readonly flights: string;
  /** Logged predictions with their labels; need not exist. */
  readonly recent: string;
  /** Where train.parquet and test.parquet go. */
  readonly out: string;
  readonly seed: number;
};

export async function prepare({ flights: path, recent, out, seed }: PrepareOptions) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const flights = await readFlights(connection, `read_parquet(${quoted(path)})`);
  const log = await readLog(connection, recent);
  const days = { length: flights.length, day: Int32Array.from(flights.minute, dayOf), id: flights.id };
  const { train, gate } = splitRows(days, log, { ...splitRules, seed });

  await mkdir(out, { recursive: true });
  const rowOf = modelRows(flights);
  const write = async (name: string, rows: typeof train) => {
    const table = await rowTable(connection, name);
    for (const row of rows.log) table.add(log?.rows[row] as ModelRow); // split from this very log
    for (const row of rows.file) table.add(rowOf(row));
    await table.save(`${out}/${name}.parquet`);
    return { rows: rows.file.length + rows.log.length, fromLog: rows.log.length };
  };
  const counts = { train: await write('train', train), test: await write('test', gate) };
  connection.closeSync();
  instance.closeSync();
  return counts;
}
