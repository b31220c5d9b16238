/** Consumers of the log: each event at least once, in order, its effect and the cursor in one transaction. */
import type { Database, Db } from '../storage/database.ts';
import type { LoggedEvent } from './event.ts';
import { eventCursorStore } from './event-cursor-store.ts';
import { startEventLoop } from './event-loop-worker.ts';
import { readEvents } from './event-store.ts';

/** Writes its effect with `tx` and awaits nothing but the database; slow things go by way of a job or an outbox. */
export type EventHandler = (event: LoggedEvent, tx: Db) => Promise<void>;

export type Consumer = {
  readonly database: Database;
  /** Of the cursor: `<folder>/<what it does>`. A new name starts at the beginning of the log. */
  readonly name: string;
  readonly types?: readonly string[] | undefined;
  /** Events in one transaction. */
  readonly limit?: number | undefined;
};

/**
 * Handles the next events and returns how many there were: 0 when the consumer has seen them all. When the handler throws, the events
 * before are kept as handled, the one it threw at comes again, and the error is thrown.
 */
export async function consumeEvents(consumer: Consumer, handler: EventHandler): Promise<number> {
  const { database, name, types, limit = 100 } = consumer;
  const after = await eventCursorStore(database.read).find(name);
  const next = await readEvents(database.read, { after, limit: 1, types });
  if (next.length === 0) return 0; // without the writer, because this is asked often
  let handled = 0;
  try {
    return await database.write(async (tx) => {
      const cursors = eventCursorStore(tx);
      const events = await readEvents(tx, { after: await cursors.lock(name), limit, types });
      handled = 0;
      for (const event of events) {
        await handler(event, tx);
        handled += 1;
      }
      const last = events.at(-1);
      if (last) await cursors.set(name, last.position);
      return events.length;
    });
  } catch (error) {
    if (handled > 0) await consumeEvents({ ...consumer, limit: handled }, handler);
    throw error;
  }
}

/** Consumes for as long as it is open. */
export function followEvents(
  consumer: Consumer & { readonly onError: (error: unknown) => void },
  handler: EventHandler,
): AsyncDisposable {
  const { database, onError } = consumer;
  return startEventLoop({ database, onError, pass: async () => (await consumeEvents(consumer, handler)) > 0 });
}
