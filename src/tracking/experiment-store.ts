/** Experiments in the database. */
import { sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { isUniqueViolation } from '../storage/database-error.ts';
import { holdRows } from '../storage/hold-rows.ts';
import { lastNumber } from '../storage/last-numbers.ts';
import { type Experiment, type Lifecycle, parseExperimentId } from './experiment.ts';
import type { Tag } from './names.ts';

export type ExperimentTables = {
  experiments: {
    id: bigint | number;
    name: string;
    project: string;
    artifact_location: string;
    lifecycle: Lifecycle;
    created_at: number;
    updated_at: number;
  };
  experiment_tags: { experiment_id: bigint | number; key: string; value: string };
};

export type ExperimentRow = ExperimentTables['experiments'];

export const experimentStore = (database: Db) => {
  const db = database.withTables<ExperimentTables>();

  async function withTags(rows: readonly ExperimentRow[]): Promise<readonly Experiment[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.id);
    const all = await db
      .selectFrom('experiment_tags')
      .selectAll()
      .where('experiment_id', 'in', ids)
      .orderBy('key')
      .execute();
    const byExperiment = Map.groupBy(all, (tag) => String(tag.experiment_id));
    return rows.map((row) => ({
      id: String(row.id),
      name: row.name,
      project: row.project,
      artifactLocation: row.artifact_location,
      lifecycle: row.lifecycle,
      createdAt: Number(row.created_at),
      updatedAt: Number(row.updated_at),
      tags: (byExperiment.get(String(row.id)) ?? []).map(({ key, value }) => ({ key, value })),
    }));
  }

  return {
    withTags,

    async find(id: string): Promise<Experiment | undefined> {
      const query = db.selectFrom('experiments').selectAll().where('id', '=', parseExperimentId(id));
      const row = await query.executeTakeFirst();
      return row && (await withTags([row]))[0];
    },

    /** Nobody else changes the experiment until the transaction ends; making runs in it goes on. */
    async hold(id: string): Promise<void> {
      await holdRows(database, db.selectFrom('experiments').select('id').where('id', '=', parseExperimentId(id)));
    },

    /** @param project without it, of all projects */
    async activeIds(project?: string): Promise<readonly string[]> {
      let query = db.selectFrom('experiments').select('id').where('lifecycle', '=', 'active');
      if (project !== undefined) query = query.where('project', '=', project);
      const rows = await query.execute();
      return rows.map(({ id }) => String(id));
    },

    /** The projects of these experiments, by their ids. */
    async projectsOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
      if (ids.length === 0) return new Map();
      const numbers = [...new Set(ids)].map(parseExperimentId);
      const rows = await db.selectFrom('experiments').select(['id', 'project']).where('id', 'in', numbers).execute();
      return new Map(rows.map(({ id, project }) => [String(id), project]));
    },

    async findByName(name: string): Promise<Experiment | undefined> {
      const row = await db.selectFrom('experiments').selectAll().where('name', '=', name).executeTakeFirst();
      return row && (await withTags([row]))[0];
    },

    /**
     * Adds an experiment under the next number.
     * @param locate where its artifacts lie, given its id
     * @returns undefined when the name is taken, also by a deleted experiment
     */
    async insert(
      experiment: Omit<Experiment, 'id' | 'artifactLocation'>,
      locate: (id: string) => string,
    ): Promise<string | undefined> {
      for (;;) {
        const { last } = await db
          .selectFrom('experiments')
          .select(({ fn }) => fn.max('id').as('last'))
          .executeTakeFirstOrThrow();
        const gone = await lastNumber(database, experimentNumbers);
        const here = BigInt(last ?? 0);
        const id = (here > gone ? here : gone) + 1n;
        if (await insertAs(id, experiment, locate(String(id)))) return String(id);
        const taken = await db
          .selectFrom('experiments')
          .select('id')
          .where('name', '=', experiment.name)
          .executeTakeFirst();
        if (taken) return undefined;
        // Somebody else took the number between the two statements (PostgreSQL only): the next one then.
      }
    },

    /** Adds an experiment under a given number. @returns false when number or name is taken */
    insertAs,

    /** @returns false when the name is taken; then nothing more can be done in this transaction */
    async rename(id: string, name: string, at: number): Promise<boolean> {
      const update = db.updateTable('experiments').set({ name, updated_at: at });
      try {
        await update.where('id', '=', parseExperimentId(id)).execute();
        return true;
      } catch (error) {
        if (isUniqueViolation(error)) return false;
        throw error;
      }
    },

    async setLifecycle(id: string, lifecycle: Lifecycle, at: number): Promise<void> {
      const update = db.updateTable('experiments').set({ lifecycle, updated_at: at });
      await update.where('id', '=', parseExperimentId(id)).execute();
    },

    async setProject(id: string, project: string): Promise<void> {
      await db.updateTable('experiments').set({ project }).where('id', '=', parseExperimentId(id)).execute();
    },

    async setTag(id: string, { key, value }: Tag): Promise<void> {
      await db
        .insertInto('experiment_tags')
        .values({ experiment_id: parseExperimentId(id), key, value })
        .onConflict((conflict) =>
          conflict.columns(['experiment_id', 'key']).doUpdateSet({ value: sql`excluded.value` }),
        )
        .execute();
    },

    /** @returns false when there was no such tag */
    async deleteTag(id: string, key: string): Promise<boolean> {
      const query = db.deleteFrom('experiment_tags').where('experiment_id', '=', parseExperimentId(id));
      return (await query.where('key', '=', key).returning('key').execute()).length > 0;
    },
  };

  async function insertAs(
    id: bigint,
    experiment: Omit<Experiment, 'id' | 'artifactLocation'>,
    artifactLocation: string,
  ): Promise<boolean> {
    const inserted = await db
      .insertInto('experiments')
      .values({
        id,
        name: experiment.name,
        project: experiment.project,
        artifact_location: artifactLocation,
        lifecycle: experiment.lifecycle,
        created_at: experiment.createdAt,
        updated_at: experiment.updatedAt,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (!inserted) return false;
    const tags = [...new Map(experiment.tags.map(({ key, value }) => [key, value]))];
    if (tags.length > 0) {
      const rows = tags.map(([key, value]) => ({ experiment_id: id, key, value }));
      await db.insertInto('experiment_tags').values(rows).execute();
    }
    return true;
  }
};

/** The series of the experiments' numbers. */
export const experimentNumbers = 'experiments';

export type ExperimentStore = ReturnType<typeof experimentStore>;
