/** Word from a transaction to whoever waits for its commit. */
import type { Db } from './database.ts';

export type Announcements = ReturnType<typeof createAnnouncements>;

/**
 * Says once its commit is durable that something of `topic` is new: "look now", without saying what. Nothing is said when the
 * transaction rolls back, nor in other processes: whoever listens also looks from time to time.
 */
export function announce(tx: Pick<Db, 'getExecutor'>, topic: string): void {
  const topics = topicsOf.get(tx.getExecutor());
  if (!topics) throw new Error('announce works inside database.write only');
  topics.add(topic);
}

/** A transaction and what `withTables` makes of it share one executor. */
const topicsOf = new WeakMap<object, Set<string>>();

export function createAnnouncements() {
  const listeners = new Map<string, Set<() => void>>();
  return {
    listen: (topic: string, listener: () => void): Disposable => {
      const ofTopic = listeners.get(topic) ?? new Set();
      listeners.set(topic, ofTopic);
      ofTopic.add(listener);
      return { [Symbol.dispose]: () => void ofTopic.delete(listener) };
    },
    /** Runs one transaction and passes its announcements on when it has succeeded. */
    collect: async <T>(transaction: (collecting: (tx: Db) => Db) => Promise<T>): Promise<T> => {
      let topics = new Set<string>();
      const result = await transaction((tx) => {
        topics = new Set(); // a retried transaction starts again
        topicsOf.set(tx.getExecutor(), topics);
        return tx;
      });
      for (const topic of topics) for (const listener of listeners.get(topic) ?? []) listener();
      return result;
    },
  };
}
