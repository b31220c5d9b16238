/** Kysely's two ways into the SQLite threads: readers answer single statements, the writer runs use cases. */
import { type CompiledQuery, type DatabaseConnection, type Driver, InsertQueryNode, type QueryResult } from 'kysely';
import { brokenError, readOnlyError, refuseNul } from './database-error.ts';
import type { Lease } from './lease.ts';
import type { SqlResult, SqlValue } from './sqlite-protocol.ts';
import type { ReaderThread, Statement, WriterThread } from './sqlite-threads.ts';

/** Every statement goes to the reader with the least to do and has its own snapshot, so there are no read transactions. */
export function readerDriver(readers: readonly ReaderThread[]): Driver {
  const idlest = () => readers.reduce((best, reader) => (reader.load < best.load ? reader : best));
  const connection: DatabaseConnection = {
    executeQuery: async <R>(query: CompiledQuery) => resultOf<R>(query, await idlest().run(statementOf(query))),
    streamQuery: refuseToStream,
  };
  return {
    ...nothingToDo,
    acquireConnection: async () => connection,
    beginTransaction: async () => {
      throw new Error('read has no transactions: use one statement, or database.write');
    },
    commitTransaction: async () => {},
    rollbackTransaction: async () => {},
  };
}

/** @param idleLimitMs a use case that sends no statement for so long waits for something else, perhaps for a `write` inside itself */
export function writerDriver(thread: WriterThread, lease: Lease, idleLimitMs: number): Driver {
  let lastUseCase = 0;
  const useCases = new WeakMap<DatabaseConnection, UseCase>();
  const useCaseOf = (connection: DatabaseConnection): UseCase => useCases.get(connection)!; // made in acquireConnection
  return {
    ...nothingToDo,
    acquireConnection: async () => {
      lastUseCase += 1;
      const useCase = new UseCase({ thread, lease, id: lastUseCase, idleLimitMs });
      const connection: DatabaseConnection = {
        executeQuery: async <R>(query: CompiledQuery) => resultOf<R>(query, await useCase.run(statementOf(query))),
        streamQuery: refuseToStream,
      };
      useCases.set(connection, useCase);
      return connection;
    },
    beginTransaction: async () => {},
    commitTransaction: (connection) => useCaseOf(connection).commit(),
    rollbackTransaction: (connection) => useCaseOf(connection).rollback(),
  };
}

/** Holds the writer from its first statement to its end. */
class UseCase {
  readonly #thread: WriterThread;
  readonly #lease: Lease;
  readonly #id: number;
  readonly #idleLimitMs: number;
  #leased: Promise<void> | undefined;
  #idle: NodeJS.Timeout | undefined;
  #running = 0;
  #failure: unknown;
  #isOver = false;

  constructor(options: { thread: WriterThread; lease: Lease; id: number; idleLimitMs: number }) {
    this.#thread = options.thread;
    this.#lease = options.lease;
    this.#id = options.id;
    this.#idleLimitMs = options.idleLimitMs;
  }

  async run(statement: Statement): Promise<SqlResult> {
    this.#leased ??= this.#takeLease();
    await this.#leased;
    // PostgreSQL ends a transaction at its first error; SQLite would go on, and hide that a use case relies on it.
    if (this.#failure !== undefined) throw new Error('this transaction has failed', { cause: this.#failure });
    if (this.#isOver) throw new Error('this transaction is over: a statement was not awaited');
    this.#running += 1;
    try {
      refuseWhenNotWritable(this.#thread);
      return await this.#thread.run(this.#id, statement);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      this.#running -= 1;
      this.#idle?.refresh();
    }
  }

  async commit(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure; // Kysely then calls rollback
    this.#isOver = true;
    if (!this.#leased) return;
    clearTimeout(this.#idle);
    const committed = this.#thread.release(this.#id, { waiting: this.#lease.waiting() });
    this.#lease.giveBack();
    await committed;
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return; // the COMMIT failed and has rolled back
    this.#isOver = true;
    if (!this.#leased) return;
    await this.#leased;
    clearTimeout(this.#idle);
    this.#thread.rollback(this.#id, { waiting: this.#lease.waiting() });
    this.#lease.giveBack();
  }

  async #takeLease(): Promise<void> {
    await this.#lease.acquire();
    this.#idle = setTimeout(() => this.#giveUp(), this.#idleLimitMs);
  }

  #giveUp(): void {
    if (this.#running > 0) {
      this.#idle?.refresh();
      return;
    }
    this.#failure = new Error(
      'the transaction did nothing for 5 s: inside write, await nothing but its own statements',
    );
    void this.rollback();
  }
}

function refuseWhenNotWritable({ state }: WriterThread): void {
  if (state.kind === 'read-only') throw readOnlyError(state.reason);
  if (state.kind === 'broken') throw brokenError(state.reason);
}

const nothingToDo = {
  init: async () => {},
  releaseConnection: async () => {},
  destroy: async () => {},
};

function statementOf({ sql, parameters }: CompiledQuery): Statement {
  const numbers = parameters.length >= 20 && parameters.every((value) => typeof value === 'number');
  if (numbers) return { sql, parameters: new Float64Array(parameters as readonly number[]) }; // as was just seen
  refuseNul(parameters);
  return { sql, parameters };
}

function resultOf<R>({ query }: CompiledQuery, { columns, rows, changes, insertId }: SqlResult): QueryResult<R> {
  const named = rows.map((row) => {
    const object: Record<string, SqlValue> = {};
    for (let at = 0; at < columns.length; at += 1) object[columns[at] as string] = row[at] as SqlValue; // within both
    return object;
  });
  return {
    rows: named as R[], // Kysely knows the type from the query
    ...(changes !== undefined && { numAffectedRows: BigInt(changes) }),
    ...(insertId !== undefined && InsertQueryNode.is(query) && { insertId: BigInt(insertId) }),
  };
}

function refuseToStream(): never {
  throw new Error('statements are not streamed: read pages with a limit and a cursor');
}
