/** PostgreSQL over a pool, with the same promises as SQLite. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HandleEmptyInListsPlugin, Kysely, PostgresDialect, replaceWithNoncontingentExpression } from 'kysely';
import pg from 'pg';
import { PlatformError } from '../errors.ts';
import { type Announcements, createAnnouncements } from './announcements.ts';
import type { Database, DatabaseState, Db } from './database.ts';
import { narrowInteger } from './int64.ts';
import { explainingErrors, isRetryable, postgresError } from './postgres-error.ts';

export async function openPostgres(url: string, { idleLimitMs }: { readonly idleLimitMs: number }): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    types: { getTypeParser },
    idle_in_transaction_session_timeout: idleLimitMs,
  });
  // A connection that dies while idle is replaced; the statement that needs one reports what is wrong.
  pool.on('error', () => {});
  try {
    await requireDurable(pool);
  } catch (error) {
    await pool.end();
    throw postgresError(error);
  }
  return new PostgresDatabase(pool);
}

const poolSize = 10;
const retries = 3;

class PostgresDatabase implements Database {
  readonly dialect = 'postgres';
  readonly read: Db;
  readonly onCommit: Announcements['listen'];
  readonly #announcements = createAnnouncements();

  constructor(pool: pg.Pool) {
    this.read = new Kysely({
      dialect: explainingErrors(new PostgresDialect({ pool })),
      // SQLite has `in ()`, which is false; here it would be a syntax error.
      plugins: [new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })],
    });
    this.onCommit = this.#announcements.listen;
  }

  /** The server of the database watches its own disk; a statement that it refuses fails by itself. */
  state(): DatabaseState {
    return { kind: 'ready' };
  }

  async write<T>(work: (tx: Db) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#announcements.collect((collecting) =>
          this.read
            .transaction()
            .setIsolationLevel('read committed')
            .execute((tx) => work(collecting(tx))),
        );
      } catch (error) {
        if (attempt === retries || !isRetryable(error)) throw error;
        await sleep(Math.random() * 10 * 2 ** attempt); // or both take the same locks again at the same moment
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.read.destroy();
  }
}

/** Integers by value (see int64.ts), other numbers as floats; everything else as pg has it. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === pg.types.builtins.INT8) return (text) => narrowInteger(BigInt(text));
  // What sum() makes of bigints.
  if (oid === pg.types.builtins.NUMERIC)
    return (text) => (/^-?\d+$/.test(text) ? narrowInteger(BigInt(text)) : Number(text));
  return pg.types.getTypeParser(oid, format);
}

async function requireDurable(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<Record<string, string>>(
    `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit, current_setting('server_encoding') as server_encoding`,
  );
  const found = rows[0] ?? {};
  const wanted: Record<string, readonly string[]> = {
    fsync: ['on'],
    full_page_writes: ['on'],
    synchronous_commit: ['on', 'remote_apply', 'remote_write', 'local'],
    server_encoding: ['UTF8'],
  };
  for (const [name, values] of Object.entries(wanted)) {
    if (values.includes(found[name] ?? '')) continue;
    const message = `PostgreSQL runs with ${name} = ${found[name]}; ${values[0]} is needed.`;
    throw new PlatformError('storage/cannot-open', 'PostgreSQL', { message });
  }
}
