/** Experiments, runs and everything logged to them. */
import { sql } from 'kysely';
import { columnTypes, isPostgres } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64, real, rowId, autoId } = columnTypes(db);
  await db.schema
    .createTable('experiments')
    .addColumn('id', int64, (column) => column.primaryKey())
    .addColumn('name', text, (column) => column.notNull().unique())
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('artifact_location', text, (column) => column.notNull())
    .addColumn('lifecycle', text, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .execute();
  await keyValues('experiment_tags', 'experiment_id', int64);

  await db.schema
    .createTable('runs')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('experiment_id', int64, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('user_id', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('start_time', int64, (column) => column.notNull())
    .addColumn('end_time', int64)
    .addColumn('artifact_uri', text, (column) => column.notNull())
    .addColumn('lifecycle', text, (column) => column.notNull())
    .addColumn('deleted_at', int64)
    .execute();
  // The order of a search that names none.
  await db.schema
    .createIndex('runs_by_start')
    .on('runs')
    .columns(['experiment_id', 'lifecycle', 'start_time desc', 'id'])
    .execute();
  await keyValues('run_tags', 'run_id', text);
  await keyValues('run_params', 'run_id', text);

  // A series is one metric of one run, with its latest point. Its points carry the series' number instead of two long texts.
  await db.schema
    .createTable('metric_series')
    .addColumn('id', rowId, autoId)
    .addColumn('run_id', text, (column) => column.notNull())
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('experiment_id', int64, (column) => column.notNull())
    .addColumn('value', real, (column) => column.notNull())
    .addColumn('is_nan', 'integer', (column) => column.notNull())
    .addColumn('timestamp', int64, (column) => column.notNull())
    .addColumn('step', int64, (column) => column.notNull())
    .addUniqueConstraint('metric_series_of_run', ['run_id', 'key'])
    .execute();
  // Ordering the runs of an experiment by a metric walks this index and stops after one page.
  await db.schema
    .createIndex('metric_series_by_value')
    .on('metric_series')
    .columns(['experiment_id', 'key', 'is_nan', 'value', 'run_id'])
    .execute();
  const points = db.schema
    .createTable('metric_points')
    .addColumn('series_id', int64, (column) => column.notNull())
    .addColumn('timestamp', int64, (column) => column.notNull())
    .addColumn('step', int64, (column) => column.notNull())
    .addColumn('value', real, (column) => column.notNull())
    .addColumn('is_nan', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('metric_points_pk', ['series_id', 'timestamp', 'step', 'value', 'is_nan']);
  await (isPostgres(db) ? points : points.modifyEnd(sql`without rowid`)).execute();

  await db.schema
    .createTable('logged_datasets')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('experiment_id', int64, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('source_type', text, (column) => column.notNull())
    .addColumn('source', text, (column) => column.notNull())
    .addColumn('schema', text)
    .addColumn('profile', text)
    .addUniqueConstraint('logged_datasets_once', ['experiment_id', 'name', 'digest'])
    .execute();
  await db.schema
    .createTable('run_datasets')
    .addColumn('run_id', text, (column) => column.notNull())
    .addColumn('dataset_id', text, (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('context', text)
    .addPrimaryKeyConstraint('run_datasets_pk', ['run_id', 'dataset_id'])
    .execute();
  await db.schema.createIndex('run_datasets_by_dataset').on('run_datasets').columns(['dataset_id']).execute();
  await db.schema
    .createTable('run_models')
    .addColumn('run_id', text, (column) => column.notNull())
    .addColumn('direction', text, (column) => column.notNull())
    .addColumn('model_id', text, (column) => column.notNull())
    .addColumn('step', int64, (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_models_pk', ['run_id', 'direction', 'model_id', 'step'])
    .execute();

  await db.schema
    .createTable('logged_models')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('experiment_id', int64, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('artifact_location', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('status_message', text)
    .addColumn('lifecycle', text, (column) => column.notNull())
    .addColumn('model_type', text)
    .addColumn('source_run_id', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('updated_at', int64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('logged_models_by_age')
    .on('logged_models')
    .columns(['experiment_id', 'created_at desc', 'id'])
    .execute();
  await db.schema.createIndex('logged_models_by_run').on('logged_models').columns(['source_run_id']).execute();
  await keyValues('logged_model_tags', 'model_id', text);
  await keyValues('logged_model_params', 'model_id', text);
  await db.schema
    .createTable('logged_model_metrics')
    .addColumn('model_id', text, (column) => column.notNull())
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('timestamp', int64, (column) => column.notNull())
    .addColumn('step', int64, (column) => column.notNull())
    .addColumn('run_id', text, (column) => column.notNull())
    .addColumn('value', real, (column) => column.notNull())
    .addColumn('is_nan', 'integer', (column) => column.notNull())
    .addColumn('dataset_name', text)
    .addColumn('dataset_digest', text)
    .addPrimaryKeyConstraint('logged_model_metrics_pk', ['model_id', 'key', 'timestamp', 'step', 'run_id'])
    .execute();

  async function keyValues(table: string, owner: string, type: typeof text | typeof int64): Promise<void> {
    await db.schema
      .createTable(table)
      .addColumn(owner, type, (column) => column.notNull())
      .addColumn('key', text, (column) => column.notNull())
      .addColumn('value', text, (column) => column.notNull())
      .addPrimaryKeyConstraint(`${table}_pk`, [owner, 'key'])
      .execute();
    // PostgreSQL's index entries end at 2,700 bytes, and values are longer.
    const columns = isPostgres(db) ? ['key', owner] : ['key', 'value', owner];
    await db.schema.createIndex(`${table}_by_key`).on(table).columns(columns).execute();
  }
}
