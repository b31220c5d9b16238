/** The one door to the database: SQLite in threads or PostgreSQL, the same SQL through Kysely. */
import type { Kysely } from 'kysely';

/** A reader or a transaction. Stores narrow it to their own tables: `db.withTables<RunTables>()`. */
// biome-ignore lint/complexity/noBannedTypes: Kysely writes "no tables yet" as {}; withTables adds a store's own.
export type Db = Kysely<{}>;

/** `read-only`: the disk is full; writing goes on by itself when it is not. `broken`: only a restart helps. Reads go on in both. */
export type DatabaseState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'read-only' | 'broken'; readonly reason: string };

/** Open with `openDatabase`. */
export interface Database extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres';
  /** For queries outside a use case; sees everything that was acknowledged. One statement is one snapshot. */
  readonly read: Db;
  /**
   * Runs one use case in one transaction and resolves when its commit is durable. While `work` runs it awaits nothing but the
   * database: on SQLite it holds the only writer. Throwing rolls back this use case only. After a statement has failed, the
   * transaction can only roll back: expect conflicts with `onConflict`, or catch them outside of `write` (`isUniqueViolation`).
   * On PostgreSQL `work` may run again, up to three times more, when the database asks for it: it has no other effects.
   */
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  state(): DatabaseState;
  /** Calls back after each durable commit that has announced this topic (`announce(tx, topic)`). */
  onCommit(topic: string, listener: () => void): Disposable;
}
