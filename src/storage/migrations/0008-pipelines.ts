/** Executions of pipelines and of their steps. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('executions')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('number', int64, (column) => column.notNull())
    .addColumn('operation', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('plan', text, (column) => column.notNull())
    .addColumn('findings', text)
    .addColumn('error', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('ended_at', int64)
    .addUniqueConstraint('executions_number', ['project', 'number'])
    .execute();

  await db.schema
    .createTable('execution_steps')
    .addColumn('execution', text, (column) => column.notNull())
    .addColumn('step', text, (column) => column.notNull())
    .addColumn('position', int64, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('number', int64, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('reason', text)
    .addColumn('cache_key', text)
    .addColumn('facts', text)
    .addColumn('outputs', text)
    .addColumn('model', text)
    .addColumn('run_id', text)
    .addColumn('error', text)
    .addColumn('started_at', int64)
    .addColumn('ended_at', int64)
    .addPrimaryKeyConstraint('execution_steps_key', ['execution', 'step'])
    .execute();
  await db.schema
    .createIndex('execution_steps_by_cache_key')
    .on('execution_steps')
    .columns(['project', 'step', 'cache_key', 'number'])
    .execute();
  await db.schema.createIndex('execution_steps_by_state').on('execution_steps').columns(['state']).execute();
}
