import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import type { LoggedEvent, NewEvent } from './event.ts';
import { consumeEvents, followEvents } from './event-consumer-worker.ts';
import { sequenceEvents, startSequencer } from './event-sequencer-worker.ts';
import { eventSignal } from './event-signal.ts';
import { eventStore, readEvents } from './event-store.ts';

eachDatabase((name, open) => {
  test(`${name}: an event comes back as it was appended, with its position`, async () => {
    await using database = await open();
    const full: NewEvent = {
      ...event(1),
      endpointTime: 77,
      reason: 'überfällig 😀',
      data: { b: [1.5, null], a: { c: true } },
    };
    await append(database, event(0));
    await append(database, full);
    assert.deepEqual(await all(database), [
      { ...event(0), position: 1 },
      { ...full, position: 2 },
    ]);
  });

  test(`${name}: a change that is rolled back leaves no event and no gap`, async () => {
    await using database = await open();
    await append(database, event(1));
    const failing = database.write(async (tx) => {
      await eventStore(tx).append(event(2));
      throw new Error('no');
    });
    await assert.rejects(failing);
    await append(database, event(3));
    assert.deepEqual(
      (await all(database)).map(({ position, at }) => [position, at]),
      [
        [1, 1],
        [2, 3],
      ],
    );
  });

  test(`${name}: concurrent appends get positions without gaps, each event once`, async () => {
    await using database = await open();
    await Promise.all(Array.from({ length: 64 }, (_, at) => append(database, event(at))));
    const events = await all(database);
    assert.deepEqual(
      events.map(({ position }) => position),
      Array.from({ length: 64 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      events.map(({ at }) => at).sort((a, b) => a - b),
      Array.from({ length: 64 }, (_, at) => at),
    );
  });

  test(`${name}: events are found by type, subject and project, from both ends`, async () => {
    await using database = await open();
    for (let at = 1; at <= 9; at += 1) {
      await append(database, {
        ...event(at),
        type: `t.${at % 3}`,
        subject: `s/${at % 2}`,
        project: at < 5 ? 'p' : 'q',
      });
    }
    const found = async (query: Partial<Parameters<typeof readEvents>[1]>) => {
      await sequenceEvents(database);
      return (await readEvents(database.read, { limit: 10, ...query })).map(({ position }) => position);
    };
    assert.deepEqual(await found({ types: ['t.1', 't.2'] }), [1, 2, 4, 5, 7, 8]);
    assert.deepEqual(await found({ types: [] }), []);
    assert.deepEqual(await found({ subject: 's/0', project: 'q' }), [6, 8]);
    assert.deepEqual(await found({ after: 7 }), [8, 9]);
    assert.deepEqual(await found({ order: 'newest', limit: 2 }), [9, 8]);
    assert.deepEqual(await found({ order: 'newest', after: 3 }), [2, 1]);
  });

  test(`${name}: the table refuses to change or delete an event`, async () => {
    await using database = await open();
    await append(database, event(1));
    await sequenceEvents(database);
    const rule = /append-only/;
    await assert.rejects(
      database.write((tx) => sql`update events set actor = 'x'`.execute(tx)),
      rule,
    );
    await assert.rejects(
      database.write((tx) => sql`delete from events`.execute(tx)),
      rule,
    );
  });

  test(`${name}: an event too large for the log is refused in its own transaction`, async () => {
    await using database = await open();
    const large = append(database, { ...event(1), data: { text: 'x'.repeat(70_000) } });
    await assert.rejects(large, { code: 'events/too-large' });
    assert.deepEqual(await all(database), []);
  });

  test(`${name}: a consumer sees each event once and in order, its effect with its cursor`, async () => {
    await using database = await open();
    for (let at = 1; at <= 25; at += 1) await append(database, event(at));
    await sequenceEvents(database);
    const seen: number[] = [];
    const consumer = { database, name: 'test/seen', limit: 10 };
    const handle = async ({ position }: LoggedEvent) => void seen.push(position);
    const counts: number[] = [];
    for (let count = -1; count !== 0; counts.push(count)) count = await consumeEvents(consumer, handle);
    assert.deepEqual(counts, [10, 10, 5, 0]);
    assert.deepEqual(
      seen,
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
  });

  test(`${name}: a consumer stops at the event that its handler throws at, and keeps what came before`, async () => {
    await using database = await open();
    for (let at = 1; at <= 5; at += 1) await append(database, event(at));
    await sequenceEvents(database);
    const consumer = { database, name: 'test/echo' };
    let isBad = true;
    const handle = async ({ at }: LoggedEvent, tx: Parameters<typeof eventStore>[0]) => {
      if (at === 3 && isBad) throw new Error('not yet');
      if (at <= 5) await eventStore(tx).append(event(at * 100));
    };
    await assert.rejects(consumeEvents(consumer, handle), { message: 'not yet' });
    await assert.rejects(consumeEvents(consumer, handle), { message: 'not yet' });
    assert.deepEqual(
      (await all(database)).map(({ at }) => at),
      [1, 2, 3, 4, 5, 100, 200],
    );
    isBad = false;
    while ((await consumeEvents(consumer, handle)) > 0);
    assert.deepEqual(
      (await all(database)).map(({ at }) => at),
      [1, 2, 3, 4, 5, 100, 200, 300, 400, 500],
    );
  });

  test(`${name}: of 16 callers who consume at once, each event goes to one`, async () => {
    await using database = await open();
    for (let at = 1; at <= 40; at += 1) await append(database, event(at));
    await sequenceEvents(database);
    const consumer = { database, name: 'test/race', types: ['test.happened'], limit: 3 };
    const handle = (seen: LoggedEvent, tx: Parameters<typeof eventStore>[0]) =>
      eventStore(tx).append({ ...event(seen.at), type: 'test.seen' });
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while ((await consumeEvents(consumer, handle)) > 0);
      }),
    );
    await sequenceEvents(database);
    const effects = await readEvents(database.read, { limit: 100, types: ['test.seen'] });
    assert.deepEqual(
      effects.map(({ at }) => at),
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });

  test(`${name}: a follower hears of events without polling, and the signal fires after the commit`, async () => {
    await using database = await open();
    const problems: unknown[] = [];
    const onError = (error: unknown) => void problems.push(error);
    await using _sequencer = startSequencer({ database, onError });
    const heard = Promise.withResolvers<number>();
    const fired = Promise.withResolvers<number>();
    using _signal = eventSignal(database).onAppend(async () => fired.resolve((await all(database)).length));
    await using _follower = followEvents({ database, name: 'test/follow', onError }, async ({ at }) =>
      heard.resolve(at),
    );
    await append(database, event(42));
    assert.equal(await heard.promise, 42);
    assert.equal(await fired.promise, 1);
    assert.deepEqual(problems, []);
  });
});

const event = (at: number): NewEvent => ({
  type: 'test.happened',
  project: 'p',
  subject: `thing/${at}`,
  actor: 'owner',
  at,
  data: { at },
});

function append(database: Database, newEvent: NewEvent): Promise<void> {
  return database.write((tx) => eventStore(tx).append(newEvent));
}

async function all(database: Database): Promise<LoggedEvent[]> {
  await sequenceEvents(database);
  return readEvents(database.read, { limit: 1000 });
}
