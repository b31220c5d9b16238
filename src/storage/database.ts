/** The one door to the database: SQLite in threads or PostgreSQL, the same SQL through Kysely. */
import type { Kysely } from 'kysely';

/** A reader or a transaction. Stores narrow it to their own tables: `db.withTables<RunTables>()`. */
// biome-ignore lint/complexity/noBannedTypes: Kysely writes "no tables yet" as {}; withTables adds a store's own.
export type Db = Kysely<{}>;

/** Open with `openDatabase`. */
export interface Database extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres';
  /** For queries outside a use case; sees everything that was acknowledged. */
  readonly read: Db;
  /**
   * Runs one use case in one transaction and resolves when its commit is durable. While `work` runs it awaits nothing but the
   * database: on SQLite it holds the only writer. Throwing rolls back this use case only.
   */
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>;
}
