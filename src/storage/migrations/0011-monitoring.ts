/** Alerts, judged windows, and how far each endpoint was judged. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('alerts')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('identity', text, (column) => column.notNull())
    // The identity while it is open, NULL afterwards: unique, so that nothing alerts twice at once.
    .addColumn('open', text, (column) => column.unique())
    .addColumn('endpoint', text, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('alert', text, (column) => column.notNull())
    .addColumn('opened_at', int64, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('alerts_by_age').on('alerts').columns(['opened_at', 'id']).execute();
  await db.schema.createIndex('alerts_of_endpoint').on('alerts').columns(['endpoint', 'opened_at', 'id']).execute();

  await db.schema
    .createTable('monitor_windows')
    .addColumn('endpoint', text, (column) => column.notNull())
    .addColumn('monitor', text, (column) => column.notNull())
    .addColumn('window_end', int64, (column) => column.notNull())
    .addColumn('model', text, (column) => column.notNull())
    .addColumn('version', int64, (column) => column.notNull())
    .addColumn('judged', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('monitor_windows_key', ['endpoint', 'monitor', 'window_end'])
    .execute();

  await db.schema
    .createTable('monitor_states')
    .addColumn('endpoint', text, (column) => column.primaryKey())
    .addColumn('state', text, (column) => column.notNull())
    .execute();
}
