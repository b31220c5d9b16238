/** Many rows in one INSERT, for the busiest writes: Kysely's tree of a node per value takes longer than the database. */
import { CompiledQuery } from 'kysely';
import { isPostgres } from './column-types.ts';
import type { Db } from './database.ts';

export type RowsToInsert = {
  readonly into: string;
  readonly columns: Readonly<Record<string, 'text' | 'bigint' | 'double precision' | 'integer'>>;
  /** Row after row, without gaps. */
  readonly values: readonly unknown[];
  /** ON CONFLICT, and RETURNING. Rows may arrive twice, which it makes harmless. */
  readonly ending: string;
};

/** @returns what RETURNING says */
export async function insertRows<Row>(
  db: Db,
  { into, columns, values, ending }: RowsToInsert,
): Promise<readonly Row[]> {
  const names = Object.keys(columns);
  const part = mostRows * names.length;
  const returned: Row[] = [];
  for (let at = 0; at < values.length; at += part) {
    const some = values.length > part ? values.slice(at, at + part) : values;
    const rows = isPostgres(db) ? unnested(Object.values(columns), some) : listed(names.length, some);
    const text = `insert into ${into} (${names.join(', ')}) ${rows.text} ${ending}`;
    const answer = await db.executeQuery<Row>(CompiledQuery.raw(text, rows.parameters));
    for (const row of answer.rows) returned.push(row);
  }
  return returned;
}

/** SQLite takes 32,766 parameters in a statement: enough for seven columns. */
const mostRows = 4096;

type Rows = { readonly text: string; readonly parameters: unknown[] };

/** A list of values for each column. */
function unnested(types: readonly string[], values: readonly unknown[]): Rows {
  const parameters = types.map((_, column) => values.filter((_, at) => at % types.length === column));
  return { text: `select * from unnest(${types.map((type, at) => `$${at + 1}::${type}[]`).join(', ')})`, parameters };
}

/** Filled up with its last row to a power of two: SQLite keeps a dozen prepared statements instead of one for each number of rows. */
function listed(width: number, values: readonly unknown[]): Rows {
  const count = values.length / width;
  const filled = 2 ** Math.ceil(Math.log2(count));
  const parameters = [...values];
  const last = values.slice(-width);
  for (let row = count; row < filled; row += 1) parameters.push(...last);
  const row = `(${Array(width).fill('?').join(', ')})`;
  return { text: `values ${row}${`, ${row}`.repeat(filled - 1)}`, parameters };
}
