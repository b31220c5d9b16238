/** Opens the database of a data folder, brought to this version's tables. */
import { mkdir } from 'node:fs/promises';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { openSqlite } from './sqlite-database.ts';

/** @param options.url `postgres://…`; without it, SQLite in the folder  @throws PlatformError storage/cannot-open, storage/newer-data */
export async function openDatabase(options: {
  readonly url?: string | undefined;
  readonly folder: string;
}): Promise<Database> {
  await mkdir(options.folder, { recursive: true });
  const database = await (options.url === undefined
    ? openSqlite(options.folder, { idleLimitMs })
    : // Its driver is loaded by those who have one.
      (await import('./postgres-database.ts')).openPostgres(options.url, { idleLimitMs }));
  try {
    await migrate(database);
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** A transaction that sends nothing for so long is ended: on SQLite everybody else waits for it. */
const idleLimitMs = 5_000;
