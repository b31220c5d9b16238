/** Imports: who brought what from where, also those that broke off. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('imports')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('source', text, (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('started_at', int64, (column) => column.notNull())
    .addColumn('ended_at', int64)
    .addColumn('records', int64, (column) => column.notNull())
    .addColumn('points', int64, (column) => column.notNull())
    .addColumn('report', text)
    .execute();
}
