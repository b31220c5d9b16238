/** The trash: models that were deleted, what is on its way out for good, and numbers that are never given again. */
import { sql } from 'kysely';
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  // A deleted model's name is free: its other rows go on under `trash/<id>`, which no client can name.
  await db.schema
    .createTable('deleted_models')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('description', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .addColumn('deleted_at', int64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('deleted_models_by_age')
    .on('deleted_models')
    .columns(['deleted_at desc', 'id desc'])
    .execute();
  await db.schema.createIndex('deleted_models_by_name').on('deleted_models').columns(['name']).execute();
  // NULL for a deleted version that nothing brings back: its row only keeps its number.
  await db.schema.alterTable('model_versions').addColumn('trashed_at', int64).execute();
  await db.schema.alterTable('model_versions').addColumn('trashed_aliases', text).execute();

  await db.schema
    .createTable('purges')
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    // Where its artifacts lie.
    .addColumn('location', text)
    .addColumn('started_at', int64, (column) => column.notNull())
    .addPrimaryKeyConstraint('purges_key', ['kind', 'id'])
    .execute();
  await db.schema
    .createTable('last_numbers')
    .addColumn('series', text, (column) => column.primaryKey())
    .addColumn('last', int64, (column) => column.notNull())
    .execute();

  await sql`create index runs_in_trash on runs (deleted_at desc, id desc) where lifecycle = 'deleted'`.execute(db);
  await sql`create index logged_models_in_trash on logged_models (updated_at desc, id desc) where lifecycle = 'deleted'`.execute(
    db,
  );
  await sql`create index versions_in_trash on model_versions (trashed_at desc) where trashed_at is not null`.execute(
    db,
  );
}
