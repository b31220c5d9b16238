/** Brings the tables to this version: every migration once, in order, each in one transaction. */
import { sql } from 'kysely';
import { PlatformError } from '../errors.ts';
import type { Database, Db } from './database.ts';
import { lockName } from './lock-name.ts';
import { type Migration, migrations } from './migrations/all.ts';

export async function migrate(database: Database, wanted: readonly Migration[] = migrations): Promise<void> {
  await database.write(async (tx) => {
    await lockName(tx, 'migrations'); // several servers may open one PostgreSQL at the same time
    await sql`create table if not exists migrations (name text not null primary key)`.execute(tx);
  });
  const done = new Set(await namesOf(database.read));
  const known = new Set(wanted.map(({ name }) => name));
  const newer = [...done].find((name) => !known.has(name));
  if (newer !== undefined) throw new PlatformError('storage/newer-data', newer);
  for (const migration of wanted) {
    if (!done.has(migration.name)) await database.write((tx) => runOnce(tx, migration));
  }
}

type MigrationTables = { migrations: { name: string } };

async function runOnce(tx: Db, migration: Migration): Promise<void> {
  await lockName(tx, 'migrations');
  if ((await namesOf(tx)).includes(migration.name)) return; // another process was faster
  await migration.up(tx);
  await tx.withTables<MigrationTables>().insertInto('migrations').values({ name: migration.name }).execute();
}

async function namesOf(db: Db): Promise<string[]> {
  const rows = await db.withTables<MigrationTables>().selectFrom('migrations').select('name').execute();
  return rows.map(({ name }) => name);
}
