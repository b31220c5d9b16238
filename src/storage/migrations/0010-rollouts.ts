/** Rollouts: what was decided about an endpoint's next version, and on what evidence. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('rollouts')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('endpoint', text, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    // The endpoint's name while it runs, NULL afterwards: unique, so that an endpoint never has two.
    .addColumn('running', text, (column) => column.unique())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('rollout', text, (column) => column.notNull())
    // What the page shows: the findings at the last look.
    .addColumn('findings', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('rollouts_of_endpoint')
    .on('rollouts')
    .columns(['endpoint', 'created_at', 'id'])
    .execute();
}
