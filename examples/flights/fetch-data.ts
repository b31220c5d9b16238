/** Makes the data set of the example, month by month as time goes by: `node fetch-data.ts --through 2001-02`. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { originalFile, originalFlights, quoted } from './features/read-flights.ts';
import { readOptions } from './options.ts';

if (import.meta.main) {
  const options = readOptions({ through: '2001-02', to: 'data/flights.parquet', damaged: false });
  const rows = await fetchData({ ...options, from: originalFile() });
  console.log(JSON.stringify({ ...options, rows }));
}

type FetchOptions = {
  readonly from: string;
  readonly to: string;
  /** The last month to include, `2001-02`. */
  readonly through: string;
  /** A copy that the checks of rondo.yaml must refuse: a third of the distances negative, airports with a fourth letter. */
  readonly damaged: boolean;
};

/** @returns the number of flights written */
export async function fetchData({ from, to, through, damaged }: FetchOptions): Promise<number> {
  if (!/^\d{4}-\d{2}$/.test(through)) throw new RangeError(`not a month: ${through}`);
  await mkdir(dirname(to), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const columns = damaged
    ? `flight_id, date, delay, CASE WHEN flight_id % 3 = 0 THEN -distance ELSE distance END AS distance,
       CASE WHEN flight_id % 5 = 0 THEN origin || 'X' ELSE origin END AS origin, destination`
    : '*';
  const result = await connection.run(
    `COPY (SELECT ${columns} FROM ${originalFlights(from)}
           WHERE date < TIMESTAMP ${quoted(`${through}-01`)} + INTERVAL 1 MONTH ORDER BY flight_id)
     TO ${quoted(to)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  const rows = Number((await result.getRows())[0]?.[0]);
  connection.closeSync();
  instance.closeSync();
  return rows;
}
