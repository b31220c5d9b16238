/** The rows that `prepare.ts` wrote, as columns. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quoted } from '../features/read-flights.ts';

export type ModelColumns = {
  readonly length: number;
  readonly numbers: Readonly<
    Record<'hour' | 'weekday' | 'distance' | 'recent_origin' | 'recent_destination', Float32Array>
  >;
  readonly origin: readonly string[];
  readonly destination: readonly string[];
  readonly late: Uint8Array;
};

export async function readRows(path: string): Promise<ModelColumns> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = await columnsOf(connection, path);
  connection.closeSync();
  instance.closeSync();
  return rows;
}

async function columnsOf(connection: DuckDBConnection, path: string): Promise<ModelColumns> {
  const reader = await connection.runAndReadAll(
    `SELECT hour, weekday, distance, recent_origin, recent_destination, origin, destination, late FROM read_parquet(${quoted(path)})`,
  );
  const columns = reader.getColumns();
  const floats = (at: number) => Float32Array.from(columns[at] ?? [], Number);
  const texts = (at: number) => (columns[at] ?? []).map(String);
  return {
    length: reader.currentRowCount,
    numbers: {
      hour: floats(0),
      weekday: floats(1),
      distance: floats(2),
      recent_origin: floats(3),
      recent_destination: floats(4),
    },
    origin: texts(5),
    destination: texts(6),
    late: Uint8Array.from(columns[7] ?? [], Number),
  };
}
