/** The event log, its checkpoints, and how far each consumer has read. */
import { sql } from 'kysely';
import { columnTypes, isPostgres } from '../column-types.ts';
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
  await refuseChanges(db);

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

/** Against mistakes of ours; against an intruder there is the Merkle tree. */
async function refuseChanges(db: Db): Promise<void> {
  const rule = sql.lit('the event log is append-only');
  if (!isPostgres(db)) {
    await sql`create trigger events_keep before update on events begin select raise(abort, ${rule}); end`.execute(db);
    await sql`create trigger events_stay before delete on events begin select raise(abort, ${rule}); end`.execute(db);
    return;
  }
  await sql`create function refuse_event_change() returns trigger language plpgsql as
    'begin raise exception ''the event log is append-only''; end'`.execute(db);
  // The sequencer fills in position and leaf, once.
  await sql`create trigger events_keep before update on events for each row when (old.position is not null)
    execute function refuse_event_change()`.execute(db);
  await sql`create trigger events_stay before delete on events for each row execute function refuse_event_change()`.execute(
    db,
  );
}
