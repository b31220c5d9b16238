/** Gives committed events of PostgreSQL their positions and Merkle leaves, so that changes there commit side by side. */
import { sql } from 'kysely';
import { announce } from '../storage/announcements.ts';
import type { Database, Db } from '../storage/database.ts';
import { type EventTables, eventOf, lastPosition, leafOf } from './event-store.ts';
import { appendedTopic, waitingTopic } from './event-topics.ts';
import { startLoop } from './loop-worker.ts';

/** On SQLite the writer has already done it, and there is nothing to run. */
export function startSequencer(options: {
  readonly database: Database;
  readonly onError: (error: unknown) => void;
}): AsyncDisposable {
  const { database, onError } = options;
  const resources = new AsyncDisposableStack();
  if (database.dialect === 'sqlite') return resources;
  const loop = resources.use(
    startLoop({ pass: async () => (await sequenceBatch(database)) === batchSize, everyMs: 100, onError }),
  );
  resources.use(database.onCommit(waitingTopic, loop.wake));
  return resources;
}

/** Gives positions to all events that are committed now; returns how many there were. */
export async function sequenceEvents(database: Database): Promise<number> {
  if (database.dialect === 'sqlite') return 0;
  let total = 0;
  for (;;) {
    const count = await sequenceBatch(database);
    total += count;
    if (count < batchSize) return total;
  }
}

/** So many hashes and one statement stay well below 100 ms. */
const batchSize = 500;

function sequenceBatch(database: Database): Promise<number> {
  return database.write(async (tx) => {
    await sql`select pg_advisory_xact_lock(${sequencerLock})`.execute(tx); // of several servers, one counts at a time
    const rows = await waitingEvents(tx);
    if (rows.length === 0) return 0;
    const before = await lastPosition(tx);
    const positions = rows.map((_, index) => before + index + 1);
    const leaves = rows.map((row, index) => leafOf(eventOf({ ...row, position: before + index + 1 })));
    await sql`
      update events set position = given.position, leaf = given.leaf
      from unnest(
        ${rows.map(({ arrival }) => arrival)}::bigint[], ${positions}::bigint[], ${leaves}::text[]
      ) as given (arrival, position, leaf)
      where events.arrival = given.arrival`.execute(tx);
    announce(tx, appendedTopic);
    return rows.length;
  });
}

const sequencerLock = 7_236_602; // any number, the same in every version

/** An event that arrived earlier and commits later comes later in the log: readers have never passed it. */
function waitingEvents(tx: Db) {
  return tx
    .withTables<EventTables>()
    .selectFrom('events')
    .selectAll()
    .where('position', 'is', null)
    .orderBy('arrival')
    .limit(batchSize)
    .execute();
}
