/** Work that must not run in the server's own process, and what is known about it. */

export const jobStates = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** Lanes are separate queues, so that a training of an hour does not hold up a profile of a second. */
export const lanes = ['compute', 'command'] as const;
export type Lane = (typeof lanes)[number];

export type JobProgress = {
  /** 0 to 1, where the job can tell. */
  readonly share?: number;
  readonly note: string;
};

/** A failure as it is stored and sent between processes. */
export type JobError = {
  /** A code of `errors.ts`; absent for what nobody foresaw. */
  readonly code?: string;
  readonly subject?: string;
  readonly message: string;
  readonly hint?: string;
  readonly data?: Readonly<Record<string, unknown>>;
};

export type Job = {
  readonly id: string;
  readonly kind: string;
  /** Absent for an operation that has no work of its own: a use case ends it when its children are through. */
  readonly lane?: Lane;
  /** The operation this job is a part of; cancelled with it. */
  readonly parent?: string;
  readonly project?: string;
  readonly actor: string;
  readonly input: unknown;
  readonly state: JobState;
  /** How often it was started: more than once only when a server died while it ran. */
  readonly attempts: number;
  readonly progress: JobProgress;
  readonly result?: unknown;
  readonly error?: JobError;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
};

/** What a handler gets beside its input. */
export type JobContext = {
  /** Aborted when the job is cancelled and when the server has gone; a handler that ignores it is killed. */
  readonly signal: AbortSignal;
  /** @param share 0 to 1; `undefined` when it cannot be told */
  progress(share: number | undefined, note: string): void;
  log(line: string): void;
  /** Starts a process that leads a group of its own, which is killed should the worker die before the job ends. */
  startGroup<P extends { readonly pid?: number | undefined }>(start: () => P): P;
};

/**
 * The work itself, in the worker process. It never opens the database: it reads its input and local files, and returns what the
 * server shall write down. Input and output are JSON for durable jobs, anything structured clone can carry for `run`.
 */
export type JobHandler<Input, Output> = (input: Input, context: JobContext) => Promise<Output>;

/** Handlers by kind, `<folder>.<verb>`: `datasets.add`. `never` lets every handler in; the queue pairs kinds with inputs. */
export type JobHandlers = Readonly<Record<string, JobHandler<never, unknown>>>;

export type RunOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
};

/** Runs one job in the worker now and answers with its output: for work that is begun again anyway when the server dies. */
export type RunJob = <Output>(kind: string, input: unknown, options?: RunOptions) => Promise<Output>;

/** What a job is for whom, when it is put into the queue. */
export type NewJob = {
  readonly kind: string;
  /** `compute` when absent; `none` for an operation that only has parts. */
  readonly lane?: Lane | 'none';
  readonly input: unknown;
  readonly actor: string;
  readonly project?: string;
  readonly parent?: string;
};

export function isEnded(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}
