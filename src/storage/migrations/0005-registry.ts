/** Registered models, their versions, tags and aliases. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('registered_models')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('description', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('registered_model_tags')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('value', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('registered_model_tags_pk', ['name', 'key'])
    .execute();

  // A deleted version keeps its row, emptied, so that its number is never given again.
  await db.schema
    .createTable('model_versions')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('deleted', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('source', text, (column) => column.notNull())
    .addColumn('storage_location', text, (column) => column.notNull())
    .addColumn('run_id', text)
    .addColumn('run_link', text)
    .addColumn('model_id', text)
    .addColumn('user_id', text)
    .addColumn('description', text)
    .addColumn('stage', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('status_message', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .addColumn('lineage', text, (column) => column.notNull())
    .addColumn('sealed', text)
    .addColumn('profile_digest', text)
    .addColumn('gate_data_digest', text)
    .addColumn('parity_digest', text)
    .addPrimaryKeyConstraint('model_versions_pk', ['name', 'version'])
    .execute();
  await db.schema.createIndex('model_versions_by_run').on('model_versions').columns(['run_id']).execute();
  await db.schema.createIndex('model_versions_by_logged_model').on('model_versions').columns(['model_id']).execute();

  await db.schema
    .createTable('model_version_tags')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('value', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('model_version_tags_pk', ['name', 'version', 'key'])
    .execute();

  await db.schema
    .createTable('model_aliases')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('alias', text, (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('model_aliases_pk', ['name', 'alias'])
    .execute();
}
