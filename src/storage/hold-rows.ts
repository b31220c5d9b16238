/** Rows that a use case reads before it decides. */
import type { SelectQueryBuilder } from 'kysely';
import { isPostgres } from './column-types.ts';
import type { Db } from './database.ts';

/** Nobody else changes the rows until the transaction ends; rows that refer to them may be added. SQLite has one writer anyway. */
export async function holdRows<DB, TB extends keyof DB, O>(db: Db, rows: SelectQueryBuilder<DB, TB, O>): Promise<void> {
  if (isPostgres(db)) await rows.forNoKeyUpdate().execute();
}
