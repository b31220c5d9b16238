/** The main thread's side of one SQLite thread: questions go out in order, answers come back to who asked. */
import { Worker } from 'node:worker_threads';
import { PlatformError } from '../errors.ts';
import { brokenError } from './database-error.ts';
import { sqliteError } from './sqlite-error.ts';
import type {
  FromWriter,
  Parameters,
  SqlResult,
  ThreadOptions,
  ToReader,
  ToWriter,
  WriterState,
} from './sqlite-protocol.ts';
import { threadEntry } from './thread-entry.ts';

export type Statement = { readonly sql: string; readonly parameters: Parameters };

export async function openReaderThread(options: ThreadOptions): Promise<ReaderThread> {
  const thread = new ReaderThread(options);
  await thread.opened;
  return thread;
}

export async function openWriterThread(options: ThreadOptions): Promise<WriterThread> {
  const thread = new WriterThread(options);
  await thread.opened;
  return thread;
}

class SqliteThread<Outgoing extends ToReader | ToWriter> {
  readonly opened: Promise<void>;
  protected readonly answers = new Map<number, PromiseWithResolvers<SqlResult>>();
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #lastId = 0;

  constructor(entry: './sqlite-reader-thread' | './sqlite-writer-thread', options: ThreadOptions) {
    const opened = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<void>();
    this.opened = opened.promise;
    this.#exited = exited.promise;
    this.#worker = new Worker(threadEntry(import.meta.url, entry), { workerData: options });
    this.#worker.on('message', (message: FromWriter) => {
      if (message.kind === 'ready') opened.resolve();
      else if (message.kind === 'refused') opened.reject(cannotOpen(options.path, message.failure.message));
      else this.receive(message);
    });
    const fail = (cause: unknown) => {
      opened.reject(brokenError(cause));
      this.dropped(brokenError(cause));
      exited.resolve();
    };
    this.#worker.once('error', fail);
    this.#worker.once('exit', (code) => fail(new Error(`the SQLite thread ended with code ${code}`)));
  }

  async close(): Promise<void> {
    this.send({ kind: 'close' } as Outgoing); // both protocols have it
    await this.#exited;
  }

  protected send(message: Outgoing): void {
    this.#worker.postMessage(message);
  }

  protected ask(message: (id: number) => Outgoing): Promise<SqlResult> {
    this.#lastId += 1;
    const answer = Promise.withResolvers<SqlResult>();
    this.answers.set(this.#lastId, answer);
    this.send(message(this.#lastId));
    return answer.promise;
  }

  protected receive(message: FromWriter): void {
    if (message.kind !== 'done' && message.kind !== 'failed') return;
    const answer = this.answers.get(message.id);
    this.answers.delete(message.id);
    if (message.kind === 'done') answer?.resolve(message.result);
    else answer?.reject(sqliteError(message.failure));
  }

  protected dropped(error: Error): void {
    for (const answer of this.answers.values()) answer.reject(error);
    this.answers.clear();
  }
}

export class ReaderThread extends SqliteThread<ToReader> {
  constructor(options: ThreadOptions) {
    super('./sqlite-reader-thread', options);
  }

  run(statement: Statement): Promise<SqlResult> {
    return this.ask((id) => ({ kind: 'run', id, ...statement }));
  }

  get load(): number {
    return this.answers.size;
  }
}

export class WriterThread extends SqliteThread<ToWriter> {
  state: WriterState = { kind: 'ready' };
  readonly #commits = new Map<number, PromiseWithResolvers<void>>();

  constructor(options: ThreadOptions) {
    super('./sqlite-writer-thread', options);
  }

  run(useCase: number, { sql, parameters }: Statement): Promise<SqlResult> {
    return this.ask((id) => ({ kind: 'run', id, useCase, sql, parameters }));
  }

  /** Ends the use case; resolves when the COMMIT that it is part of is on the disk. */
  release(useCase: number, { waiting }: { readonly waiting: boolean }): Promise<void> {
    const commit = Promise.withResolvers<void>();
    this.#commits.set(useCase, commit);
    this.send({ kind: 'release', useCase, waiting });
    return commit.promise;
  }

  rollback(useCase: number, { waiting }: { readonly waiting: boolean }): void {
    this.send({ kind: 'rollback', useCase, waiting });
  }

  protected override receive(message: FromWriter): void {
    if (message.kind === 'state') this.state = message.state;
    else if (message.kind === 'committed') for (const useCase of message.useCases) this.#settle(useCase, undefined);
    else if (message.kind === 'lost') {
      const error = sqliteError(message.failure);
      for (const useCase of message.useCases) this.#settle(useCase, error);
    } else super.receive(message);
  }

  protected override dropped(error: Error): void {
    super.dropped(error);
    this.state = { kind: 'broken', reason: error.message };
    for (const useCase of [...this.#commits.keys()]) this.#settle(useCase, error);
  }

  #settle(useCase: number, error: Error | undefined): void {
    const commit = this.#commits.get(useCase);
    this.#commits.delete(useCase);
    if (error) commit?.reject(error);
    else commit?.resolve();
  }
}

function cannotOpen(path: string, reason: string): PlatformError {
  return new PlatformError('storage/cannot-open', path, {
    message: `The database ${path} cannot be opened: ${reason}.`,
  });
}
