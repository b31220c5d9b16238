/** The durable queue. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64, real } = columnTypes(db);
  await db.schema
    .createTable('jobs')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('lane', text)
    .addColumn('parent', text)
    .addColumn('project', text)
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('input', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('attempts', int64, (column) => column.notNull())
    .addColumn('cancel_requested', int64, (column) => column.notNull())
    .addColumn('lease_owner', text)
    .addColumn('lease_until', int64)
    .addColumn('share', real)
    .addColumn('note', text, (column) => column.notNull())
    .addColumn('log', text, (column) => column.notNull())
    .addColumn('result', text)
    .addColumn('error', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('started_at', int64)
    .addColumn('ended_at', int64)
    .execute();
  await db.schema.createIndex('jobs_by_state').on('jobs').columns(['state', 'lane', 'created_at', 'id']).execute();
  await db.schema.createIndex('jobs_by_age').on('jobs').columns(['created_at', 'id']).execute();
  await db.schema.createIndex('jobs_by_parent').on('jobs').columns(['parent']).execute();
}
