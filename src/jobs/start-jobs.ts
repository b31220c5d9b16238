/** The queue at work: claims jobs, hands them to worker processes, and writes their ends down. */
import type { ChildProcess } from 'node:child_process';
import { PlatformError } from '../errors.ts';
import type { Database, Db } from '../storage/database.ts';
import {
  isEnded,
  type Job,
  type JobError,
  type JobProgress,
  type Lane,
  lanes,
  type NewJob,
  type RunOptions,
} from './job.ts';
import { describeError } from './job-message.ts';
import { endedTopic, type JobEnd, jobStore, queuedTopic } from './job-store.ts';
import { submitJob } from './submit-job.ts';
import { WorkerProcess } from './worker-process.ts';

/** What the server does about a durable job of one kind, in the transaction that ends it. */
export type JobKind = {
  /**
   * Gathers on the server what a worker cannot read itself, before one is taken; its answer is the input the worker gets. It runs
   * again when the job does.
   */
  prepare?(job: Job, signal: AbortSignal): Promise<unknown>;
  /** Writes down what the job found; what it returns is the operation's result. Absent: the output is. */
  apply?(tx: Db, job: Job, output: unknown): Promise<unknown>;
  /** Writes down that it failed or was cancelled. */
  failed?(tx: Db, job: Job, end: { readonly state: 'failed' | 'cancelled'; readonly error: JobError }): Promise<void>;
  /** After the commit of either: time to look. */
  afterwards?(job: Job): void;
};

export type JobsOptions = {
  readonly database: Database;
  /** Starts a worker process with an IPC channel of structured clones: `forkWorker`. */
  readonly spawn: () => ChildProcess;
  readonly kinds: Readonly<Record<string, JobKind>>;
  readonly now: () => number;
  readonly newId: () => string;
  /** Processes per lane. */
  readonly slots?: Partial<Record<Lane, number>>;
  readonly leaseMs?: number;
  /** How often to look for work that other servers have put into the queue. */
  readonly pollMs?: number;
  readonly idleMs?: number;
  /** Where a failure of the queue itself is told. */
  readonly onError?: (error: unknown) => void;
};

/** A server that dies on one job every time must not be taken down for ever. */
const maxAttempts = 3;
/** Requests that wait for one lane: behind so many, an answer would come too late for whoever asked. */
const mostWaiting = 64;
/** The end of a log is what explains a failure. */
const logLines = 200;

type Running = { readonly abort: AbortController; readonly log: string[]; progress: JobProgress };
type Waiting = {
  readonly start: (worker: WorkerProcess) => Promise<void>;
  /** The server closes before it was its turn. */
  readonly drop: () => Promise<void>;
};

export async function startJobs(options: JobsOptions): Promise<Jobs> {
  const jobs = new Jobs(options);
  await jobs.recover();
  return jobs;
}

export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #owner: string;
  readonly #free: Record<Lane, WorkerProcess[]> = { compute: [], command: [] };
  readonly #workers: WorkerProcess[] = [];
  readonly #waiting: Record<Lane, Waiting[]> = { compute: [], command: [] };
  readonly #claiming = new Set<Lane>();
  readonly #again = new Set<Lane>();
  readonly #running = new Map<string, Running>();
  readonly #active = new Set<Promise<void>>();
  readonly #watchers = new Set<() => void>();
  readonly #listening = new DisposableStack();
  readonly #poll: NodeJS.Timeout;
  #closing = false;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#owner = options.newId();
    for (const lane of lanes) {
      for (let slot = 0; slot < (options.slots?.[lane] ?? 1); slot++) {
        const worker = new WorkerProcess({ spawn: options.spawn, idleMs: options.idleMs ?? 60_000 });
        this.#workers.push(worker);
        this.#free[lane].push(worker);
      }
    }
    this.#listening.use(options.database.onCommit(queuedTopic, () => this.#wake()));
    this.#listening.use(options.database.onCommit(endedTopic, () => this.#changed()));
    this.#poll = setInterval(() => void this.#look(), options.pollMs ?? 2_000).unref();
  }

  /** The processes that are alive now, for health pages and crash tests. */
  get workerPids(): readonly number[] {
    return this.#workers.flatMap((worker) => worker.pid ?? []);
  }

  /**
   * Runs a job now, after those that were asked for before, and answers with its output. Not durable: the caller asks again after a crash.
   * @throws PlatformError `http/unavailable` when too many wait already, `jobs/…` when it comes to nothing
   */
  async run<Output>(
    kind: string,
    input: unknown,
    { signal, onProgress, lane }: RunOptions & { lane?: Lane } = {},
  ): Promise<Output> {
    if (this.#waiting[lane ?? 'compute'].length >= mostWaiting) {
      throw new PlatformError('http/unavailable', 'The worker', {
        hint: 'others wait for it: try again in a moment',
        data: { retryAfterSeconds: 1 },
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = this.#options.newId();
    const never = new AbortController().signal;
    this.#waiting[lane ?? 'compute'].push({
      start: (worker) =>
        worker
          .run({
            id,
            kind,
            input,
            signal: signal ?? never,
            onProgress: onProgress ?? (() => {}),
            onLog: () => {},
          })
          .then(resolve, reject),
      drop: async () => reject(new PlatformError('http/unavailable', 'The worker')),
    });
    this.#pump(lane ?? 'compute');
    return (await promise) as Output; // kind and output are paired by whoever calls
  }

  /** Puts a durable job into the queue, in a transaction of its own. */
  async submit(job: NewJob): Promise<Job> {
    const { database, now, newId } = this.#options;
    return database.write((tx) => submitJob({ jobs: jobStore(tx), now, newId }, job));
  }

  /** A job with its progress of this moment. */
  async find(id: string): Promise<{ job: Job; log: readonly string[] } | undefined> {
    const store = jobStore(this.#options.database.read);
    const job = await store.find(id);
    if (!job) return undefined;
    const running = this.#running.get(id);
    if (running && job.state === 'running') return { job: { ...job, progress: running.progress }, log: running.log };
    return { job, log: await store.logOf(id) };
  }

  /** Waits until a job has ended, `waitMs` have passed, or the signal is aborted. */
  async wait(id: string, { waitMs, signal }: { waitMs: number; signal?: AbortSignal }): Promise<void> {
    const over = AbortSignal.any([AbortSignal.timeout(waitMs), ...(signal ? [signal] : [])]);
    while (!over.aborted) {
      const { promise: changed, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      over.addEventListener('abort', () => resolve(), { once: true });
      // Another server may end it: then nobody here is told.
      const look = setTimeout(resolve, 1_000);
      try {
        const job = await jobStore(this.#options.database.read).find(id);
        if (!job || isEnded(job.state)) return;
        await changed;
      } finally {
        clearTimeout(look);
        this.#watchers.delete(resolve);
      }
    }
  }

  /** Cancels a job and its parts: waiting ones end now, running ones when they have wound up. */
  async cancel(id: string): Promise<void> {
    const stopping = await this.#options.database.write(async (tx) => {
      const job = await jobStore(tx).find(id);
      if (!job) throw new PlatformError('jobs/not-found', id);
      if (isEnded(job.state)) throw new PlatformError('jobs/already-ended', id);
      return this.#cancelIn(tx, job);
    });
    for (const one of stopping) this.#running.get(one)?.abort.abort();
  }

  /** @returns the ids of those that run and must be stopped */
  async #cancelIn(tx: Db, job: Job): Promise<readonly string[]> {
    const store = jobStore(tx);
    const error: JobError = { code: 'jobs/cancelled', subject: job.id, message: `${job.kind} was cancelled.` };
    const stopping: string[] = [];
    await store.requestCancel(job.id);
    for (const child of await store.children(job.id)) {
      if (!isEnded(child.state)) stopping.push(...(await this.#cancelIn(tx, child)));
    }
    if (job.state === 'running' && job.lane !== undefined) return [...stopping, job.id];
    // Parts that are still winding up end their operation when they are through.
    if (stopping.length > 0) return stopping;
    const now = await store.find(job.id);
    if (now && isEnded(now.state)) return stopping;
    await this.#options.kinds[job.kind]?.failed?.(tx, job, { state: 'cancelled', error });
    await store.end(job.id, { state: 'cancelled', error }, this.#options.now());
    return stopping;
  }

  /** Puts jobs of dead servers back into the queue. On SQLite every other owner is dead: the data folder has one server. */
  async recover(): Promise<void> {
    const { database, now } = this.#options;
    const alone = database.dialect === 'sqlite' ? this.#owner : undefined;
    const abandoned = await jobStore(database.read).abandoned(now(), alone);
    for (const job of abandoned) {
      if (this.#running.has(job.id)) continue;
      if (job.attempts >= maxAttempts) {
        const error = describeError(new PlatformError('jobs/given-up', job.kind));
        await this.#end(job, { state: 'failed', error }, []);
      } else await database.write((tx) => jobStore(tx).requeue(job.id));
    }
    this.#wake();
  }

  async #look(): Promise<void> {
    try {
      if (this.#options.database.dialect === 'postgres') await this.recover();
      else this.#wake();
    } catch (error) {
      this.#report(error);
    }
  }

  #wake(): void {
    for (const lane of lanes) this.#pump(lane);
  }

  #pump(lane: Lane): void {
    if (this.#closing) return;
    while (this.#free[lane].length > 0 && this.#waiting[lane].length > 0) {
      // Both are there: the condition of the loop.
      const worker = this.#free[lane].pop() as WorkerProcess;
      const waiting = this.#waiting[lane].shift() as Waiting;
      this.#occupy(lane, worker, waiting.start(worker));
    }
    if (this.#free[lane].length > 0) this.#claimNext(lane);
  }

  #occupy(lane: Lane, worker: WorkerProcess, work: Promise<void>): void {
    this.#follow(
      work.finally(() => {
        this.#free[lane].push(worker);
        this.#pump(lane);
      }),
    );
  }

  /** Work that closing waits for. */
  #follow(work: Promise<void>): void {
    const active = work.catch((error) => this.#report(error)).finally(() => this.#active.delete(active));
    this.#active.add(active);
  }

  #claimNext(lane: Lane): void {
    if (this.#claiming.has(lane)) {
      this.#again.add(lane);
      return;
    }
    this.#claiming.add(lane);
    const { database, now } = this.#options;
    const claim = async (): Promise<void> => {
      // A look costs no transaction; most looks find nothing.
      if (!(await jobStore(database.read).hasQueued(lane))) return;
      const at = now();
      const job = await database.write((tx) => jobStore(tx).claim(lane, this.#lease(at), at));
      if (!job) return;
      this.#again.add(lane);
      if (this.#closing) await database.write((tx) => jobStore(tx).release(job.id));
      else this.#begin(job, lane);
    };
    claim()
      .catch((error) => this.#report(error))
      .finally(() => {
        this.#claiming.delete(lane);
        if (this.#again.delete(lane)) this.#pump(lane);
      });
  }

  /** Prepares on the server where the kind asks for it, holding no worker meanwhile: preparing may run jobs of its own. */
  #begin(job: Job, lane: Lane): void {
    const running: Running = { abort: new AbortController(), log: [], progress: { note: 'started' } };
    this.#running.set(job.id, running);
    this.#follow(this.#heedCancel(job.id, running));
    const heart = setInterval(() => void this.#beat(job.id, running), this.#leaseMs / 3);
    const over = (): void => {
      clearInterval(heart);
      this.#running.delete(job.id);
    };
    const line = (input: unknown): void => {
      this.#waiting[lane].push({
        start: (worker) => this.#execute(job, { worker, running, input }).finally(over),
        drop: () => this.#stop(job, running, undefined).finally(over),
      });
      this.#pump(lane);
    };
    const prepare = this.#options.kinds[job.kind]?.prepare;
    if (!prepare) {
      line(job.input);
      return;
    }
    this.#follow(
      prepare(job, running.abort.signal).then(line, (error) => this.#stop(job, running, error).finally(over)),
    );
  }

  /** Who cancelled between the claim and this moment found nothing here to stop. */
  async #heedCancel(id: string, running: Running): Promise<void> {
    if (await jobStore(this.#options.database.read).isCancelRequested(id)) running.abort.abort();
  }

  async #execute(
    job: Job,
    { worker, running, input }: { worker: WorkerProcess; running: Running; input: unknown },
  ): Promise<void> {
    try {
      const output = await worker.run({
        id: job.id,
        kind: job.kind,
        input,
        signal: running.abort.signal,
        onProgress: (progress) => {
          running.progress = progress;
        },
        onLog: (line) => {
          running.log.push(line);
          if (running.log.length > logLines) running.log.shift();
        },
      });
      await this.#apply(job, output, running.log);
    } catch (error) {
      await this.#stop(job, running, error);
    }
  }

  async #stop(job: Job, running: Running, error: unknown): Promise<void> {
    if (this.#closing) await this.#options.database.write((tx) => jobStore(tx).release(job.id));
    else {
      const state = running.abort.signal.aborted ? 'cancelled' : 'failed';
      await this.#end(job, { state, error: describeError(error) }, running.log);
    }
  }

  async #apply(job: Job, output: unknown, log: readonly string[]): Promise<void> {
    const { database, kinds, now } = this.#options;
    const kind = kinds[job.kind];
    await database.write(async (tx) => {
      const store = jobStore(tx);
      const stored = await store.find(job.id);
      // Taken for dead and ended by another server meanwhile: its result counts, this one is the same again.
      if (!stored || isEnded(stored.state)) return;
      const result = kind?.apply ? await kind.apply(tx, stored, output) : output;
      await store.end(job.id, { state: 'done', result }, now(), log);
    });
    this.#afterwards(job);
  }

  async #end(job: Job, end: Exclude<JobEnd, { state: 'done' }>, log: readonly string[]): Promise<void> {
    const { database, kinds, now } = this.#options;
    await database.write(async (tx) => {
      if (!(await jobStore(tx).end(job.id, end, now(), log))) return;
      await kinds[job.kind]?.failed?.(tx, job, end);
    });
    this.#afterwards(job);
  }

  #afterwards(job: Job): void {
    this.#options.kinds[job.kind]?.afterwards?.(job);
  }

  async #beat(id: string, running: Running): Promise<void> {
    try {
      const lease = this.#lease(this.#options.now());
      const mine = await this.#options.database.write((tx) => jobStore(tx).renew(id, lease, running.progress));
      // Lost or cancelled elsewhere: either way this run is not wanted any more.
      if (!mine || mine.cancelRequested) running.abort.abort();
    } catch (error) {
      this.#report(error);
    }
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? 30_000;
  }

  #lease(at: number): { owner: string; until: number } {
    return { owner: this.#owner, until: at + this.#leaseMs };
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }

  #report(error: unknown): void {
    if (!this.#closing) this.#options.onError?.(error);
  }

  /** Stops the workers; jobs that ran go back into the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearInterval(this.#poll);
    this.#listening.dispose();
    for (const { abort } of this.#running.values()) abort.abort();
    for (const lane of lanes) for (const { drop } of this.#waiting[lane].splice(0)) this.#follow(drop());
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()));
    await Promise.all(this.#active);
    this.#changed();
  }
}
