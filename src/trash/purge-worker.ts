/** Ends purges that were begun, also before a crash, and runs the operations that collect garbage. */
import { type Loop, startLoop } from '../events/loop-worker.ts';
import type { Job } from '../jobs/job.ts';
import { describeError } from '../jobs/job-message.ts';
import { jobStore } from '../jobs/job-store.ts';
import { submitJob } from '../jobs/submit-job.ts';
import type { Db } from '../storage/database.ts';
import { collectGarbage } from './collect-garbage-adapter.ts';
import { type CollectRequest, collectKind } from './garbage.ts';
import { type PurgeDeps, sweepAll } from './purge-adapter.ts';
import { purgedTopic } from './trash-store.ts';

export type PurgeWorker = AsyncDisposable & {
  /** @returns the operation's id */
  collect(request: CollectRequest, actor: string): Promise<string>;
};

export function startPurgeWorker(deps: PurgeDeps): PurgeWorker {
  const { database, now, newId, onError } = deps;
  const loop: Loop = startLoop({
    everyMs: 60_000,
    onError,
    pass: async (signal) => {
      await sweepAll(deps, signal);
      for (const operation of await jobStore(database.read).open(collectKind)) {
        if (signal.aborted) return false;
        await runCollection(deps, operation, signal);
      }
      return false;
    },
  });
  const listening = database.onCommit(purgedTopic, loop.wake);
  return {
    collect: async (request, actor) => {
      const submit = (tx: Db) => ({ jobs: jobStore(tx), now, newId });
      const operation = await database.write((tx) =>
        submitJob(submit(tx), { kind: collectKind, lane: 'none', input: request, actor }),
      );
      loop.wake();
      return operation.id;
    },
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}

async function runCollection(deps: PurgeDeps, operation: Job, signal: AbortSignal): Promise<void> {
  const { database, now } = deps;
  try {
    const result = await collectGarbage(deps, operation, signal);
    if (signal.aborted) return; // the next start goes on
    await database.write((tx) => jobStore(tx).end(operation.id, { state: 'done', result }, now()));
  } catch (error) {
    if (signal.aborted) return;
    const end = { state: 'failed', error: describeError(error) } as const;
    await database.write((tx) => jobStore(tx).end(operation.id, end, now()));
  }
}
