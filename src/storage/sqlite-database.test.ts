/** What SQLite behind threads promises beyond what every database does. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { Database, Db } from './database.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';
import { openSqliteConnection } from './sqlite-connection.ts';
import { openSqlite } from './sqlite-database.ts';

test('whatever use cases run together, exactly those that succeeded are there, each whole', async () => {
  /** A use case of so many statements that fails after `failsAfter` of them: by throwing, by a constraint, or not at all. */
  const useCase = fc.record({
    statements: fc.integer({ min: 1, max: 5 }),
    ends: fc.constantFrom('well', 'well', 'throws', 'violates'),
    turns: fc.nat(3), // of the event loop before it starts
  });
  await using folder = await tempFolder();
  await using database = await openDatabase({ folder: folder.path });
  await createParts(database);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(useCase, { minLength: 1, maxLength: 60 }), async (useCases) => {
      run += 1;
      const outcomes = await Promise.allSettled(
        useCases.map(async ({ statements, ends, turns }, index) => {
          for (let turn = 0; turn < turns; turn += 1) await sleep(0);
          await database.write(async (tx) => {
            for (let part = 0; part < statements; part += 1) await insertPart(tx, `${run}/${index}`, part);
            if (ends === 'throws') throw new Error('no');
            if (ends === 'violates') await insertPart(tx, `${run}/${index}`, 0);
          });
        }),
      );
      const found = await partsOf(database.read, run);
      for (const [index, { statements, ends }] of useCases.entries()) {
        const isThere = found.get(`${run}/${index}`) ?? 0;
        assert.equal(isThere, ends === 'well' ? statements : 0);
        assert.equal(outcomes[index]?.status, ends === 'well' ? 'fulfilled' : 'rejected');
      }
    }),
    { numRuns: 40 },
  );
});

test('a COMMIT that fails fails every use case that was in it, and the next one works', async () => {
  await using folder = await tempFolder();
  await using database = await openDatabase({ folder: folder.path });
  await createParts(database);
  await database.write(async (tx) => {
    // SQLite looks at a deferred reference when it commits: the one error that a COMMIT can be made to have.
    await sql`create table late (id integer primary key references late_parent (id) deferrable initially deferred)`.execute(
      tx,
    );
    await sql`create table late_parent (id integer primary key)`.execute(tx);
  });
  const together = Array.from({ length: 5 }, (_, index) =>
    database.write(async (tx) => {
      await insertPart(tx, `${index}`, 0);
      if (index === 3) await sql`insert into late values (1)`.execute(tx);
    }),
  );
  const outcomes = await Promise.allSettled(together);
  const acknowledged = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`${index}`] : []));
  assert.equal(outcomes[3]?.status, 'rejected');
  const { rows } = await sql<{ owner: string }>`select owner from parts order by owner`.execute(database.read);
  assert.deepEqual(
    rows.map(({ owner }) => owner),
    acknowledged,
  );
  await database.write((tx) => insertPart(tx, 'next', 0));
});

test('a use case that keeps its transaction and writes after its end writes nothing', async () => {
  await using folder = await tempFolder();
  await using database = await openDatabase({ folder: folder.path });
  await createParts(database);
  let kept: Db | undefined;
  await database.write(async (tx) => {
    kept = tx;
    await insertPart(tx, 'a', 0);
  });
  await assert.rejects(async () => kept && insertPart(kept, 'late', 0));
  assert.deepEqual([...(await partsOf(database.read)).keys()], ['a']);
});

test('a write inside a write fails the outer one, and does not stop everybody for ever', async () => {
  await using folder = await tempFolder();
  await using database = await openSqlite(folder.path, { idleLimitMs: 100 });
  await createParts(database);
  const outer = database.write(async (tx) => {
    await insertPart(tx, 'outer', 0);
    const inner = database.write((other) => insertPart(other, 'inner', 0));
    await inner;
    await insertPart(tx, 'outer', 1);
  });
  await assert.rejects(outer);
  assert.deepEqual([...(await partsOf(database.read)).keys()], ['inner']);
});

test('closing waits for the use cases that run', async () => {
  await using folder = await tempFolder();
  const database = await openDatabase({ folder: folder.path });
  await createParts(database);
  const running = Array.from({ length: 50 }, (_, index) => database.write((tx) => insertPart(tx, `${index}`, 0)));
  await database[Symbol.asyncDispose]();
  await Promise.all(running);
  await using again = await openDatabase({ folder: folder.path });
  assert.equal((await partsOf(again.read)).size, 50);
});

test('a full disk makes the database read-only, and it goes on by itself when there is room', async () => {
  await using folder = await tempFolder();
  await using database = await openDatabase({ folder: folder.path });
  await createParts(database);
  await database.write((tx) => insertPart(tx, 'x'.repeat(1_000_000), 0));
  const { rows } = await sql<{ page_count: number }>`select page_count from pragma_page_count`.execute(database.read);
  // A file that may not grow any more is to SQLite a disk that is full.
  await database.write((tx) => sql.raw(`pragma max_page_count = ${rows[0]?.page_count}`).execute(tx));
  await assert.rejects(
    database.write((tx) => insertPart(tx, 'y'.repeat(1_000_000), 0)),
    { code: 'storage/read-only' },
  );
  assert.equal(database.state().kind, 'read-only');
  await assert.rejects(
    database.write((tx) => insertPart(tx, 'small', 0)),
    { code: 'storage/read-only' },
  );
  assert.equal((await partsOf(database.read)).size, 1);
  {
    using other = new DatabaseSync(join(folder.path, 'rondo.db'), { timeout: 5_000 });
    other.exec('delete from parts');
  }
  while (database.state().kind !== 'ready') await sleep(20);
  await database.write((tx) => insertPart(tx, 'small', 0));
  assert.deepEqual([...(await partsOf(database.read)).keys()], ['small']);
});

test('a file that is no database is refused with its path', async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, 'rondo.db');
  await writeFile(path, 'this is not a database, and long enough to be read as one '.repeat(100));
  await assert.rejects(openDatabase({ folder: folder.path }), (error: Error) => {
    assert.equal('code' in error && error.code, 'storage/cannot-open');
    assert.ok(error.message.includes(path));
    return true;
  });
});

test('data of a newer version is refused', async () => {
  await using folder = await tempFolder();
  await using database = await openDatabase({ folder: folder.path });
  await assert.rejects(migrate(database, []), { code: 'storage/newer-data' });
});

test('the pragmas are as they have to be, in the writer and in readers', async () => {
  await using folder = await tempFolder();
  await using database = await openDatabase({ folder: folder.path });
  const wanted = { foreign_keys: 1, trusted_schema: 0, cell_size_check: 1 };
  for (const [name, value] of Object.entries({ ...wanted, synchronous: 2, journal_mode: 'wal' })) {
    const { rows } = await database.write((tx) =>
      sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(tx),
    );
    assert.deepEqual(Object.values(rows[0] ?? {}), [value], name);
  }
  for (const [name, value] of Object.entries({ ...wanted, query_only: 1 })) {
    const { rows } = await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(database.read);
    assert.deepEqual(Object.values(rows[0] ?? {}), [value], name);
  }
  await assert.rejects(sql`create table t (a integer)`.execute(database.read));
});

test('a database that cannot be brought into WAL mode does not open', () => {
  assert.throws(() => openSqliteConnection(':memory:', 'writer'), /journal_mode at memory, wal is needed/);
});

async function createParts(database: Database): Promise<void> {
  await database.write((tx) =>
    sql`create table parts (owner text, part integer, primary key (owner, part))`.execute(tx),
  );
}

async function insertPart(tx: Db, owner: string, part: number): Promise<void> {
  await sql`insert into parts values (${owner}, ${part})`.execute(tx);
}

async function partsOf(db: Db, run?: number): Promise<Map<string, number>> {
  const like = run === undefined ? '%' : `${run}/%`;
  const { rows } = await sql<{ owner: string; count: number }>`
    select owner, count(*) as count from parts where owner like ${like} group by owner`.execute(db);
  return new Map(rows.map(({ owner, count }) => [owner, count]));
}

function tempFolder() {
  return mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
}
