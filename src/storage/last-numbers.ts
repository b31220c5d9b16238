/** The last number of a series whose rows are gone, so that it is not given again. */
import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { Int64 } from './int64.ts';

type NumberTables = { last_numbers: { series: string; last: Int64 } };

/** @param series `experiments`, `model/<name>` */
export async function keepLastNumber(tx: Db, series: string, last: Int64): Promise<void> {
  await tx
    .withTables<NumberTables>()
    .insertInto('last_numbers')
    .values({ series, last })
    .onConflict((conflict) =>
      conflict.column('series').doUpdateSet({
        last: sql<Int64>`case when excluded.last > last_numbers.last then excluded.last else last_numbers.last end`,
      }),
    )
    .execute();
}

/** @returns 0 for a series of which nothing is gone */
export async function lastNumber(db: Db, series: string): Promise<bigint> {
  const row = await db
    .withTables<NumberTables>()
    .selectFrom('last_numbers')
    .select('last')
    .where('series', '=', series)
    .executeTakeFirst();
  return BigInt(row?.last ?? 0);
}
