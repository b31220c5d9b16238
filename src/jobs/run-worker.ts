/** The worker process: one job at a time, told by the server what to do. Entry of `main.ts worker`. */
import { PlatformError } from '../errors.ts';
import { GroupGuard } from './group-guard.ts';
import type { JobHandler, JobHandlers } from './job.ts';
import { describeError, type FromWorker, type ToWorker } from './job-message.ts';

/** How long a handler may take to wind up after the server has gone. */
const orphanGraceMs = 3_000;
/** A handler in a tight loop would otherwise fill the channel. */
const progressEveryMs = 100;

/** Serves jobs until the server disconnects; then aborts what runs, so that no step outlives its server, and leaves. */
export function runWorker(handlers: JobHandlers): Promise<void> {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  let current: { readonly id: string; readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  process.on('message', (message: ToWorker) => {
    if (message.type === 'cancel') {
      if (current?.id === message.id) current.abort.abort(new PlatformError('jobs/cancelled', message.id));
      return;
    }
    const abort = new AbortController();
    const ended = runJob(handlers, message, abort.signal).finally(() => {
      current = undefined;
    });
    current = { id: message.id, abort, ended };
  });
  process.on('disconnect', async () => {
    // Unref'd: it only matters when a handler does not come back.
    setTimeout(() => process.exit(1), orphanGraceMs).unref();
    current?.abort.abort(new PlatformError('jobs/cancelled', current.id));
    await current?.ended;
    leave();
  });
  // Ctrl-C reaches the whole group: the server decides what happens to its jobs, and then disconnects.
  process.on('SIGINT', () => {});
  tell({ type: 'ready' });
  return left;
}

async function runJob(
  handlers: JobHandlers,
  { id, kind, input }: Extract<ToWorker, { type: 'run' }>,
  signal: AbortSignal,
): Promise<void> {
  let spokeAt = Number.NEGATIVE_INFINITY;
  using guard = new GroupGuard();
  try {
    if (!Object.hasOwn(handlers, kind)) throw new PlatformError('jobs/unknown-kind', kind);
    // The server paired this input with this kind when the job was made.
    const handler = handlers[kind] as JobHandler<unknown, unknown>;
    const output = await handler(input, {
      signal,
      progress(share, note) {
        const now = performance.now();
        if (now - spokeAt < progressEveryMs && share !== 1) return;
        spokeAt = now;
        tell({ type: 'progress', id, share, note });
      },
      log: (line) => tell({ type: 'log', id, line }),
      startGroup: (start) => guard.start(start),
    });
    tell({ type: 'done', id, output });
  } catch (error) {
    const foreseen = error instanceof PlatformError || signal.aborted;
    if (!foreseen) process.stderr.write(`${kind} failed: ${(error as Error)?.stack ?? error}\n`);
    tell({ type: 'failed', id, error: describeError(error) });
  }
}

function tell(message: FromWorker): void {
  // A server that has just been killed breaks the pipe before it is seen to be gone; `disconnect` follows and is dealt with.
  if (process.connected) process.send?.(message, () => {});
}
