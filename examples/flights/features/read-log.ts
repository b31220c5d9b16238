/** What the endpoint has answered and what came of it: logged inputs with their labels, as a table. */
import { globSync, statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { dayOf } from './features.ts';
import { quoted } from './read-flights.ts';
import type { ModelRow } from './row-table.ts';

export type LoggedFlights = {
  readonly length: number;
  readonly day: Int32Array;
  readonly id: Int32Array;
  readonly rows: readonly ModelRow[];
};

/**
 * @param path a file, or a folder of them; absent or empty before the first prediction
 * @returns undefined when nothing was logged yet
 *
 * The label is called `late` or `label`, the date is a time, a text or milliseconds, as the log kept them.
 */
export async function readLog(connection: DuckDBConnection, path: string): Promise<LoggedFlights | undefined> {
  const files = parquetFiles(path);
  if (files.length === 0) return undefined;
  const relation = `read_parquet([${files.map(quoted).join(', ')}], union_by_name = true)`;
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${relation}`);
  const typeOf = new Map(described.getRows().map(([name, type]) => [String(name), String(type)]));
  const label = typeOf.has('late') ? 'late' : 'label';
  if (!typeOf.has(label) || !typeOf.has('date')) return undefined;
  const isNumber = /INT|DOUBLE|FLOAT|DECIMAL/.test(typeOf.get('date') ?? '');
  const minute = isNumber ? 'date::BIGINT // 60000' : 'epoch_ms(date::TIMESTAMP) // 60000';
  const result = await connection.runAndReadAll(
    `SELECT flight_id::INTEGER, (${minute})::INTEGER, hour::DOUBLE, weekday::DOUBLE, distance::DOUBLE, origin, destination,
            recent_origin::DOUBLE, recent_destination::DOUBLE, ${label}::DOUBLE::INTEGER
     FROM ${relation} WHERE ${label} IS NOT NULL AND origin IS NOT NULL AND destination IS NOT NULL ORDER BY 2, 1`,
  );
  // The SELECT above fixes the order and the types of the columns.
  const rows = result.getRows().map((columns): ModelRow => {
    const [flightId, at, hour, weekday, distance, origin, destination, recentOrigin, recentDestination, late] = columns;
    return {
      flightId: Number(flightId),
      minute: Number(at),
      hour: Number(hour),
      weekday: Number(weekday),
      distance: Number(distance),
      origin: String(origin),
      destination: String(destination),
      recentOrigin: Number(recentOrigin),
      recentDestination: Number(recentDestination),
      late: Number(late),
      delay: undefined,
    };
  });
  if (rows.length === 0) return undefined;
  return {
    length: rows.length,
    day: Int32Array.from(rows, ({ minute: at }) => dayOf(at)),
    id: Int32Array.from(rows, ({ flightId }) => flightId),
    rows,
  };
}

function parquetFiles(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [];
  return found.isDirectory() ? globSync(`${path}/**/*.parquet`).sort() : [path];
}
