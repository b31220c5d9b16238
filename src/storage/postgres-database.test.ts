/** What PostgreSQL does that SQLite, with its one writer, cannot. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openDatabase } from './open-database.ts';
import { eachDatabase } from './test-databases.ts';

eachDatabase((name, open) => {
  if (name !== 'postgres') return;

  test('of two use cases in a deadlock, the one that the database ends runs again and succeeds', async () => {
    await using database = await open();
    await database.write(async (tx) => {
      await sql`create table accounts (id bigint primary key, amount bigint not null)`.execute(tx);
      await sql`insert into accounts values (1, 0), (2, 0)`.execute(tx);
    });
    const bothHoldOne = Promise.withResolvers<void>();
    let holding = 0;
    let attempts = 0;
    const addInOrder = (first: number, second: number) =>
      database.write(async (tx) => {
        attempts += 1;
        await sql`update accounts set amount = amount + 1 where id = ${first}`.execute(tx);
        holding += 1;
        if (holding === 2) bothHoldOne.resolve();
        await bothHoldOne.promise;
        await sql`update accounts set amount = amount + 1 where id = ${second}`.execute(tx);
      });
    await Promise.all([addInOrder(1, 2), addInOrder(2, 1)]);
    const { rows } = await sql`select id, amount from accounts order by id`.execute(database.read);
    assert.deepEqual(rows, [
      { id: 1, amount: 2 },
      { id: 2, amount: 2 },
    ]);
    assert.ok(attempts >= 3);
  });

  test('two servers that open one new database at once both find its tables', async () => {
    await using database = await open();
    await database.write((tx) => sql`drop schema public cascade`.execute(tx));
    await database.write((tx) => sql`create schema public`.execute(tx));
    const { folder, url } = database;
    const both = await Promise.all([openDatabase({ folder, url }), openDatabase({ folder, url })]);
    for (const opened of both) {
      await sql`select * from events`.execute(opened.read);
      await opened[Symbol.asyncDispose]();
    }
  });
});

test('a PostgreSQL that does not answer is an error that says so', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const opening = openDatabase({ folder: folder.path, url: 'postgres://nobody@127.0.0.1:1/nothing' });
  await assert.rejects(opening, { code: 'storage/unreachable' });
});
