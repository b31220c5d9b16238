/** Puts what happens into the queue of every webhook that wants to know: the message and the consumer's cursor in one transaction. */
import { randomUUID } from 'node:crypto';
import { consumeEvents, type EventHandler } from '../events/event-consumer-worker.ts';
import { eventCursorStore } from '../events/event-cursor-store.ts';
import { startEventLoop } from '../events/event-loop-worker.ts';
import type { Database, Db } from '../storage/database.ts';
import { deliveryStore } from './delivery-store.ts';
import { webhookPayload } from './webhook-event.ts';
import { messageOf, type RegistryFacts, toldTypes } from './webhook-message.ts';
import { webhookStore } from './webhook-store.ts';

const name = 'notify/webhooks';

export type OutboxOptions = {
  readonly database: Database;
  readonly factsOf: (tx: Db) => RegistryFacts;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
};

export function startOutbox({ database, factsOf, now, onError }: OutboxOptions): AsyncDisposable {
  const handle: EventHandler = async (event, tx) => {
    const listening = (await webhookStore(tx).list()).filter(
      ({ state, since }) => state.kind !== 'disabled' && since < event.position,
    );
    if (listening.length === 0) return;
    const message = await messageOf(event, factsOf(tx));
    const interested = message ? listening.filter(({ events }) => events.includes(message.event)) : [];
    if (!message || interested.length === 0) return;
    const body = JSON.stringify(webhookPayload(message.event, event.at, message.data));
    for (const { id } of interested) {
      await deliveryStore(tx).insert({
        ...{ id: randomUUID(), body, event: message.event, subject: event.subject, project: event.project },
        target: { kind: 'webhook', webhook: id },
        createdAt: now(),
      });
    }
  };
  return startEventLoop({
    ...{ database, onError },
    // Without a webhook the log goes by unread: whoever logs runs does not pay for it.
    pass: async () =>
      (await webhookStore(database.read).any()) &&
      (await consumeEvents({ database, name, types: toldTypes }, handle)) > 0,
  });
}

/** Before the first webhook is made: what went by unread stays so. */
export const skipUnread = (tx: Db, position: number): Promise<void> => eventCursorStore(tx).set(name, position);
