/** Webhooks, and the messages on their way to them and to the places that projects name for their alerts. */
import { sql } from 'kysely';
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64, rowId, autoId } = columnTypes(db);
  await db.schema
    .createTable('webhooks')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('description', text)
    .addColumn('url', text, (column) => column.notNull())
    .addColumn('events', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('secret', text)
    .addColumn('since', int64, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .addColumn('paused_at', int64)
    .addColumn('paused_because', text)
    .addColumn('failures', int64, (column) => column.notNull())
    .addColumn('failing_since', int64)
    .addColumn('rest_until', int64, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('webhooks_by_age').on('webhooks').columns(['created_at', 'id']).execute();

  await db.schema
    .createTable('webhook_deliveries')
    .addColumn('seq', rowId, autoId)
    .addColumn('id', text, (column) => column.notNull().unique())
    .addColumn('target_key', text, (column) => column.notNull())
    .addColumn('target', text, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('event', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('tries', int64, (column) => column.notNull())
    .addColumn('due_at', int64, (column) => column.notNull())
    .addColumn('lease_owner', text)
    .addColumn('lease_until', int64)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('ended_at', int64)
    .addColumn('attempts', text, (column) => column.notNull())
    .execute();
  // What waits, by receiver: a receiver that is down for days must not make the others' messages slow to find.
  for (const [name, state, columns] of [
    ['webhook_deliveries_due', 'waiting', ['target_key', 'due_at']],
    ['webhook_deliveries_next', 'waiting', ['target_key', 'tries', 'seq']],
    ['webhook_deliveries_order', 'waiting', ['target_key', 'subject', 'seq']],
    ['webhook_deliveries_failed', 'failed', ['seq']],
  ] as const) {
    await db.schema
      .createIndex(name)
      .on('webhook_deliveries')
      .columns([...columns])
      .where(sql.ref('state'), '=', sql.lit(state))
      .execute();
  }
  await db.schema
    .createIndex('webhook_deliveries_of_target')
    .on('webhook_deliveries')
    .columns(['target_key', 'seq'])
    .execute();
  await db.schema.createIndex('webhook_deliveries_by_age').on('webhook_deliveries').column('created_at').execute();

  // Nobody is told of what happened before there were webhooks.
  for (const name of ['notify/webhooks', 'lifecycle/alerts']) {
    await sql`insert into event_cursors (name, position)
      select ${sql.lit(name)}, coalesce(max(position), 0) from events`.execute(db);
  }
}
