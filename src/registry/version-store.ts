/** Model versions in the database. */
import type { ExpressionBuilder } from 'kysely';
import type { Db } from '../storage/database.ts';
import { lastNumber } from '../storage/last-numbers.ts';
import type { Lineage, ModelVersion, SealedVersion, Stage, Tag, VersionStatus } from './model-version.ts';

export type VersionTables = {
  model_versions: {
    name: string;
    version: number;
    project: string;
    /** 0: no; 1: by itself; 2: with its model. */
    deleted: number;
    trashed_at: number | null;
    trashed_aliases: string | null;
    source: string;
    storage_location: string;
    run_id: string | null;
    run_link: string | null;
    model_id: string | null;
    user_id: string | null;
    description: string | null;
    stage: Stage;
    status: VersionStatus;
    status_message: string | null;
    created_at: number;
    updated_at: number;
    lineage: string;
    sealed: string | null;
    profile_digest: string | null;
    gate_data_digest: string | null;
    parity_digest: string | null;
  };
  model_version_tags: { name: string; version: number; key: string; value: string };
  model_aliases: { name: string; alias: string; version: number };
};

export type VersionRow = VersionTables['model_versions'];
export type NewVersion = Omit<ModelVersion, 'version' | 'aliases' | 'updatedAt' | 'sealed'>;

/** What may change in a version after it was registered. */
export type VersionChange = {
  readonly description?: string | undefined;
  readonly stage?: Stage;
  readonly status?: VersionStatus;
  readonly statusMessage?: string;
  readonly sealed?: SealedVersion;
  readonly lineage?: Lineage;
  readonly profileDigest?: string;
  readonly gateDataDigest?: string;
  readonly parityDigest?: string;
};

export const versionStore = (database: Db) => {
  const db = database.withTables<VersionTables>();
  const kept = (eb: ExpressionBuilder<VersionTables, 'model_versions'>) => eb('model_versions.deleted', '=', 0);

  /** Gives rows their tags and aliases, in the order of the rows. */
  async function withDetails(rows: readonly VersionRow[]): Promise<readonly ModelVersion[]> {
    if (rows.length === 0) return [];
    const names = [...new Set(rows.map((row) => row.name))];
    const numbers = [...new Set(rows.map((row) => row.version))];
    let ofVersions = db.selectFrom('model_version_tags').selectAll().where('name', 'in', names).orderBy('key');
    // Texts of prompts are tags, and long: those of other versions stay where they are.
    if (numbers.length <= 1000) ofVersions = ofVersions.where('version', 'in', numbers);
    const [tags, aliases] = await Promise.all([
      ofVersions.execute(),
      db.selectFrom('model_aliases').selectAll().where('name', 'in', names).orderBy('alias').execute(),
    ]);
    const of = <T extends { name: string; version: number }>(all: readonly T[], row: VersionRow) =>
      all.filter((one) => one.name === row.name && Number(one.version) === Number(row.version));
    return rows.map((row) =>
      toVersion(
        row,
        of(tags, row),
        of(aliases, row).map(({ alias }) => alias),
      ),
    );
  }

  return {
    withDetails,

    async find(model: string, version: number): Promise<ModelVersion | undefined> {
      const row = await db
        .selectFrom('model_versions')
        .selectAll()
        .where('name', '=', model)
        .where('version', '=', version)
        .where(kept)
        .executeTakeFirst();
      return row && (await withDetails([row]))[0];
    },

    async findByAlias(model: string, alias: string): Promise<{ readonly version: number } | undefined> {
      const row = await db
        .selectFrom('model_aliases')
        .select('version')
        .where('name', '=', model)
        .where('alias', '=', alias)
        .executeTakeFirst();
      return row && { version: Number(row.version) };
    },

    /** All versions of a model, newest first. */
    async list(model: string): Promise<readonly ModelVersion[]> {
      const query = db.selectFrom('model_versions').selectAll().where('name', '=', model).where(kept);
      return withDetails(await query.orderBy('version', 'desc').execute());
    },

    /** All versions of some models, newest first within each. */
    async listOf(models: readonly string[]): Promise<readonly ModelVersion[]> {
      if (models.length === 0) return [];
      const query = db.selectFrom('model_versions').selectAll().where('name', 'in', models).where(kept);
      return withDetails(await query.orderBy('name').orderBy('version', 'desc').execute());
    },

    /** The versions that a run or one of its logged models became. */
    async listByRun(runId: string): Promise<readonly ModelVersion[]> {
      const query = db.selectFrom('model_versions').selectAll().where('run_id', '=', runId).where(kept);
      return withDetails(await query.orderBy('name').orderBy('version', 'desc').execute());
    },

    /** The newest version per stage of each model. */
    async latestPerStage(models: readonly string[]): Promise<readonly ModelVersion[]> {
      if (models.length === 0) return [];
      const rows = await db
        .selectFrom('model_versions')
        .selectAll('model_versions')
        .innerJoin(
          (eb) =>
            eb
              .selectFrom('model_versions')
              .select(({ fn }) => ['name', 'stage', fn.max('version').as('newest')])
              .where('name', 'in', models)
              .where('deleted', '=', 0)
              .groupBy(['name', 'stage'])
              .as('latest'),
          (join) =>
            join.onRef('latest.name', '=', 'model_versions.name').onRef('latest.newest', '=', 'model_versions.version'),
        )
        .orderBy('model_versions.name')
        .orderBy('model_versions.version')
        .execute();
      return withDetails(rows);
    },

    /** Adds the next version. The caller holds the model's row (`modelStore.touch`), so that numbers stay gapless. */
    async insert(version: NewVersion): Promise<ModelVersion> {
      const { last } = await db
        .selectFrom('model_versions')
        .select(({ fn }) => fn.max('version').as('last'))
        .where('name', '=', version.model)
        .executeTakeFirstOrThrow();
      const gone = await lastNumber(database, numbersOf(version.model));
      const number = Math.max(Number(last ?? 0), Number(gone)) + 1;
      const row = toRow(version, number);
      await db.insertInto('model_versions').values(row).execute();
      const tags = [...new Map(version.tags.map(({ key, value }) => [key, value]))];
      if (tags.length > 0) {
        const values = tags.map(([key, value]) => ({ name: version.model, version: number, key, value }));
        await db.insertInto('model_version_tags').values(values).execute();
      }
      return toVersion(
        row,
        tags.map(([key, value]) => ({ key, value })),
        [],
      );
    },

    async update(model: string, version: number, change: VersionChange, at: number): Promise<void> {
      await db
        .updateTable('model_versions')
        .set({
          updated_at: at,
          ...('description' in change ? { description: change.description ?? null } : {}),
          ...(change.stage ? { stage: change.stage } : {}),
          ...(change.status ? { status: change.status } : {}),
          ...(change.statusMessage === undefined ? {} : { status_message: change.statusMessage }),
          ...(change.sealed ? { sealed: JSON.stringify(change.sealed) } : {}),
          ...(change.lineage ? { lineage: JSON.stringify(change.lineage) } : {}),
          ...(change.profileDigest ? { profile_digest: change.profileDigest } : {}),
          ...(change.gateDataDigest ? { gate_data_digest: change.gateDataDigest } : {}),
          ...(change.parityDigest ? { parity_digest: change.parityDigest } : {}),
        })
        .where('name', '=', model)
        .where('version', '=', version)
        .execute();
    },

    /** Moves every other version of a stage to Archived. @returns the numbers that moved */
    async archiveOthers(model: string, version: number, stage: Stage, at: number): Promise<readonly number[]> {
      const rows = await db
        .updateTable('model_versions')
        .set({ stage: 'Archived', updated_at: at })
        .where('name', '=', model)
        .where('version', '!=', version)
        .where('stage', '=', stage)
        .where('deleted', '=', 0)
        .returning('version')
        .execute();
      return rows.map((row) => Number(row.version));
    },

    /** Hides a version and takes its aliases away; both can be brought back (`registry-trash-store.ts`). */
    async trash(model: string, version: number, at: number): Promise<readonly string[]> {
      const removed = await db
        .deleteFrom('model_aliases')
        .where('name', '=', model)
        .where('version', '=', version)
        .returning('alias')
        .execute();
      const aliases = removed.map(({ alias }) => alias).sort();
      await db
        .updateTable('model_versions')
        .set({ deleted: 1, updated_at: at, trashed_at: at, trashed_aliases: JSON.stringify(aliases) })
        .where('name', '=', model)
        .where('version', '=', version)
        .execute();
      return aliases;
    },

    async setTag(model: string, version: number, { key, value }: Tag): Promise<void> {
      await db
        .insertInto('model_version_tags')
        .values({ name: model, version, key, value })
        .onConflict((conflict) => conflict.columns(['name', 'version', 'key']).doUpdateSet({ value }))
        .execute();
    },

    async deleteTag(model: string, version: number, key: string): Promise<void> {
      const tags = db.deleteFrom('model_version_tags').where('name', '=', model);
      await tags.where('version', '=', version).where('key', '=', key).execute();
    },

    async setAlias(model: string, alias: string, version: number): Promise<void> {
      await db
        .insertInto('model_aliases')
        .values({ name: model, alias, version })
        .onConflict((conflict) => conflict.columns(['name', 'alias']).doUpdateSet({ version }))
        .execute();
    },

    async deleteAlias(model: string, alias: string): Promise<boolean> {
      const query = db.deleteFrom('model_aliases').where('name', '=', model).where('alias', '=', alias);
      return (await query.returning('alias').execute()).length > 0;
    },
  };
};

export type VersionStore = ReturnType<typeof versionStore>;

/** The series of a model's version numbers. */
export const numbersOf = (model: string): string => `model/${model}`;

export const toVersion = (row: VersionRow, tags: readonly Tag[], aliases: readonly string[]): ModelVersion => ({
  model: row.name,
  version: Number(row.version),
  project: row.project,
  source: row.source,
  storageLocation: row.storage_location,
  ...(row.run_id === null ? {} : { runId: row.run_id }),
  ...(row.run_link === null ? {} : { runLink: row.run_link }),
  ...(row.model_id === null ? {} : { loggedModelId: row.model_id }),
  ...(row.user_id === null ? {} : { userId: row.user_id }),
  ...(row.description === null ? {} : { description: row.description }),
  stage: row.stage,
  status: row.status,
  ...(row.status_message === null ? {} : { statusMessage: row.status_message }),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
  tags: tags.map(({ key, value }) => ({ key, value })),
  aliases,
  lineage: JSON.parse(row.lineage) as Lineage, // written below, by this store only
  ...(row.sealed === null ? {} : { sealed: JSON.parse(row.sealed) as SealedVersion }), // written by `update` only
  ...(row.profile_digest === null ? {} : { profileDigest: row.profile_digest }),
  ...(row.gate_data_digest === null ? {} : { gateDataDigest: row.gate_data_digest }),
  ...(row.parity_digest === null ? {} : { parityDigest: row.parity_digest }),
});

const toRow = (version: NewVersion, number: number): VersionRow => ({
  name: version.model,
  version: number,
  project: version.project,
  deleted: 0,
  trashed_at: null,
  trashed_aliases: null,
  source: version.source,
  storage_location: version.storageLocation,
  run_id: version.runId ?? null,
  run_link: version.runLink ?? null,
  model_id: version.loggedModelId ?? null,
  user_id: version.userId ?? null,
  description: version.description ?? null,
  stage: version.stage,
  status: version.status,
  status_message: version.statusMessage ?? null,
  created_at: version.createdAt,
  updated_at: version.createdAt,
  lineage: JSON.stringify(version.lineage),
  sealed: null,
  profile_digest: version.profileDigest ?? null,
  gate_data_digest: version.gateDataDigest ?? null,
  parity_digest: version.parityDigest ?? null,
});
