/** What the main thread and the SQLite threads say to each other. */

export type SqlValue = null | number | bigint | string | Uint8Array;

/** An answer to a statement; `changes` and `insertId` where the statement returns no rows. */
export type SqlResult = {
  /** Rows are lists: with the names in each of them they take twice as long to read and to cross. */
  readonly columns: readonly string[];
  readonly rows: readonly SqlValue[][];
  readonly changes?: number;
  readonly insertId?: number | bigint;
};

/** An error of SQLite as it crosses threads: `code` is the extended result code, 0 where SQLite was not the one who complained. */
export type SqlFailure = { readonly code: number; readonly message: string };

/** Where all of them are numbers they cross as one block of memory: thousands of values take longer to copy one by one than to insert. */
export type Parameters = readonly unknown[] | Float64Array;

export type ThreadOptions = { readonly path: string };

export type ToReader =
  | { readonly kind: 'run'; readonly id: number; readonly sql: string; readonly parameters: Parameters }
  | { readonly kind: 'close' };

export type FromReader =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly failure: SqlFailure }
  | { readonly kind: 'done'; readonly id: number; readonly result: SqlResult }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: SqlFailure };

/** `useCase` numbers grow; the first `run` of a number opens its savepoint. `waiting`: another use case wants the writer. */
export type ToWriter =
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly useCase: number;
      readonly sql: string;
      readonly parameters: Parameters;
    }
  | { readonly kind: 'release'; readonly useCase: number; readonly waiting: boolean }
  | { readonly kind: 'rollback'; readonly useCase: number; readonly waiting: boolean }
  | { readonly kind: 'close' };

/** `read-only`: the disk is full, and the thread says `ready` when it is not. `broken`: only a restart helps. */
export type WriterState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'read-only' | 'broken'; readonly reason: string };

export type FromWriter =
  | FromReader
  | { readonly kind: 'committed'; readonly useCases: readonly number[] }
  | { readonly kind: 'lost'; readonly useCases: readonly number[]; readonly failure: SqlFailure }
  | { readonly kind: 'state'; readonly state: WriterState };
