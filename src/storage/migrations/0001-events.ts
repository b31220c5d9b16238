/** The event log, its checkpoints, and how far each consumer has read. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64, rowId, autoId } = columnTypes(db);
  await db.schema
    .createTable('events')
    .addColumn('arrival', rowId, autoId)
    // NULL until the sequencer has been there; on SQLite the writer gives it at once.
    .addColumn('position', int64, (column) => column.unique())
    .addColumn('leaf', text)
    .addColumn('type', text, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('at', int64, (column) => column.notNull())
    .addColumn('endpoint_time', int64)
    .addColumn('reason', text)
    .addColumn('data', text, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('events_subject').on('events').columns(['subject', 'position']).execute();
  await db.schema.createIndex('events_project').on('events').columns(['project', 'position']).execute();
  await db.schema.createIndex('events_type').on('events').columns(['type', 'position']).execute();

  await db.schema
    .createTable('checkpoints')
    .addColumn('origin', text, (column) => column.notNull())
    .addColumn('size', int64, (column) => column.notNull())
    .addColumn('note', text, (column) => column.notNull())
    .addColumn('range', text, (column) => column.notNull())
    .addColumn('at', int64, (column) => column.notNull())
    .addPrimaryKeyConstraint('checkpoints_key', ['origin', 'size'])
    .execute();

  await db.schema
    .createTable('event_cursors')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('position', int64, (column) => column.notNull())
    .execute();
}
