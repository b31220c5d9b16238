/** One transaction at a time for things that no single row stands for. */
import { sql } from 'kysely';
import { isPostgres } from './column-types.ts';
import type { Db } from './database.ts';

/** Waits for other transactions that hold this name, and holds it until the commit. On SQLite there is one writer anyway. */
export async function lockName(tx: Db, name: string): Promise<void> {
  if (isPostgres(tx)) await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
}
