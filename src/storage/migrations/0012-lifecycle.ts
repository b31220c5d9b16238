/** Linked projects, and what the loop has started for them. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('projects')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('folder', text, (column) => column.notNull())
    .addColumn('file', text, (column) => column.notNull())
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('linked_at', int64, (column) => column.notNull())
    .addColumn('changed_at', int64, (column) => column.notNull())
    .execute();

  // One row per endpoint that was ever retrained by policy: the cooldown runs from its clock.
  await db.schema
    .createTable('retrainings')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('endpoint', text, (column) => column.notNull())
    .addColumn('trigger', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('started_at', int64, (column) => column.notNull())
    .addColumn('started_clock', int64, (column) => column.notNull())
    .addColumn('detail', text, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('retrainings_by_endpoint')
    .on('retrainings')
    .columns(['endpoint', 'started_clock'])
    .execute();
}
