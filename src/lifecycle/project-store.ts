/** Linked projects: rows <-> types. */
import type { Db } from '../storage/database.ts';
import type { LinkedProject } from './project.ts';

type ProjectTables = {
  projects: { name: string; folder: string; file: string; digest: string; linked_at: number; changed_at: number };
};

export type ProjectStore = ReturnType<typeof projectStore>;

export const projectStore = (db: Db) => {
  const tables = db.withTables<ProjectTables>();
  return {
    find: async (name: string): Promise<LinkedProject | undefined> => {
      const row = await tables.selectFrom('projects').selectAll().where('name', '=', name).executeTakeFirst();
      return row && projectOf(row);
    },
    list: async (): Promise<LinkedProject[]> => {
      const rows = await tables.selectFrom('projects').selectAll().orderBy('name').execute();
      return rows.map(projectOf);
    },
    /** Adds the project, or moves it to another folder or text. */
    save: async ({ name, folder, file, digest, linkedAt, changedAt }: LinkedProject): Promise<void> => {
      await tables
        .insertInto('projects')
        .values({ name, folder, file, digest, linked_at: linkedAt, changed_at: changedAt })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ folder, file, digest, changed_at: changedAt }))
        .execute();
    },
  };
};

const projectOf = (row: ProjectTables['projects']): LinkedProject => ({
  name: row.name,
  folder: row.folder,
  file: row.file,
  digest: row.digest,
  linkedAt: row.linked_at,
  changedAt: row.changed_at,
});
