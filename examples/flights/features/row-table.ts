/** Rows with their features, as the trainer and the gates read them: a Parquet file in raw columns. */
import { DOUBLE, type DuckDBConnection, DuckDBDataChunk, FLOAT, INTEGER, VARCHAR } from '@duckdb/node-api';
import { quoted } from './read-flights.ts';

/** One row; `minute` becomes `date`. A served flight has no `delay`, only whether it was late. */
export type ModelRow = {
  readonly flightId: number;
  readonly minute: number;
  readonly hour: number;
  readonly weekday: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
  readonly recentOrigin: number;
  readonly recentDestination: number;
  readonly late: number;
  readonly delay: number | undefined;
};

const columns = [
  ['flight_id', INTEGER],
  ['minute', INTEGER],
  ['hour', FLOAT],
  ['weekday', FLOAT],
  ['distance', FLOAT],
  ['origin', VARCHAR],
  ['destination', VARCHAR],
  ['recent_origin', FLOAT],
  ['recent_destination', FLOAT],
  ['late', INTEGER],
  ['delay', DOUBLE],
] as const;
const types = columns.map(([, type]) => type);
const chunkRows = 2048;

export interface RowTable {
  add(row: ModelRow): void;
  save(path: string): Promise<void>;
}

export async function rowTable(connection: DuckDBConnection, name: string): Promise<RowTable> {
  await connection.run(
    `CREATE TEMP TABLE ${name} (${columns.map(([column, type]) => `${column} ${type}`).join(', ')})`,
  );
  const appender = await connection.createAppender(name);
  let pending: (number | string | null)[][] = columns.map(() => []);
  const flush = () => {
    const count = pending[0]?.length ?? 0;
    if (count === 0) return;
    const chunk = DuckDBDataChunk.create(types, count);
    chunk.setColumns(pending);
    appender.appendDataChunk(chunk);
    pending = columns.map(() => []);
  };
  return {
    add(row) {
      pending[0]?.push(row.flightId);
      pending[1]?.push(row.minute);
      pending[2]?.push(row.hour);
      pending[3]?.push(row.weekday);
      pending[4]?.push(row.distance);
      pending[5]?.push(row.origin);
      pending[6]?.push(row.destination);
      pending[7]?.push(row.recentOrigin);
      pending[8]?.push(row.recentDestination);
      pending[9]?.push(row.late);
      pending[10]?.push(row.delay ?? null);
      if (pending[0]?.length === chunkRows) flush();
    },
    async save(path) {
      flush();
      appender.closeSync();
      await connection.run(
        `COPY (SELECT flight_id, make_timestamp(minute::BIGINT * 60000000) AS date, * EXCLUDE (flight_id, minute)
               FROM ${name}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      await connection.run(`DROP TABLE ${name}`);
    },
  };
}
