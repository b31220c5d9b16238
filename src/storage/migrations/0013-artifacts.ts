/** The manifest of artifacts: which key has which bytes. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('artifacts')
    .addColumn('key', text, (column) => column.primaryKey())
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('size', int64, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('artifacts_digest').on('artifacts').column('digest').execute();
}
