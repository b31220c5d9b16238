/** The loop of whoever follows the log: on the signal, and once a second for what other processes append. */
import type { Database } from '../storage/database.ts';
import { eventSignal } from './event-signal.ts';
import { type LoopOptions, startLoop } from './loop-worker.ts';

export function startEventLoop({
  database,
  ...options
}: Pick<LoopOptions, 'pass' | 'onError'> & { readonly database: Database }): AsyncDisposable {
  const resources = new AsyncDisposableStack();
  // In a burst of events, one look serves many.
  const loop = resources.use(startLoop({ ...options, everyMs: 1_000, atMostEveryMs: 50 }));
  resources.use(eventSignal(database).onAppend(loop.wake));
  return resources;
}
