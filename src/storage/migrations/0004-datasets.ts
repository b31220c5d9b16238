/** Datasets and their versions. The files' chunks and trees lie in the data folder. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('datasets')
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('latest', int64, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addPrimaryKeyConstraint('datasets_key', ['project', 'name'])
    .execute();

  await db.schema
    .createTable('dataset_versions')
    .addColumn('project', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('version', int64, (column) => column.notNull())
    .addColumn('root', text, (column) => column.notNull())
    .addColumn('source', text, (column) => column.notNull())
    .addColumn('files', int64, (column) => column.notNull())
    .addColumn('bytes', int64, (column) => column.notNull())
    .addColumn('new_bytes', int64, (column) => column.notNull())
    .addColumn('row_count', int64)
    .addColumn('columns', text, (column) => column.notNull())
    .addColumn('profile', text)
    .addColumn('checks', text, (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addPrimaryKeyConstraint('dataset_versions_key', ['project', 'name', 'version'])
    .addUniqueConstraint('dataset_versions_root', ['project', 'name', 'root'])
    .execute();
}
