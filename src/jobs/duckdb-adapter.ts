/** DuckDB for handlers, locked down: it reads and writes the folders it is given and nothing else. Worker process only. */
import { mkdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { duckDbShare, type WorkerLimits, workerLimits } from './worker-limits.ts';

export type DuckDbOptions = {
  /** Folders it may read and write, below which everything is allowed; single files are allowed by naming them. */
  readonly folders: readonly string[];
  readonly files?: readonly string[];
  /** Where it spills; made when it is not there. */
  readonly tempFolder: string;
  readonly limits?: WorkerLimits;
};

export interface DuckDb extends Disposable {
  readonly connection: DuckDBConnection;
  /** Rows as plain objects: integers as numbers (beyond 2^53 as bigint), times as ISO text. */
  rows(sql: string): Promise<readonly Record<string, unknown>[]>;
}

/** @param signal interrupts a running query */
export async function openDuckDb(
  { folders, files = [], tempFolder, limits = workerLimits() }: DuckDbOptions,
  signal?: AbortSignal,
): Promise<DuckDb> {
  const spill = join(tempFolder, 'duckdb');
  await mkdir(spill, { recursive: true, mode: 0o700 });
  // Here and not above: the server's process imports the handlers' files too, and must never load this library.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(duckDbShare(limits) / 2 ** 20)}MiB`,
    threads: String(limits.threads),
    temp_directory: spill,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_unsigned_extensions: 'false',
  });
  const connection = await instance.connect();
  // Order matters: `enable_external_access` can only be switched off, and nothing can be changed once it is locked.
  await connection.run(`SET allowed_directories = ${list([...folders, spill].map(withSlash))}`);
  await connection.run(`SET allowed_paths = ${list(files)}`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  const opened: DuckDb = {
    connection,
    async rows(sql) {
      signal?.throwIfAborted();
      const reader = await connection.runAndReadAll(sql);
      return reader
        .getRowObjectsJS()
        .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
    },
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    },
  };
  // An abort from before there was anything to interrupt.
  if (signal?.aborted) opened[Symbol.dispose]();
  signal?.throwIfAborted();
  return opened;
}

function list(paths: readonly string[]): string {
  return `[${paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')}]`;
}

/** Without the slash, allowing `/data` would allow `/data-of-others` too. */
function withSlash(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}
