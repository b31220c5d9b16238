/** Flights as columns: millions of them fit where objects would not. */
import { existsSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isLate } from './recent-delays.ts';

export type Flights = {
  readonly length: number;
  readonly id: Int32Array;
  /** Minutes since 1970, on the clock of the origin. */
  readonly minute: Int32Array;
  readonly delay: Int16Array;
  readonly distance: Int32Array;
  readonly late: Uint8Array;
  /** Codes: places in `airports`. */
  readonly origin: Uint16Array;
  readonly destination: Uint16Array;
  readonly airports: readonly string[];
};

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The file of the vega-datasets package: where the flights of this example come from. */
export function originalFile(folder = import.meta.dirname): string {
  for (let at = folder; ; at = parentOf(at)) {
    const file = `${at}/node_modules/vega-datasets/data/flights-3m.parquet`;
    if (existsSync(file)) return file;
    if (at === parentOf(at)) throw new Error('flights-3m.parquet is missing: run `npm install vega-datasets@3.2.1`');
  }
}

const parentOf = (folder: string) => folder.replace(/[/\\][^/\\]*$/, '');

/**
 * The original as a relation of SQL. A flight is named by its place in the file: 191 pairs of rows are equal in every column, and both are kept.
 * Six rows of July are not: the file ends with June.
 */
export const originalFlights = (file: string): string =>
  `(SELECT file_row_number AS flight_id, date, delay, distance, origin, destination
    FROM read_parquet(${quoted(file)}, file_row_number = true) WHERE date < TIMESTAMP '2001-07-01')`;

/** @param relation anything with the columns flight_id, date, delay, distance, origin and destination. @returns in order of departure */
export async function readFlights(connection: DuckDBConnection, relation: string): Promise<Flights> {
  const names = await connection.runAndReadAll(
    `SELECT origin AS airport FROM ${relation} UNION SELECT destination FROM ${relation} ORDER BY 1`,
  );
  const airports = names.getColumns()[0]?.map(String) ?? [];
  const codeOf = new Map(airports.map((name, code) => [name, code]));
  const counted = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${relation}`);
  const length = Number(counted.getRows()[0]?.[0]);
  const flights = {
    length,
    id: new Int32Array(length),
    minute: new Int32Array(length),
    delay: new Int16Array(length),
    distance: new Int32Array(length),
    late: new Uint8Array(length),
    origin: new Uint16Array(length),
    destination: new Uint16Array(length),
    airports,
  };
  const result = await connection.stream(
    `SELECT flight_id::INTEGER, (epoch_ms(date) // 60000)::INTEGER, delay::INTEGER, distance::INTEGER, origin, destination
     FROM ${relation} ORDER BY date, flight_id`,
  );
  let at = 0;
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    flights.id.set(chunk.getColumnValues(0) as number[], at);
    flights.minute.set(chunk.getColumnValues(1) as number[], at);
    flights.delay.set(chunk.getColumnValues(2) as number[], at);
    flights.distance.set(chunk.getColumnValues(3) as number[], at);
    const from = chunk.getColumnValues(4) as string[];
    const to = chunk.getColumnValues(5) as string[];
    for (let row = 0; row < chunk.rowCount; row++) {
      flights.origin[at + row] = codeOf.get(from[row] ?? '') ?? 0;
      flights.destination[at + row] = codeOf.get(to[row] ?? '') ?? 0;
      flights.late[at + row] = isLate(flights.delay[at + row] ?? 0) ? 1 : 0;
    }
    at += chunk.rowCount;
  }
  return flights;
}
