/** Metric points in the order of charts: by step. History, which is by time, is read seldom and can be sorted. */
import { sql } from 'kysely';
import { columnTypes, isPostgres } from '../column-types.ts';
import type { Db } from '../database.ts';

const order = ['series_id', 'step', 'timestamp', 'value', 'is_nan'] as const;

export async function up(db: Db): Promise<void> {
  if (isPostgres(db)) {
    await db.schema.alterTable('metric_points').dropConstraint('metric_points_pk').execute();
    await db.schema
      .alterTable('metric_points')
      .addPrimaryKeyConstraint('metric_points_pk', [...order])
      .execute();
    return;
  }
  // SQLite keeps the rows themselves in the order of the key, so they move to another table.
  const { int64, real } = columnTypes(db);
  await db.schema
    .createTable('metric_points_by_step')
    .addColumn('series_id', int64, (column) => column.notNull())
    .addColumn('step', int64, (column) => column.notNull())
    .addColumn('timestamp', int64, (column) => column.notNull())
    .addColumn('value', real, (column) => column.notNull())
    .addColumn('is_nan', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('metric_points_pk', [...order])
    .modifyEnd(sql`without rowid`)
    .execute();
  const columns = sql.join(order.map((name) => sql.ref(name)));
  const from = sql`select ${columns} from metric_points order by ${columns}`;
  await sql`insert into metric_points_by_step (${columns}) ${from}`.execute(db);
  await db.schema.dropTable('metric_points').execute();
  await db.schema.alterTable('metric_points_by_step').renameTo('metric_points').execute();
}
