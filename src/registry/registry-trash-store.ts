/** Deleted models and versions in the database: kept where no other query looks, until they are restored or purged. */
import { type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { keepLastNumber } from '../storage/last-numbers.ts';
import { onPage, type TrashPage } from '../tracking/tracking-trash-store.ts';
import type { ModelTables } from './model-store.ts';
import type { ModelVersion } from './model-version.ts';
import { numbersOf, toVersion, type VersionTables, versionStore } from './version-store.ts';

export type DeletedModelTables = {
  deleted_models: {
    id: string;
    name: string;
    project: string;
    description: string | null;
    created_at: number;
    updated_at: number;
    deleted_at: number;
  };
};
type Tables = ModelTables & VersionTables & DeletedModelTables;

export type DeletedModel = {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly deletedAt: number;
  readonly versions: number;
};

/** In the trash by itself, while its model is not. */
export type DeletedVersion = {
  readonly model: string;
  readonly version: number;
  readonly project: string;
  readonly deletedAt: number;
  /** Those it had. */
  readonly aliases: readonly string[];
};

/** The name that a deleted model's rows have: a name of a model has no slash. */
const hidden = (id: string): string => `trash/${id}`;

export const registryTrashStore = (database: Db) => {
  const db = database.withTables<Tables>();

  async function moveRows(from: string, to: string): Promise<void> {
    for (const table of ['registered_model_tags', 'model_aliases', 'model_versions', 'model_version_tags'] as const) {
      await db.updateTable(table).set({ name: to }).where('name', '=', from).execute();
    }
  }

  const locations = () => db.selectFrom('model_versions').select(['name', 'version', 'storage_location', 'model_id']);

  const countOf = (id: string) =>
    db
      .selectFrom('model_versions')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('name', '=', hidden(id))
      .where('deleted', '=', 2)
      .executeTakeFirstOrThrow();

  async function toModels(rows: readonly Tables['deleted_models'][]): Promise<readonly DeletedModel[]> {
    return Promise.all(
      rows.map(async ({ id, name, project, deleted_at }) => {
        const { n } = await countOf(id);
        return { id, name, project, deletedAt: Number(deleted_at), versions: Number(n) };
      }),
    );
  }

  return {
    /** Moves a model with all that belongs to it. Numbers of versions that can serve are not given again under its name. */
    async trashModel(name: string, { id, at }: { readonly id: string; readonly at: number }): Promise<void> {
      const model = await db
        .deleteFrom('registered_models')
        .where('name', '=', name)
        .returningAll()
        .executeTakeFirstOrThrow();
      await db
        .insertInto('deleted_models')
        .values({ id, ...model, deleted_at: at })
        .execute();
      const { last } = await db
        .selectFrom('model_versions')
        .select(({ fn }) => fn.max('version').as('last'))
        .where('name', '=', name)
        .where(holdsOnnx)
        .executeTakeFirstOrThrow();
      if (last !== null) await keepLastNumber(database, numbersOf(name), last);
      await db
        .updateTable('model_versions')
        .set({ deleted: 2 })
        .where('name', '=', name)
        .where('deleted', '=', 0)
        .execute();
      await moveRows(name, hidden(id));
    },

    async findModel(id: string): Promise<DeletedModel | undefined> {
      const rows = await db.selectFrom('deleted_models').selectAll().where('id', '=', id).execute();
      return (await toModels(rows))[0];
    },

    /** Newest first. */
    async models(page: TrashPage): Promise<readonly DeletedModel[]> {
      const rows = await db
        .selectFrom('deleted_models')
        .selectAll()
        .where(() => onPage(page, { at: sql.ref('deleted_at'), id: sql.ref('id') }))
        .orderBy('deleted_at', 'desc')
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute();
      return toModels(rows);
    },

    /** @returns false when another model has the name now */
    async restoreModel(id: string, at: number): Promise<boolean> {
      const { deleted_at: _, ...row } = await db
        .deleteFrom('deleted_models')
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      const { id: __, ...model } = row;
      const inserted = await db
        .insertInto('registered_models')
        .values({ ...model, updated_at: at })
        .onConflict((conflict) => conflict.doNothing())
        .returning('name')
        .execute();
      if (inserted.length === 0) return false;
      await moveRows(hidden(id), model.name);
      await db
        .updateTable('model_versions')
        .set({ deleted: 0 })
        .where('name', '=', model.name)
        .where('deleted', '=', 2)
        .execute();
      return true;
    },

    /** How many were deleted after this moment. */
    async count(after: number): Promise<number> {
      const models = await db.selectFrom('deleted_models').select('id').where('deleted_at', '>', after).execute();
      const versions = await db
        .selectFrom('model_versions')
        .innerJoin('registered_models', 'registered_models.name', 'model_versions.name')
        .select('version')
        .where('trashed_at', '>', after)
        .execute();
      return models.length + versions.length;
    },

    async purgeModel(id: string): Promise<void> {
      await db.deleteFrom('deleted_models').where('id', '=', id).execute();
      for (const table of ['registered_model_tags', 'model_aliases', 'model_versions', 'model_version_tags'] as const) {
        await db.deleteFrom(table).where('name', '=', hidden(id)).execute();
      }
    },

    async findVersion(model: string, version: number): Promise<DeletedVersion | undefined> {
      const row = await db
        .selectFrom('model_versions')
        .selectAll()
        .where('name', '=', model)
        .where('version', '=', version)
        .where('trashed_at', 'is not', null)
        .executeTakeFirst();
      return row && toDeleted(row);
    },

    /** Newest first; those of deleted models are not listed by themselves. */
    async versions(page: TrashPage): Promise<readonly DeletedVersion[]> {
      const id = sql`(model_versions.name || '@' || model_versions.version)`;
      const rows = await db
        .selectFrom('model_versions')
        .innerJoin('registered_models', 'registered_models.name', 'model_versions.name')
        .selectAll('model_versions')
        .where('trashed_at', 'is not', null)
        .where(() => onPage(page, { at: sql.ref('trashed_at'), id }))
        .orderBy('trashed_at', 'desc')
        .orderBy(id, 'desc')
        .limit(page.limit)
        .execute();
      return rows.map(toDeleted);
    },

    /** Shows a version again, with those of its aliases that nobody has taken since. @returns these */
    async restoreVersion({ model, version, aliases }: DeletedVersion, at: number): Promise<readonly string[]> {
      await db
        .updateTable('model_versions')
        .set({ deleted: 0, trashed_at: null, trashed_aliases: null, updated_at: at })
        .where('name', '=', model)
        .where('version', '=', version)
        .execute();
      if (aliases.length === 0) return [];
      const back = await db
        .insertInto('model_aliases')
        .values(aliases.map((alias) => ({ name: model, alias, version })))
        .onConflict((conflict) => conflict.doNothing())
        .returning('alias')
        .execute();
      return back.map(({ alias }) => alias).sort();
    },

    /** Empties the row and keeps its number, so that no other version is ever mistaken for it. */
    async purgeVersion(model: string, version: number): Promise<void> {
      await db
        .updateTable('model_versions')
        .set({
          ...{
            trashed_at: null,
            trashed_aliases: null,
            source: '',
            storage_location: '',
            run_id: null,
            run_link: null,
          },
          ...{ model_id: null, user_id: null, description: null, status_message: null, lineage: '{"datasets":[]}' },
          ...{ sealed: null, profile_digest: null, gate_data_digest: null, parity_digest: null },
        })
        .where('name', '=', model)
        .where('version', '=', version)
        .execute();
      await db.deleteFrom('model_version_tags').where('name', '=', model).where('version', '=', version).execute();
    },

    /** Where one version has its files, or all those of a deleted model. */
    async locationsOf(
      of: { readonly trashId: string } | { readonly model: string; readonly version: number },
    ): Promise<readonly VersionLocation[]> {
      const rows = locations().where('name', '=', 'trashId' in of ? hidden(of.trashId) : of.model);
      return (await ('trashId' in of ? rows : rows.where('version', '=', of.version)).execute()).map(toLocation);
    },

    /** Where versions have their files, of those whose location names this run or logged model. */
    async locationsNaming(id: string): Promise<readonly VersionLocation[]> {
      return (await locations().where('storage_location', 'like', `%${id}%`).execute()).map(toLocation);
    },

    /** Versions that name a run or a logged model, and not the place of their files. */
    async unsettledLocations(): Promise<readonly VersionLocation[]> {
      const rows = await locations()
        .where((e) => e.or([e('storage_location', 'like', 'runs:%'), e('storage_location', 'like', 'models:%')]))
        .execute();
      return rows.map(toLocation);
    },

    /**
     * A version, also when it or its model is in the trash: what serves goes on serving until it is purged. Of one name, versions
     * that can serve never share a number, so that what is found is what was deployed.
     */
    async findDeployed(model: string, version: number): Promise<ModelVersion | undefined> {
      const kept = await versionStore(database).find(model, version);
      if (kept) return kept;
      const deleted = await db.selectFrom('deleted_models').select('id').where('name', '=', model).execute();
      const row = await db
        .selectFrom('model_versions')
        .selectAll()
        .where('name', 'in', [model, ...deleted.map(({ id }) => hidden(id))])
        .where('version', '=', version)
        .where(holdsOnnx)
        .executeTakeFirst();
      return row && { ...toVersion(row, [], []), model };
    },

    /** Every blob that a version needs, in the trash or not. */
    async digests(): Promise<ReadonlySet<string>> {
      const rows = await db
        .selectFrom('model_versions')
        .select(['sealed', 'profile_digest', 'gate_data_digest', 'parity_digest'])
        .execute();
      const found = new Set<string>();
      for (const row of rows) {
        const sealed = row.sealed === null ? undefined : (JSON.parse(row.sealed) as ModelVersion['sealed']); // written by version-store.ts
        for (const { digest } of sealed?.files ?? []) found.add(digest);
        for (const digest of [sealed?.onnxDigest, row.profile_digest, row.gate_data_digest, row.parity_digest]) {
          if (digest) found.add(digest);
        }
      }
      return found;
    },

    /** Says where the files of a version lie, when what its source names is about to go. */
    async setLocation({ name, version }: VersionLocation['row'], location: string): Promise<void> {
      await db
        .updateTable('model_versions')
        .set({ storage_location: location })
        .where('name', '=', name)
        .where('version', '=', version)
        .execute();
    },
  };
};

export type RegistryTrashStore = ReturnType<typeof registryTrashStore>;

export type VersionLocation = {
  /** The key of its row: the name of a deleted model's versions is not the model's. */
  readonly row: { readonly name: string; readonly version: number };
  readonly storageLocation: string;
  readonly loggedModelId?: string;
};

/** A seal without an ONNX file is one of a version that cannot serve. */
const holdsOnnx = sql<SqlBool>`sealed like '%"onnxDigest":%'`;

const toLocation = (
  row: Pick<VersionTables['model_versions'], 'name' | 'version' | 'storage_location' | 'model_id'>,
): VersionLocation => ({
  row: { name: row.name, version: Number(row.version) },
  storageLocation: row.storage_location,
  ...(row.model_id !== null && { loggedModelId: row.model_id }),
});

const toDeleted = (row: VersionTables['model_versions']): DeletedVersion => ({
  model: row.name,
  version: Number(row.version),
  project: row.project,
  deletedAt: Number(row.trashed_at),
  aliases: JSON.parse(row.trashed_aliases ?? '[]') as readonly string[], // written by version-store.ts
});
