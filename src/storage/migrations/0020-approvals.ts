/** What waits for people's consent, and who has given it. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('approvals')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('project', text, (column) => column.notNull())
    // The binding while it may still let something happen: of one change there is one request.
    .addColumn('live', text, (column) => column.unique())
    // The shipment that asked.
    .addColumn('operation', text, (column) => column.notNull())
    .addColumn('asked_at', int64, (column) => column.notNull())
    .addColumn('request', text, (column) => column.notNull())
    .addColumn('closed', text)
    .execute();
  await db.schema.createIndex('approvals_by_time').on('approvals').columns(['asked_at', 'id']).execute();
  await db.schema.createIndex('approvals_by_operation').on('approvals').columns(['operation', 'asked_at']).execute();
  await db.schema
    .createTable('approval_consents')
    .addColumn('approval_id', text, (column) => column.notNull())
    .addColumn('person', text, (column) => column.notNull())
    .addColumn('decision', text, (column) => column.notNull())
    .addColumn('reason', text)
    .addColumn('at', int64, (column) => column.notNull())
    .addPrimaryKeyConstraint('approval_consents_pk', ['approval_id', 'person'])
    .execute();
}
