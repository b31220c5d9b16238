import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { announce } from './announcements.ts';
import { columnTypes } from './column-types.ts';
import type { Database, Db } from './database.ts';
import { isForeignKeyViolation, isUniqueViolation } from './database-error.ts';
import { insertRows } from './insert-rows.ts';
import { eachDatabase } from './test-databases.ts';

type NoteTables = {
  notes: { id: number; name: string; value: number | bigint | null; parent: number | null; body: string | null };
};

eachDatabase((name, open) => {
  async function openWithNotes() {
    const database = await open();
    await database.write(async (tx) => {
      const { text, int64 } = columnTypes(tx);
      await tx.schema
        .createTable('notes')
        .addColumn('id', int64, (column) => column.primaryKey())
        .addColumn('name', text, (column) => column.notNull().unique())
        .addColumn('value', int64)
        .addColumn('parent', int64, (column) => column.references('notes.id'))
        .addColumn('body', text)
        .execute();
    });
    return database;
  }

  test(`${name}: a reader sees what was acknowledged`, async () => {
    await using database = await openWithNotes();
    for (let id = 1; id <= 20; id += 1) {
      await insert(database, { id });
      assert.equal(await count(database.read), id);
    }
  });

  test(`${name}: a use case that throws leaves nothing and takes nobody with it`, async () => {
    await using database = await openWithNotes();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, id) =>
        database.write(async (tx) => {
          await note(tx, { id });
          if (id % 2 === 1) throw new Error(`no ${id}`);
          return id;
        }),
      ),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 20);
    const rows = await database.read.withTables<NoteTables>().selectFrom('notes').select('id').orderBy('id').execute();
    assert.deepEqual(
      rows.map(({ id }) => id),
      Array.from({ length: 20 }, (_, index) => index * 2),
    );
  });

  test(`${name}: 16 concurrent callers who read, then write, lose no update when they lock the row`, async () => {
    await using database = await openWithNotes();
    await insert(database, { id: 1, value: 0 });
    await Promise.all(
      Array.from({ length: 16 }, () =>
        database.write(async (tx) => {
          const notes = tx.withTables<NoteTables>();
          let select = notes.selectFrom('notes').select('value').where('id', '=', 1);
          if (database.dialect === 'postgres') select = select.forUpdate();
          const { value } = await select.executeTakeFirstOrThrow();
          await notes
            .updateTable('notes')
            .set({ value: Number(value) + 1 })
            .where('id', '=', 1)
            .execute();
        }),
      ),
    );
    assert.equal(await storedValue(database.read, 1), 16);
  });

  test(`${name}: of 16 concurrent callers who take one name, one gets it`, async () => {
    await using database = await openWithNotes();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, (_, id) => insert(database, { id, name: 'taken' })),
    );
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    assert.equal(errors.length, 15);
    for (const error of errors) {
      assert.ok(isUniqueViolation(error), String(error));
      assert.ok(isUniqueViolation(error, 'notes'));
      assert.ok(!isUniqueViolation(error, 'users'));
    }
  });

  test(`${name}: a reference to nothing is a foreign key violation`, async () => {
    await using database = await openWithNotes();
    await assert.rejects(insert(database, { id: 1, parent: 99 }), isForeignKeyViolation);
  });

  test(`${name}: a transaction whose statement failed cannot go on or commit`, async () => {
    await using database = await openWithNotes();
    await insert(database, { id: 1 });
    const careless = database.write(async (tx) => {
      await note(tx, { id: 2 });
      await note(tx, { id: 1 }).catch(() => undefined);
    });
    await assert.rejects(careless);
    const carelessReader = database.write(async (tx) => {
      await note(tx, { id: 1 }).catch(() => undefined);
      return count(tx);
    });
    await assert.rejects(carelessReader);
    assert.equal(await count(database.read), 1);
  });

  test(`${name}: an integer is a number while a number can hold it, and a bigint beyond`, async () => {
    await using database = await openWithNotes();
    const values = [0, -1, 2 ** 53 - 1, 1 - 2 ** 53, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
    for (const [id, value] of values.entries()) await insert(database, { id, value });
    for (const [id, value] of values.entries()) assert.strictEqual(await storedValue(database.read, id), value);
    for (const [id, value] of values.entries())
      assert.strictEqual(await database.write((tx) => storedValue(tx, id)), value);
    const returned = await database.write((tx) =>
      tx
        .withTables<NoteTables>()
        .insertInto('notes')
        .values({ id: 100, name: 'n', value: 2n ** 60n, parent: null, body: null })
        .returning(['id', 'value'])
        .executeTakeFirstOrThrow(),
    );
    assert.deepEqual(returned, { id: 100, value: 2n ** 60n });
    const { total } = await database.read
      .withTables<NoteTables>()
      .selectFrom('notes')
      .select((e) => e.fn.sum('value').as('total'))
      .where('id', '<=', 2)
      .executeTakeFirstOrThrow();
    assert.strictEqual(total, 2 ** 53 - 2);
  });

  test(`${name}: numbers bound into text and into divisions stay integers`, async () => {
    await using database = await openWithNotes();
    await insert(database, { id: 1, value: 5 });
    const row = await sql<{ half: number }>`select value / ${2} as half from notes`.execute(database.read);
    assert.deepEqual(row.rows, [{ half: 2 }]);
  });

  test(`${name}: text sorts by bytes`, async () => {
    await using database = await openWithNotes();
    for (const [id, word] of ['b', 'é', 'B', 'a', 'Z', '_', '10', '9'].entries())
      await insert(database, { id, name: word });
    const rows = await database.read
      .withTables<NoteTables>()
      .selectFrom('notes')
      .select('name')
      .orderBy('name')
      .execute();
    assert.deepEqual(
      rows.map((row) => row.name),
      ['10', '9', 'B', 'Z', '_', 'a', 'b', 'é'],
    );
  });

  test(`${name}: NUL in a text is refused`, async () => {
    await using database = await openWithNotes();
    await assert.rejects(insert(database, { id: 1, name: 'a\0b' }), { code: 'storage/nul-in-text' });
  });

  test(`${name}: affected rows are counted`, async () => {
    await using database = await openWithNotes();
    await insert(database, { id: 1 });
    await insert(database, { id: 2 });
    const results = await database.write((tx) =>
      tx.withTables<NoteTables>().updateTable('notes').set({ value: 1 }).execute(),
    );
    assert.deepEqual(
      results.map(({ numUpdatedRows }) => numUpdatedRows),
      [2n],
    );
  });

  test(`${name}: what a transaction announces is heard after its commit, and only then`, async () => {
    await using database = await openWithNotes();
    const heard: string[] = [];
    using _notes = database.onCommit('notes', () => heard.push('notes'));
    await database.write(async (tx) => {
      announce(tx.withTables<NoteTables>(), 'notes');
      announce(tx, 'others');
      assert.deepEqual(heard, []);
    });
    assert.deepEqual(heard, ['notes']);
    await assert.rejects(
      database.write(async (tx) => {
        announce(tx, 'notes');
        throw new Error('no');
      }),
    );
    assert.deepEqual(heard, ['notes']);
  });

  test(`${name}: rows that are inserted together come out as they are, whatever their number`, async () => {
    await using database = await open();
    await database.write(async (tx) => {
      const { text, int64, real } = columnTypes(tx);
      await tx.schema
        .createTable('many')
        .addColumn('place', int64, (column) => column.primaryKey())
        .addColumn('word', text)
        .addColumn('number', real)
        .addColumn('whole', int64)
        .execute();
    });
    const columns = { place: 'bigint', word: 'text', number: 'double precision', whole: 'bigint' } as const;
    const words = ['', 'a"b', "it's", '{a,b}', 'a\\b', 'NULL', null, 'ü'];
    const numbers = [0, 0.1, -1 / 3, Number.MAX_VALUE, 5e-324, 2 ** 60, null];
    const wholes = [0, -7, 2n ** 62n, -(2n ** 63n), Number.MAX_SAFE_INTEGER, null];
    let place = 0;
    for (const count of [1, 2, 3, 5, 64, 100, 4_100]) {
      const rows = Array.from({ length: count }, () => {
        place += 1;
        return [place, words[place % words.length], numbers[place % numbers.length], wholes[place % wholes.length]];
      });
      const ending = 'on conflict do nothing returning place';
      const insert = (tx: Db) =>
        insertRows<{ place: number }>(tx, { into: 'many', columns, values: rows.flat(), ending });
      const returned = new Set((await database.write(insert)).map((row) => row.place));
      assert.deepEqual(returned, new Set(rows.map(([own]) => own)));
      const found = await sql<Record<string, unknown>>`select place, word, number, whole from many
        where place > ${place - count} order by place`.execute(database.read);
      assert.deepEqual(
        found.rows.map((row) => [row.place, row.word, row.number, row.whole]),
        rows,
      );
    }
    const nul = { into: 'many', columns, values: [0, 'a\0b', 0, 0], ending: '' };
    await assert.rejects(
      database.write((tx) => insertRows(tx, nul)),
      { code: 'storage/nul-in-text' },
    );
  });

  test(`${name}: a database is ready and says so`, async () => {
    await using database = await open();
    assert.deepEqual(database.state(), { kind: 'ready' });
  });
});

async function note(
  tx: Db,
  values: { id: number; name?: string; value?: number | bigint; parent?: number },
): Promise<void> {
  const { id, name = `note ${id}`, value = null, parent = null } = values;
  await tx.withTables<NoteTables>().insertInto('notes').values({ id, name, value, parent, body: null }).execute();
}

function insert(database: Database, values: Parameters<typeof note>[1]): Promise<void> {
  return database.write((tx) => note(tx, values));
}

async function count(db: Db): Promise<number> {
  const row = await db
    .withTables<NoteTables>()
    .selectFrom('notes')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

async function storedValue(db: Db, id: number): Promise<unknown> {
  const row = await db
    .withTables<NoteTables>()
    .selectFrom('notes')
    .select('value')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.value;
}
