/** Runs with their params and tags in the database. */
import { sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { holdRows } from '../storage/hold-rows.ts';
import type { Int64 } from '../storage/int64.ts';
import { type Lifecycle, parseExperimentId } from './experiment.ts';
import { inLockOrder, type Param, type Tag } from './names.ts';
import type { RunInfo, RunStatus } from './run.ts';

export type RunTables = {
  runs: {
    id: string;
    experiment_id: Int64;
    name: string;
    user_id: string;
    status: RunStatus;
    start_time: Int64;
    end_time: Int64 | null;
    artifact_uri: string;
    lifecycle: Lifecycle;
    deleted_at: number | null;
  };
  run_params: { run_id: string; key: string; value: string };
  run_tags: { run_id: string; key: string; value: string };
};

export type RunRow = RunTables['runs'];

export type RunChange = { readonly status?: RunStatus; readonly endTime?: Int64; readonly name?: string };

export const runStore = (database: Db) => {
  const db = database.withTables<RunTables>();
  return {
    async find(runId: string): Promise<RunInfo | undefined> {
      const row = await db.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst();
      return row && toRunInfo(row);
    },

    /** Nobody else changes the run until the transaction ends; logging to it goes on. */
    async hold(runId: string): Promise<void> {
      await holdRows(database, db.selectFrom('runs').select('id').where('id', '=', runId));
    },

    async insert(run: RunInfo): Promise<void> {
      await db
        .insertInto('runs')
        .values({
          id: run.id,
          experiment_id: parseExperimentId(run.experimentId),
          name: run.name,
          user_id: run.userId,
          status: run.status,
          start_time: run.startTime,
          end_time: run.endTime ?? null,
          artifact_uri: run.artifactUri,
          lifecycle: run.lifecycle,
          deleted_at: null,
        })
        .execute();
    },

    async update(runId: string, change: RunChange): Promise<void> {
      const set = {
        ...(change.status === undefined ? {} : { status: change.status }),
        ...(change.endTime === undefined ? {} : { end_time: change.endTime }),
        ...(change.name === undefined ? {} : { name: change.name }),
      };
      if (Object.keys(set).length > 0) await db.updateTable('runs').set(set).where('id', '=', runId).execute();
    },

    async setLifecycle(runId: string, lifecycle: Lifecycle, at: number): Promise<void> {
      const deleted_at = lifecycle === 'deleted' ? at : null;
      await db.updateTable('runs').set({ lifecycle, deleted_at }).where('id', '=', runId).execute();
    },

    /** Deletes or restores all runs of an experiment. @returns how many changed */
    async setLifecycleOfAll(experimentId: string, lifecycle: Lifecycle, at: number): Promise<number> {
      const result = await db
        .updateTable('runs')
        .set({ lifecycle, deleted_at: lifecycle === 'deleted' ? at : null })
        .where('experiment_id', '=', parseExperimentId(experimentId))
        .where('lifecycle', '!=', lifecycle)
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },

    /** The values already logged for these keys. */
    async params(runId: string, keys: readonly string[]): Promise<readonly Param[]> {
      if (keys.length === 0) return [];
      const query = db.selectFrom('run_params').select(['key', 'value']).where('run_id', '=', runId);
      return query.where('key', 'in', keys).execute();
    },

    async insertParams(runId: string, params: readonly Param[]): Promise<void> {
      if (params.length === 0) return;
      await db
        .insertInto('run_params')
        .values(inLockOrder(params).map(({ key, value }) => ({ run_id: runId, key, value })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },

    async findTag(runId: string, key: string): Promise<string | undefined> {
      const query = db.selectFrom('run_tags').select('value').where('run_id', '=', runId).where('key', '=', key);
      return (await query.executeTakeFirst())?.value;
    },

    async setTags(runId: string, tags: readonly Tag[]): Promise<void> {
      if (tags.length === 0) return;
      await db
        .insertInto('run_tags')
        .values(inLockOrder(tags).map(({ key, value }) => ({ run_id: runId, key, value })))
        .onConflict((conflict) => conflict.columns(['run_id', 'key']).doUpdateSet({ value: sql`excluded.value` }))
        .execute();
    },

    /** @returns false when there was no such tag */
    async deleteTag(runId: string, key: string): Promise<boolean> {
      const query = db.deleteFrom('run_tags').where('run_id', '=', runId).where('key', '=', key);
      return (await query.returning('key').execute()).length > 0;
    },

    /** How much a run logged, for its end event. */
    async counts(runId: string): Promise<{ readonly params: number; readonly tags: number }> {
      const count = (table: 'run_params' | 'run_tags') =>
        db
          .selectFrom(table)
          .select(({ fn }) => fn.countAll().as('n'))
          .where('run_id', '=', runId)
          .executeTakeFirstOrThrow();
      const params = await count('run_params');
      const tags = await count('run_tags');
      return { params: Number(params.n), tags: Number(tags.n) };
    },
  };
};

export type RunStore = ReturnType<typeof runStore>;

export const toRunInfo = (row: RunRow): RunInfo => ({
  id: row.id,
  experimentId: String(row.experiment_id),
  name: row.name,
  userId: row.user_id,
  status: row.status,
  startTime: row.start_time,
  ...(row.end_time === null ? {} : { endTime: row.end_time }),
  artifactUri: row.artifact_uri,
  lifecycle: row.lifecycle,
});
