/** Reading a database that is somebody else's: SQLite or PostgreSQL, never writing. */
import { access } from 'node:fs/promises';
import { PlatformError } from '../errors.ts';
import type { Row } from './row-values.ts';

export interface SqlReader extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres';
  /** @param sql with `?` for each parameter */
  all(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  /** The same in parts, for what does not fit into memory. */
  parts(sql: string, parameters: readonly unknown[], size: number): AsyncIterable<readonly Row[]>;
}

/** @throws PlatformError interop/bad-source */
export async function openSqliteReader(path: string): Promise<SqlReader> {
  const { DatabaseSync } = await import('node:sqlite');
  await access(path).catch((cause: unknown) => {
    throw new PlatformError('interop/bad-source', path, { message: `The file ${path} cannot be read.`, cause });
  });
  const database = new DatabaseSync(path, { readOnly: true, open: false });
  try {
    database.open();
    database.exec('pragma busy_timeout = 20000');
    database.prepare('select count(*) from sqlite_master').get();
  } catch (cause) {
    if (database.isOpen) database.close();
    throw new PlatformError('interop/bad-source', path, { message: `The file ${path} is no SQLite database.`, cause });
  }
  return {
    dialect: 'sqlite',
    all: async (sql, parameters = []) => database.prepare(sql).all(...(parameters as string[])) as Row[],
    async *parts(sql, parameters, size) {
      let part: Row[] = [];
      for (const row of database.prepare(sql).iterate(...(parameters as string[]))) {
        part.push(row);
        if (part.length < size) continue;
        yield part;
        part = [];
      }
      if (part.length > 0) yield part;
    },
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

/** One snapshot from start to end. @throws PlatformError interop/unreachable */
export async function openPostgresReader(url: string, address: string): Promise<SqlReader> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // the statement that runs reports it
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read read only');
  } catch (cause) {
    await client.end().catch(() => {});
    throw new PlatformError('interop/unreachable', address, { cause, hint: 'check address, user and password' });
  }
  const numbered = (sql: string) => {
    let last = 0;
    return sql.replaceAll('?', () => `$${++last}`);
  };
  return {
    dialect: 'postgres',
    all: async (sql, parameters = []) => (await client.query<Row>(numbered(sql), [...parameters])).rows,
    async *parts(sql, parameters, size) {
      await client.query(`declare parts no scroll cursor for ${numbered(sql)}`, [...parameters]);
      try {
        for (;;) {
          const { rows } = await client.query<Row>(`fetch ${size} from parts`);
          if (rows.length > 0) yield rows;
          if (rows.length < size) return;
        }
      } finally {
        await client.query('close parts');
      }
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
