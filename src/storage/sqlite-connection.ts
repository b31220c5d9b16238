/** One connection of one thread: pragmas that are checked, prepared statements that are kept. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { narrowInteger } from './int64.ts';
import type { Parameters, SqlFailure, SqlResult, SqlValue } from './sqlite-protocol.ts';

export type SqliteConnection = ReturnType<typeof openSqliteConnection>;

export function openSqliteConnection(path: string, role: 'writer' | 'reader') {
  const database = new DatabaseSync(path, { readOnly: role === 'reader', timeout: busyTimeoutMs });
  setPragmas(database, role === 'writer' ? writerPragmas : readerPragmas);
  const prepare = statementCache(database);
  return {
    run: (sql: string, parameters: Parameters): SqlResult => run(prepare(sql), parameters),
    /** For BEGIN, COMMIT and their like. */
    exec: (sql: string): void => void prepare(sql).statement.run(),
    inTransaction: (): boolean => database.isTransaction,
    close: (): void => database.close(),
  };
}

export function failureOf(error: unknown): SqlFailure {
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
  return { code, message: error instanceof Error ? error.message : String(error) };
}

const busyTimeoutMs = 5_000;

type Pragmas = readonly (readonly [name: string, wanted: string | number])[];

const commonPragmas: Pragmas = [
  ['foreign_keys', 1],
  ['trusted_schema', 0],
  ['cell_size_check', 1],
  ['busy_timeout', busyTimeoutMs],
  // In KiB. With SQLite's own 2 MB, a search among 20,000 runs read most of its pages from the file again.
  ['cache_size', -24 * 1024],
];
const readerPragmas: Pragmas = [...commonPragmas, ['query_only', 1]];
const writerPragmas: Pragmas = [
  ['journal_mode', 'wal'],
  ['synchronous', 2], // FULL: a commit that was answered survives a power cut
  ['journal_size_limit', 64 * 1024 * 1024],
  ...commonPragmas,
  // Only macOS has an fsync that does not reach the disk; elsewhere SQLite ignores these two.
  ['fullfsync', 1],
  ['checkpoint_fullfsync', 1],
];

function setPragmas(database: DatabaseSync, pragmas: Pragmas): void {
  for (const [name, wanted] of pragmas) {
    database.exec(`PRAGMA ${name} = ${wanted}`);
    const row = database.prepare(`PRAGMA ${name}`).get();
    const found = row && Object.values(row)[0];
    if (found !== wanted) throw new Error(`SQLite keeps ${name} at ${found}, ${wanted} is needed`);
  }
}

/** A statement with what is known about its answers. */
type Prepared = {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
  readonly readOnly: boolean;
  bigints: boolean;
};

/** Multi-row inserts come in many lengths, so the cache has an end; the least recently used leaves first. */
const maxStatements = 500;

function statementCache(database: DatabaseSync) {
  const known = new Map<string, Prepared>();
  return (sql: string): Prepared => {
    const found = known.get(sql);
    if (found) {
      known.delete(sql);
      known.set(sql, found);
      return found;
    }
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    const readOnly = /^\s*select\b/i.test(sql);
    const prepared: Prepared = { statement, returnsRows: statement.columns().length > 0, readOnly, bigints: false };
    if (!readOnly) readBigInts(prepared);
    known.set(sql, prepared);
    if (known.size > maxStatements) {
      const [oldest] = known.keys();
      if (oldest !== undefined) known.delete(oldest);
    }
    return prepared;
  };
}

function run(prepared: Prepared, parameters: Parameters): SqlResult {
  const values = parameters instanceof Float64Array ? Array.from(parameters, bindable) : parameters.map(bindable);
  if (!prepared.returnsRows) {
    const { changes, lastInsertRowid } = prepared.statement.run(...values);
    return { columns: [], rows: [], changes: Number(changes), insertId: lastInsertRowid };
  }
  try {
    return resultOf(prepared, values);
  } catch (error) {
    // node:sqlite gives numbers, and throws where one would lose digits. Reading bigints costs more, so a SELECT does it from
    // the first time that it must; a statement that writes always does, because it cannot be run again.
    if (!isOutOfRange(error) || !prepared.readOnly || prepared.bigints) throw error;
    readBigInts(prepared);
    return resultOf(prepared, values);
  }
}

function readBigInts(prepared: Prepared): void {
  prepared.statement.setReadBigInts(true);
  prepared.bigints = true;
}

function resultOf({ statement, bigints }: Prepared, values: readonly Bindable[]): SqlResult {
  const rows = statement.all(...values) as unknown as SqlValue[][]; // node:sqlite gives exactly these values, in lists as asked
  if (bigints) {
    for (const row of rows) {
      for (const [at, value] of row.entries()) if (typeof value === 'bigint') row[at] = narrowInteger(value);
    }
  }
  // Asked each time: a `select *` has other columns after a migration.
  return { columns: rows.length === 0 ? [] : statement.columns().map(({ name }) => name), rows };
}

type Bindable = null | number | bigint | string | Uint8Array;

/** node:sqlite binds every number as a float: 5 would be '5.0' in a text column and make `5 / 2` a fraction. */
function bindable(value: unknown): Bindable {
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value === undefined) return null;
  if (value === null || typeof value === 'string' || typeof value === 'bigint' || value instanceof Uint8Array)
    return value;
  throw new TypeError(`a ${typeof value} cannot be stored; JSON is stored as text`);
}

function isOutOfRange(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
}
