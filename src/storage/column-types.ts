/** Column types for migrations, where SQLite and PostgreSQL call the same thing by different names. */
import { type ColumnDefinitionBuilder, type Expression, PostgresAdapter, sql } from 'kysely';
import type { Db } from './database.ts';

/**
 * `const { text, int64, real, blob, rowId, autoId } = columnTypes(db)`. Times, booleans and counts are `int64`; JSON is `text`.
 * A table with numbers given by the database has `.addColumn('id', rowId, autoId)`.
 */
export function columnTypes(db: Db) {
  const postgres = isPostgres(db);
  return {
    /** Compares and sorts by bytes on both. */
    text: postgres ? collatedText : ('text' as const),
    int64: 'bigint' as const,
    real: 'double precision' as const,
    blob: postgres ? ('bytea' as const) : ('blob' as const),
    /** SQLite gives ids only to a column of type "integer", which there has 64 bits. */
    rowId: postgres ? ('bigint' as const) : ('integer' as const),
    autoId: (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
      postgres ? column.primaryKey().generatedByDefaultAsIdentity() : column.primaryKey().autoIncrement(),
  };
}

export function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

const collatedText: Expression<string> = sql`text collate "C"`;
