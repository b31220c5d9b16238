import type { Db } from '../storage/database.ts';
import type { CheckResult, DatasetVersion } from './dataset.ts';

export type DatasetTables = {
  datasets: { project: string; name: string; latest: number; created_at: number };
  dataset_versions: {
    project: string;
    name: string;
    version: number;
    root: string;
    source: string;
    files: number;
    bytes: number;
    new_bytes: number;
    row_count: number | null;
    columns: string;
    profile: string | null;
    checks: string;
    actor: string;
    created_at: number;
  };
};

export type DatasetKey = { readonly project: string; readonly name: string };
export type DatasetSummary = DatasetKey & { readonly latest: number; readonly createdAt: number };

export const datasetStore = (db: Db) => {
  const tables = db.withTables<DatasetTables>();
  const versions = ({ project, name }: DatasetKey) =>
    tables.selectFrom('dataset_versions').selectAll().where('project', '=', project).where('name', '=', name);

  return {
    async list(project: string): Promise<readonly DatasetSummary[]> {
      const rows = await tables
        .selectFrom('datasets')
        .selectAll()
        .where('project', '=', project)
        .orderBy('name')
        .execute();
      return rows.map((row) => ({ project, name: row.name, latest: row.latest, createdAt: row.created_at }));
    },

    async find({ project, name }: DatasetKey): Promise<DatasetSummary | undefined> {
      const row = await tables
        .selectFrom('datasets')
        .selectAll()
        .where('project', '=', project)
        .where('name', '=', name)
        .executeTakeFirst();
      return row && { project, name, latest: row.latest, createdAt: row.created_at };
    },

    async findVersion(key: DatasetKey, version: number): Promise<DatasetVersion | undefined> {
      const row = await versions(key).where('version', '=', version).executeTakeFirst();
      return row && toVersion(row);
    },

    async findByRoot(key: DatasetKey, root: string): Promise<DatasetVersion | undefined> {
      const row = await versions(key).where('root', '=', root).executeTakeFirst();
      return row && toVersion(row);
    },

    /** Newest first. @param before only versions below this one */
    async listVersions(key: DatasetKey, page: { limit: number; before?: number }): Promise<readonly DatasetVersion[]> {
      let query = versions(key);
      if (page.before !== undefined) query = query.where('version', '<', page.before);
      const rows = await query.orderBy('version', 'desc').limit(page.limit).execute();
      return rows.map(toVersion);
    },

    /** The next version's number. Taking it locks the dataset, so that two who add at once get two numbers. */
    async takeNumber({ project, name }: DatasetKey, at: number): Promise<number> {
      const row = await tables
        .insertInto('datasets')
        .values({ project, name, latest: 1, created_at: at })
        .onConflict((conflict) =>
          conflict.columns(['project', 'name']).doUpdateSet((is) => ({ latest: is('datasets.latest', '+', 1) })),
        )
        .returning('latest')
        .executeTakeFirstOrThrow();
      return row.latest;
    },

    async giveNumberBack({ project, name }: DatasetKey): Promise<void> {
      await tables
        .updateTable('datasets')
        .set((is) => ({ latest: is('latest', '-', 1) }))
        .where('project', '=', project)
        .where('name', '=', name)
        .execute();
    },

    async insertVersion(version: DatasetVersion): Promise<void> {
      await tables
        .insertInto('dataset_versions')
        .values({
          project: version.project,
          name: version.name,
          version: version.version,
          root: version.root,
          source: version.source,
          files: version.files,
          bytes: version.bytes,
          new_bytes: version.newBytes,
          row_count: version.rows ?? null,
          columns: JSON.stringify(version.columns),
          profile: version.profile ? JSON.stringify(version.profile) : null,
          checks: JSON.stringify(version.checks),
          actor: version.actor,
          created_at: version.createdAt,
        })
        .execute();
    },

    /** The data of a version never changes; the checks it was last held against may. */
    async setChecks({ project, name }: DatasetKey, version: number, checks: readonly CheckResult[]): Promise<void> {
      await tables
        .updateTable('dataset_versions')
        .set({ checks: JSON.stringify(checks) })
        .where('project', '=', project)
        .where('name', '=', name)
        .where('version', '=', version)
        .execute();
    },
  };
};
export type DatasetStore = ReturnType<typeof datasetStore>;

function toVersion(row: DatasetTables['dataset_versions']): DatasetVersion {
  return {
    project: row.project,
    name: row.name,
    version: row.version,
    root: row.root,
    source: row.source,
    files: row.files,
    bytes: row.bytes,
    newBytes: row.new_bytes,
    ...(row.row_count !== null && { rows: row.row_count }),
    columns: JSON.parse(row.columns),
    ...(row.profile !== null && { profile: JSON.parse(row.profile) }),
    checks: JSON.parse(row.checks),
    actor: row.actor,
    createdAt: row.created_at,
  };
}
