/** Registered models in the database. */
import type { Db } from '../storage/database.ts';
import { isUniqueViolation } from '../storage/database-error.ts';
import type { RegisteredModel, Tag } from './model-version.ts';

export type ModelTables = {
  registered_models: {
    name: string;
    project: string;
    description: string | null;
    created_at: number;
    updated_at: number;
  };
  registered_model_tags: { name: string; key: string; value: string };
  model_aliases: { name: string; alias: string; version: number };
};

type ModelRow = ModelTables['registered_models'];
type RenamedTables = ModelTables & Record<'model_versions' | 'model_version_tags', { name: string }>;

export const modelStore = (database: Db) => {
  const db = database.withTables<ModelTables>();

  async function withDetails(rows: readonly ModelRow[]): Promise<readonly RegisteredModel[]> {
    if (rows.length === 0) return [];
    const names = rows.map((row) => row.name);
    const [tags, aliases] = await Promise.all([
      db.selectFrom('registered_model_tags').selectAll().where('name', 'in', names).orderBy('key').execute(),
      db.selectFrom('model_aliases').selectAll().where('name', 'in', names).orderBy('alias').execute(),
    ]);
    return rows.map((row) => ({
      name: row.name,
      project: row.project,
      ...(row.description === null ? {} : { description: row.description }),
      createdAt: Number(row.created_at),
      updatedAt: Number(row.updated_at),
      tags: tags.filter(({ name }) => name === row.name).map(({ key, value }) => ({ key, value })),
      aliases: aliases
        .filter(({ name }) => name === row.name)
        .map(({ alias, version }) => ({ alias, version: Number(version) })),
    }));
  }

  return {
    withDetails,

    async find(name: string): Promise<RegisteredModel | undefined> {
      const row = await db.selectFrom('registered_models').selectAll().where('name', '=', name).executeTakeFirst();
      return row && (await withDetails([row]))[0];
    },

    /** @returns false when the name is taken */
    async insert(model: Omit<RegisteredModel, 'aliases' | 'updatedAt'>): Promise<boolean> {
      const { name, project, description, createdAt } = model;
      const inserted = await db
        .insertInto('registered_models')
        .values({ name, project, description: description ?? null, created_at: createdAt, updated_at: createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .returning('name')
        .executeTakeFirst();
      if (!inserted) return false;
      const tags = [...new Map(model.tags.map(({ key, value }) => [key, value]))];
      if (tags.length > 0) {
        const values = tags.map(([key, value]) => ({ name, key, value }));
        await db.insertInto('registered_model_tags').values(values).execute();
      }
      return true;
    },

    /** Marks a model as changed and so locks its row: what follows in the transaction is alone with it. */
    async touch(name: string, at: number): Promise<boolean> {
      const update = db.updateTable('registered_models').set({ updated_at: at }).where('name', '=', name);
      return (await update.returning('name').execute()).length > 0;
    },

    async describe(name: string, description: string, at: number): Promise<void> {
      await db.updateTable('registered_models').set({ description, updated_at: at }).where('name', '=', name).execute();
    },

    /** @returns false when the name is taken; then nothing more can be done in this transaction */
    async rename(name: string, newName: string, at: number): Promise<boolean> {
      const all = database.withTables<RenamedTables>();
      const model = all.updateTable('registered_models').set({ name: newName, updated_at: at });
      try {
        await model.where('name', '=', name).execute();
      } catch (error) {
        if (isUniqueViolation(error)) return false;
        throw error;
      }
      await all.updateTable('registered_model_tags').set({ name: newName }).where('name', '=', name).execute();
      await all.updateTable('model_aliases').set({ name: newName }).where('name', '=', name).execute();
      await all.updateTable('model_versions').set({ name: newName }).where('name', '=', name).execute();
      await all.updateTable('model_version_tags').set({ name: newName }).where('name', '=', name).execute();
      return true;
    },

    /** With the versions that belong to the model's own project. */
    async setProject(
      { name, project: before }: Pick<RegisteredModel, 'name' | 'project'>,
      project: string,
    ): Promise<void> {
      const all = database.withTables<ModelTables & { model_versions: { name: string; project: string } }>();
      await all.updateTable('registered_models').set({ project }).where('name', '=', name).execute();
      const versions = all.updateTable('model_versions').set({ project }).where('name', '=', name);
      await versions.where('project', '=', before).execute();
    },

    async setTag(name: string, { key, value }: Tag): Promise<void> {
      await db
        .insertInto('registered_model_tags')
        .values({ name, key, value })
        .onConflict((conflict) => conflict.columns(['name', 'key']).doUpdateSet({ value }))
        .execute();
    },

    async deleteTag(name: string, key: string): Promise<void> {
      await db.deleteFrom('registered_model_tags').where('name', '=', name).where('key', '=', key).execute();
    },
  };
};

export type ModelStore = ReturnType<typeof modelStore>;
