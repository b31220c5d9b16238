/** One slot of the worker role: a child process that runs one job at a time, started when there is one, replaced when it dies. */
import type { ChildProcess } from 'node:child_process';
import { PlatformError } from '../errors.ts';
import type { JobProgress } from './job.ts';
import { type FromWorker, reviveError, type ToWorker } from './job-message.ts';

/** How long a cancelled job may take to wind up before its process is killed. */
const cancelGraceMs = 5_000;

export type Assignment = {
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: JobProgress) => void;
  readonly onLog: (line: string) => void;
};

export class WorkerProcess implements AsyncDisposable {
  readonly #spawn: () => ChildProcess;
  readonly #idleMs: number;
  #child: ChildProcess | undefined;
  #ready: Promise<void> | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** @param idleMs a worker without a job leaves after this time, and with it the memory that DuckDB has taken */
  constructor({ spawn, idleMs }: { spawn: () => ChildProcess; idleMs: number }) {
    this.#spawn = spawn;
    this.#idleMs = idleMs;
  }

  /** The child's process id, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws PlatformError `jobs/crashed` when the child dies, `jobs/cancelled` after an abort, or what the handler threw */
  async run(job: Assignment): Promise<unknown> {
    clearTimeout(this.#idle);
    try {
      const child = job.signal.aborted ? undefined : await this.#start(job.kind);
      // Cancelled before it began, or while the process started, when nobody listened yet.
      if (!child || job.signal.aborted) throw new PlatformError('jobs/cancelled', job.id);
      return await this.#assign(child, job);
    } finally {
      this.#idle = setTimeout(() => void this[Symbol.asyncDispose](), this.#idleMs).unref();
    }
  }

  async #start(kind: string): Promise<ChildProcess> {
    if (this.#child && this.#ready) {
      await this.#ready;
      return this.#child;
    }
    const child = this.#spawn();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('message', () => resolve());
    child.once('error', (cause) => reject(new PlatformError('jobs/crashed', kind, { cause })));
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#child = this.#ready = undefined;
      reject(crashed(kind, { code, signal }));
    });
    this.#child = child;
    this.#ready = promise;
    await promise;
    return child;
  }

  #assign(child: ChildProcess, job: Assignment): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    using stack = new DisposableStack();
    const settle = stack.move();
    let kill: NodeJS.Timeout | undefined;

    const onMessage = (message: FromWorker): void => {
      if (message.type === 'ready' || message.id !== job.id) return;
      switch (message.type) {
        case 'progress':
          job.onProgress({ note: message.note, ...(message.share !== undefined && { share: message.share }) });
          return;
        case 'log':
          job.onLog(message.line);
          return;
        case 'done':
          resolve(message.output);
          return;
        case 'failed':
          reject(
            job.signal.aborted ? new PlatformError('jobs/cancelled', job.id) : reviveError(message.error, job.kind),
          );
      }
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      reject(job.signal.aborted ? new PlatformError('jobs/cancelled', job.id) : crashed(job.kind, { code, signal }));
    };
    const onAbort = (): void => {
      if (child.connected) child.send({ type: 'cancel', id: job.id } satisfies ToWorker);
      kill = setTimeout(() => child.kill('SIGKILL'), cancelGraceMs);
    };

    child.on('message', onMessage).on('exit', onExit);
    job.signal.addEventListener('abort', onAbort, { once: true });
    settle.defer(() => {
      clearTimeout(kill);
      child.off('message', onMessage).off('exit', onExit);
      job.signal.removeEventListener('abort', onAbort);
    });
    const order = { type: 'run', id: job.id, kind: job.kind, input: job.input } satisfies ToWorker;
    // A failing send means that the child is going; its exit says why.
    child.send(order, () => {});
    return promise.finally(() => settle.dispose());
  }

  /** Lets the child go: it aborts what it does and leaves by itself; one that does not is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = this.#ready = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    const kill = setTimeout(() => child.kill('SIGKILL'), cancelGraceMs);
    if (child.connected) child.disconnect();
    await gone;
    clearTimeout(kill);
  }
}

function crashed(
  kind: string,
  { code, signal }: { code: number | null; signal: NodeJS.Signals | null },
): PlatformError {
  const how = signal ?? `exit code ${code}`;
  const outOfMemory = signal === 'SIGABRT' || signal === 'SIGKILL' || code === 134;
  return new PlatformError('jobs/crashed', kind, {
    message: `The worker process died (${how}) while it ran ${kind}.`,
    hint: outOfMemory
      ? 'It may have needed more memory than the worker has; a new worker takes the next job. Try again with less data.'
      : 'A new worker takes the next job. Try again; what the worker printed stands in the server log.',
    data: { how },
  });
}
