/** "Look now": for whoever follows the log. */
import type { Database } from '../storage/database.ts';
import { appendedTopic } from './event-topics.ts';

/** Fires after the commit, without saying what is new. It may miss what other processes append: poll now and then as well. */
export interface EventSignal {
  onAppend(listener: () => void): Disposable;
}

export function eventSignal(database: Database): EventSignal {
  return { onAppend: (listener) => database.onCommit(appendedTopic, listener) };
}
