/** SQLite behind threads: one writer that commits in groups, a few readers on WAL snapshots. */
import { join } from 'node:path';
import { type Driver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { type Announcements, createAnnouncements } from './announcements.ts';
import type { Database, DatabaseState, Db } from './database.ts';
import { createLease } from './lease.ts';
import { readerDriver, writerDriver } from './sqlite-driver.ts';
import { openReaderThread, openWriterThread, type ReaderThread, type WriterThread } from './sqlite-threads.ts';

export async function openSqlite(folder: string, { idleLimitMs }: { readonly idleLimitMs: number }): Promise<Database> {
  const options = { path: join(folder, 'rondo.db') };
  const writer = await openWriterThread(options); // first: it creates the file and turns WAL on
  try {
    const readers = await Promise.all(Array.from({ length: readerCount }, () => openReaderThread(options)));
    return new SqliteDatabase(writer, readers, idleLimitMs);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

const readerCount = 2;

class SqliteDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly read: Db;
  readonly onCommit: Announcements['listen'];
  readonly #writes: Db;
  readonly #writer: WriterThread;
  readonly #readers: readonly ReaderThread[];
  readonly #announcements = createAnnouncements();
  readonly #running = new Set<Promise<unknown>>();

  constructor(writer: WriterThread, readers: readonly ReaderThread[], idleLimitMs: number) {
    this.#writer = writer;
    this.#readers = readers;
    this.read = kyselyOver(readerDriver(readers));
    this.#writes = kyselyOver(writerDriver(writer, createLease(), idleLimitMs));
    this.onCommit = this.#announcements.listen;
  }

  state(): DatabaseState {
    return this.#writer.state;
  }

  async write<T>(work: (tx: Db) => Promise<T>): Promise<T> {
    const running = this.#announcements.collect((collecting) =>
      this.#writes.transaction().execute((tx) => work(collecting(tx))),
    );
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await this.#writer.close(); // last: it folds the WAL into the file
  }
}

function kyselyOver(driver: Driver): Db {
  return new Kysely({
    dialect: {
      createAdapter: () => new ThreadedAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** Kysely would let one caller in at a time, from its first statement until after its commit: no two would share a COMMIT. */
class ThreadedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}
