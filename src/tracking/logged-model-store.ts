/** Logged models in the database. */
import { sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { holdRows } from '../storage/hold-rows.ts';
import type { Int64 } from '../storage/int64.ts';
import { type Lifecycle, parseExperimentId } from './experiment.ts';
import type { LoggedModel, LoggedModelStatus } from './logged-model.ts';
import { loadedValue, type ModelMetric, storedValue } from './metric.ts';
import { inLockOrder, type Param, type Tag } from './names.ts';

export type LoggedModelTables = {
  logged_models: {
    id: string;
    experiment_id: Int64;
    name: string;
    artifact_location: string;
    status: LoggedModelStatus;
    status_message: string | null;
    lifecycle: Lifecycle;
    model_type: string | null;
    source_run_id: string | null;
    created_at: number;
    updated_at: number;
  };
  logged_model_tags: { model_id: string; key: string; value: string };
  logged_model_params: { model_id: string; key: string; value: string };
  logged_model_metrics: {
    model_id: string;
    key: string;
    timestamp: Int64;
    step: Int64;
    run_id: string;
    value: number;
    is_nan: number;
    dataset_name: string | null;
    dataset_digest: string | null;
  };
};

export type LoggedModelRow = LoggedModelTables['logged_models'];

export const loggedModelStore = (database: Db) => {
  const db = database.withTables<LoggedModelTables>();

  async function withDetails(rows: readonly LoggedModelRow[]): Promise<readonly LoggedModel[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.id);
    const [tags, params, metrics] = await Promise.all([
      db.selectFrom('logged_model_tags').selectAll().where('model_id', 'in', ids).orderBy('key').execute(),
      db.selectFrom('logged_model_params').selectAll().where('model_id', 'in', ids).orderBy('key').execute(),
      db
        .selectFrom('logged_model_metrics')
        .selectAll()
        .where('model_id', 'in', ids)
        .orderBy('key')
        .orderBy('timestamp')
        .orderBy('step')
        .execute(),
    ]);
    const tagsOf = Map.groupBy(tags, ({ model_id }) => model_id);
    const paramsOf = Map.groupBy(params, ({ model_id }) => model_id);
    const metricsOf = Map.groupBy(metrics, ({ model_id }) => model_id);
    return rows.map((row) => ({
      id: row.id,
      experimentId: String(row.experiment_id),
      name: row.name,
      artifactLocation: row.artifact_location,
      status: row.status,
      ...(row.status_message === null ? {} : { statusMessage: row.status_message }),
      lifecycle: row.lifecycle,
      ...(row.model_type === null ? {} : { modelType: row.model_type }),
      ...(row.source_run_id === null ? {} : { sourceRunId: row.source_run_id }),
      createdAt: Number(row.created_at),
      updatedAt: Number(row.updated_at),
      tags: (tagsOf.get(row.id) ?? []).map(({ key, value }) => ({ key, value })),
      params: (paramsOf.get(row.id) ?? []).map(({ key, value }) => ({ key, value })),
      metrics: (metricsOf.get(row.id) ?? []).map(toMetric),
    }));
  }

  return {
    withDetails,

    async find(id: string): Promise<LoggedModel | undefined> {
      const row = await db.selectFrom('logged_models').selectAll().where('id', '=', id).executeTakeFirst();
      return row && (await withDetails([row]))[0];
    },

    /** Nobody else changes the model until the transaction ends. */
    async hold(id: string): Promise<void> {
      await holdRows(database, db.selectFrom('logged_models').select('id').where('id', '=', id));
    },

    /** Which of these are not there; deleted ones are. */
    async missing(ids: readonly string[]): Promise<readonly string[]> {
      if (ids.length === 0) return [];
      const rows = await db.selectFrom('logged_models').select('id').where('id', 'in', ids).execute();
      const known = new Set(rows.map(({ id }) => id));
      return ids.filter((id) => !known.has(id));
    },

    /** The logged models that a run made, newest first. */
    async listByRun(runId: string): Promise<readonly LoggedModel[]> {
      const query = db.selectFrom('logged_models').selectAll().where('source_run_id', '=', runId);
      return withDetails(await query.where('lifecycle', '=', 'active').orderBy('created_at', 'desc').execute());
    },

    async insert(model: LoggedModel): Promise<void> {
      await db
        .insertInto('logged_models')
        .values({
          id: model.id,
          experiment_id: parseExperimentId(model.experimentId),
          name: model.name,
          artifact_location: model.artifactLocation,
          status: model.status,
          status_message: model.statusMessage ?? null,
          lifecycle: model.lifecycle,
          model_type: model.modelType ?? null,
          source_run_id: model.sourceRunId ?? null,
          created_at: model.createdAt,
          updated_at: model.updatedAt,
        })
        .execute();
      await upsert('logged_model_tags', model.id, model.tags);
      await upsert('logged_model_params', model.id, model.params);
    },

    async setStatus(id: string, status: LoggedModelStatus, at: number): Promise<void> {
      await db.updateTable('logged_models').set({ status, updated_at: at }).where('id', '=', id).execute();
    },

    async setLifecycle(id: string, lifecycle: Lifecycle, at: number): Promise<void> {
      await db.updateTable('logged_models').set({ lifecycle, updated_at: at }).where('id', '=', id).execute();
    },

    setTags: (id: string, tags: readonly Tag[]): Promise<void> => upsert('logged_model_tags', id, tags),

    /** A param that is there already stays as it is. */
    async addParams(id: string, params: readonly Param[]): Promise<void> {
      if (params.length === 0) return;
      await db
        .insertInto('logged_model_params')
        .values(inLockOrder(params).map(({ key, value }) => ({ model_id: id, key, value })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },

    /** @returns false when there was no such tag */
    async deleteTag(id: string, key: string): Promise<boolean> {
      const query = db.deleteFrom('logged_model_tags').where('model_id', '=', id).where('key', '=', key);
      return (await query.returning('key').execute()).length > 0;
    },

    async addMetrics(metrics: readonly ModelMetric[]): Promise<void> {
      if (metrics.length === 0) return;
      await db
        .insertInto('logged_model_metrics')
        .values(
          metrics.map((metric) => ({
            model_id: metric.modelId,
            key: metric.key,
            timestamp: metric.timestamp,
            step: metric.step,
            run_id: metric.runId,
            ...storedValue(metric.value),
            dataset_name: metric.datasetName ?? null,
            dataset_digest: metric.datasetDigest ?? null,
          })),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
  };

  async function upsert(
    table: 'logged_model_tags' | 'logged_model_params',
    id: string,
    items: readonly Tag[],
  ): Promise<void> {
    if (items.length === 0) return;
    await db
      .insertInto(table)
      .values(inLockOrder(items).map(({ key, value }) => ({ model_id: id, key, value })))
      .onConflict((conflict) => conflict.columns(['model_id', 'key']).doUpdateSet({ value: sql`excluded.value` }))
      .execute();
  }
};

export type LoggedModelStore = ReturnType<typeof loggedModelStore>;

const toMetric = (row: LoggedModelTables['logged_model_metrics']): ModelMetric => ({
  key: row.key,
  value: loadedValue(row),
  timestamp: row.timestamp,
  step: row.step,
  modelId: row.model_id,
  runId: row.run_id,
  ...(row.dataset_name === null ? {} : { datasetName: row.dataset_name }),
  ...(row.dataset_digest === null ? {} : { datasetDigest: row.dataset_digest }),
});
