/** The orders of runs that people ask for, beside the time of their start. */
import { isPostgres } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const index = (name: string, column: string) =>
    db.schema
      .createIndex(name)
      .on('runs')
      .columns(['experiment_id', 'lifecycle', column, 'start_time desc', 'id'])
      .execute();
  await index('runs_by_end', 'end_time');
  // PostgreSQL's index entries end at 2,700 bytes, and names are longer.
  if (!isPostgres(db)) await index('runs_by_name', 'name');
}
