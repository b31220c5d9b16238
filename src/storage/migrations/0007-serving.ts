/** Endpoints and the traffic they are told to have. Predictions are no rows: their log has its own files. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('endpoints')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('settings', text, (column) => column.notNull())
    .addColumn('generation', int64, (column) => column.notNull())
    .addColumn('traffic', text, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .execute();
}
