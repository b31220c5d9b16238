/** Gate reports: what a version was tested for, and what came out. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('gate_reports')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('model', text, (column) => column.notNull())
    .addColumn('version', int64, (column) => column.notNull())
    .addColumn('outcome', text, (column) => column.notNull())
    .addColumn('report', text, (column) => column.notNull())
    .addColumn('decided_at', int64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('gate_reports_of_version')
    .on('gate_reports')
    .columns(['model', 'version', 'decided_at', 'id'])
    .execute();
}
