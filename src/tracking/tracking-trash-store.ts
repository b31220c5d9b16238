/** Deleted experiments, runs and logged models in the database, and the end of their rows in portions. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { keepLastNumber } from '../storage/last-numbers.ts';
import { type Lifecycle, parseExperimentId } from './experiment.ts';
import { type ExperimentTables, experimentNumbers } from './experiment-store.ts';
import type { LoggedModelTables } from './logged-model-store.ts';
import type { MetricTables } from './metric-store.ts';
import type { RunInputTables } from './run-input-store.ts';
import type { RunTables } from './run-store.ts';

/** From the newest deletion to the oldest. */
export type TrashPage = {
  /** Older than this moment; at this moment itself all, none, or those with a lower id. */
  readonly before?: { readonly at: number; readonly ties: 'all' | 'none' | { readonly below: string } } | undefined;
  readonly limit: number;
};

/** What of a kind stands on a page. */
export function onPage(
  { before }: TrashPage,
  columns: { readonly at: RawBuilder<unknown>; readonly id: RawBuilder<unknown>; readonly isNumber?: boolean },
): RawBuilder<SqlBool> {
  if (before === undefined) return sql<SqlBool>`true`;
  const { at, ties } = before;
  if (ties === 'all') return sql<SqlBool>`${columns.at} <= ${at}`;
  if (ties === 'none') return sql<SqlBool>`${columns.at} < ${at}`;
  const below = columns.isNumber ? BigInt(ties.below) : ties.below;
  return sql<SqlBool>`(${columns.at}, ${columns.id}) < (${at}, ${below})`;
}

export type DeletedExperiment = {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly deletedAt: number;
  readonly runs: number;
};
/** A run or a logged model. */
export type DeletedItem = {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly experimentId: string;
  readonly deletedAt: number;
  readonly location: string;
};
/** What left the lists for good: its other rows and its files still have to go. */
export type Removed = { readonly id: string; readonly location: string };

type Tables = ExperimentTables & RunTables & LoggedModelTables & MetricTables & RunInputTables;

export const trackingTrashStore = (database: Db) => {
  const db = database.withTables<Tables>();

  const deletedRuns = () =>
    db
      .selectFrom('runs')
      .innerJoin('experiments', 'experiments.id', 'runs.experiment_id')
      .select(['runs.id', 'runs.name', 'project', 'experiment_id', 'deleted_at', 'artifact_uri as location'])
      .where('runs.lifecycle', '=', 'deleted');
  const deletedModels = () =>
    db
      .selectFrom('logged_models')
      .innerJoin('experiments', 'experiments.id', 'logged_models.experiment_id')
      .select(['logged_models.id', 'logged_models.name', 'project', 'experiment_id'])
      .select(['logged_models.updated_at as deleted_at', 'logged_models.artifact_location as location'])
      .where('logged_models.lifecycle', '=', 'deleted');
  const deletedExperiments = () =>
    db
      .selectFrom('experiments')
      .select(['id', 'name', 'project', 'updated_at'])
      .select((e) =>
        e
          .selectFrom('runs')
          .select(({ fn }) => fn.countAll<number>().as('n'))
          .whereRef('runs.experiment_id', '=', 'experiments.id')
          .as('runs'),
      )
      .where('lifecycle', '=', 'deleted');

  return {
    async experiments(page: TrashPage): Promise<readonly DeletedExperiment[]> {
      const columns = { at: sql.ref('updated_at'), id: sql.ref('id'), isNumber: true };
      const rows = await deletedExperiments()
        .where(() => onPage(page, columns))
        .orderBy('updated_at', 'desc')
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute();
      return rows.map(toExperiment);
    },

    async findExperiment(id: string): Promise<DeletedExperiment | undefined> {
      const row = await deletedExperiments().where('id', '=', parseExperimentId(id)).executeTakeFirst();
      return row && toExperiment(row);
    },

    /** Those of deleted experiments are not listed by themselves: they come back with them. */
    async runs(page: TrashPage): Promise<readonly DeletedItem[]> {
      const rows = await deletedRuns()
        .where('experiments.lifecycle', '=', 'active')
        .where(() => onPage(page, { at: sql.ref('deleted_at'), id: sql.ref('runs.id') }))
        .orderBy('deleted_at', 'desc')
        .orderBy('runs.id', 'desc')
        .limit(page.limit)
        .execute();
      return rows.map(toItem);
    },

    async findRun(id: string): Promise<DeletedItem | undefined> {
      const row = await deletedRuns().where('runs.id', '=', id).executeTakeFirst();
      return row && toItem(row);
    },

    async loggedModels(page: TrashPage): Promise<readonly DeletedItem[]> {
      const rows = await deletedModels()
        .where('experiments.lifecycle', '=', 'active')
        .where(() => onPage(page, { at: sql.ref('logged_models.updated_at'), id: sql.ref('logged_models.id') }))
        .orderBy('logged_models.updated_at', 'desc')
        .orderBy('logged_models.id', 'desc')
        .limit(page.limit)
        .execute();
      return rows.map(toItem);
    },

    async findLoggedModel(id: string): Promise<DeletedItem | undefined> {
      const row = await deletedModels().where('logged_models.id', '=', id).executeTakeFirst();
      return row && toItem(row);
    },

    /** How many were deleted after this moment. */
    async count(after: number): Promise<number> {
      const counts = await Promise.all([
        deletedExperiments().where('updated_at', '>', after).execute(),
        deletedRuns().where('experiments.lifecycle', '=', 'active').where('deleted_at', '>', after).execute(),
        deletedModels()
          .where('experiments.lifecycle', '=', 'active')
          .where('logged_models.updated_at', '>', after)
          .execute(),
      ]);
      return counts.flat().length;
    },

    /** Runs and logged models of an experiment, deleted or not, with the places of their files. */
    async placesOf(experimentId: string): Promise<readonly Removed[]> {
      const id = parseExperimentId(experimentId);
      const runs = db.selectFrom('runs').select(['id', 'artifact_uri as location']).where('experiment_id', '=', id);
      const models = db.selectFrom('logged_models').select(['id', 'artifact_location as location']);
      return [...(await runs.execute()), ...(await models.where('experiment_id', '=', id).execute())];
    },

    /** Some runs and logged models of an experiment that is gone. */
    async someOf(
      experimentId: string,
      limit: number,
    ): Promise<{ readonly runs: readonly string[]; readonly loggedModels: readonly string[] }> {
      const id = parseExperimentId(experimentId);
      const runs = await db.selectFrom('runs').select('id').where('experiment_id', '=', id).limit(limit).execute();
      const models = db.selectFrom('logged_models').select('id').where('experiment_id', '=', id).limit(limit);
      return { runs: runs.map((run) => run.id), loggedModels: (await models.execute()).map((model) => model.id) };
    },

    /** Frees the name of a deleted experiment; its number is not given again. @returns false when it is not deleted */
    async removeExperiment(experimentId: string): Promise<boolean> {
      const id = parseExperimentId(experimentId);
      const removed = db.deleteFrom('experiments').where('id', '=', id).where('lifecycle', '=', 'deleted');
      if ((await removed.returning('id').execute()).length === 0) return false;
      await db.deleteFrom('experiment_tags').where('experiment_id', '=', id).execute();
      await keepLastNumber(database, experimentNumbers, id);
      return true;
    },

    /** @param lifecycles runs of a purged experiment go whether they were deleted or not */
    async removeRun(id: string, lifecycles: readonly Lifecycle[]): Promise<Removed | undefined> {
      const query = db.deleteFrom('runs').where('id', '=', id).where('lifecycle', 'in', lifecycles);
      return query.returning(['id', 'artifact_uri as location']).executeTakeFirst();
    },

    /** @param lifecycles as of runs */
    async removeLoggedModel(id: string, lifecycles: readonly Lifecycle[]): Promise<Removed | undefined> {
      const query = db.deleteFrom('logged_models').where('id', '=', id).where('lifecycle', 'in', lifecycles);
      return query.returning(['id', 'artifact_location as location']).executeTakeFirst();
    },

    /** What is left of an experiment after its runs. */
    async sweepExperiment(experimentId: string): Promise<void> {
      await db.deleteFrom('logged_datasets').where('experiment_id', '=', parseExperimentId(experimentId)).execute();
    },

    /** Deletes at most `limit` points of a run that is gone. @returns false when there are none left, nor series */
    async sweepPoints(runId: string, limit: number): Promise<boolean> {
      const series = await db
        .selectFrom('metric_series')
        .select('id')
        .where('run_id', '=', runId)
        .limit(1)
        .executeTakeFirst();
      if (!series) return false;
      const key = sql`series_id, step, timestamp, value, is_nan`;
      const some = sql`select ${key} from metric_points where series_id = ${series.id} limit ${sql.lit(limit)}`;
      const { numAffectedRows = 0n } = await sql`delete from metric_points where (${key}) in (${some})`.execute(
        database,
      );
      if (numAffectedRows < limit) await db.deleteFrom('metric_series').where('id', '=', series.id).execute();
      return true;
    },

    /** What a run that is gone logged besides its points. */
    async sweepRun(runId: string): Promise<void> {
      for (const table of ['run_params', 'run_tags', 'run_datasets', 'run_models'] as const) {
        await db.deleteFrom(table).where('run_id', '=', runId).execute();
      }
    },

    /** What a logged model that is gone had. */
    async sweepLoggedModel(id: string): Promise<void> {
      for (const table of ['logged_model_tags', 'logged_model_params', 'logged_model_metrics'] as const) {
        await db.deleteFrom(table).where('model_id', '=', id).execute();
      }
      await db.deleteFrom('run_models').where('model_id', '=', id).execute();
    },

    /** Of these ids those that a run or a logged model has. */
    async owners(ids: readonly string[]): Promise<readonly string[]> {
      if (ids.length === 0) return [];
      const runs = await db.selectFrom('runs').select('id').where('id', 'in', ids).execute();
      const models = await db.selectFrom('logged_models').select('id').where('id', 'in', ids).execute();
      return [...runs, ...models].map(({ id }) => id);
    },
  };
};

export type TrackingTrashStore = ReturnType<typeof trackingTrashStore>;

const toExperiment = (row: {
  readonly id: Int64;
  readonly name: string;
  readonly project: string;
  readonly updated_at: number;
  readonly runs: number | null;
}): DeletedExperiment => ({
  id: String(row.id),
  name: row.name,
  project: row.project,
  deletedAt: Number(row.updated_at),
  runs: Number(row.runs),
});

const toItem = (row: {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly experiment_id: Int64;
  readonly deleted_at: number | null;
  readonly location: string;
}): DeletedItem => ({
  id: row.id,
  name: row.name,
  project: row.project,
  experimentId: String(row.experiment_id),
  deletedAt: Number(row.deleted_at),
  location: row.location,
});
