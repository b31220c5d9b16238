/** What the databases complain about, in words that are the same for SQLite and PostgreSQL. */
import { PlatformError } from '../errors.ts';

export type Constraint = 'unique' | 'foreign-key' | 'not-null' | 'check';

/** A constraint said no. The transaction is over: on both databases nothing more can be done in it. */
export class ConstraintError extends Error {
  readonly constraint: Constraint;
  readonly table: string | undefined;

  constructor(constraint: Constraint, table: string | undefined, cause: { readonly message: string }) {
    super(cause.message, { cause });
    this.name = 'ConstraintError';
    this.constraint = constraint;
    this.table = table;
  }
}

/** @param table only a violation in this table */
export function isUniqueViolation(error: unknown, table?: string): error is ConstraintError {
  return isViolation(error, 'unique', table);
}

/** A row refers to one that is not there, or that is still referred to. SQLite does not say in which table. */
export function isForeignKeyViolation(error: unknown): error is ConstraintError {
  return isViolation(error, 'foreign-key', undefined);
}

function isViolation(error: unknown, constraint: Constraint, table: string | undefined): error is ConstraintError {
  if (!(error instanceof ConstraintError) || error.constraint !== constraint) return false;
  return table === undefined || error.table === table;
}

export function readOnlyError(cause: unknown): PlatformError {
  return new PlatformError('storage/read-only', 'the database', {
    hint: 'Free space on the disk of the data folder; writing goes on by itself.',
    cause,
  });
}

export function brokenError(cause: unknown): PlatformError {
  return new PlatformError('storage/broken', 'the database', {
    hint: 'Restart the server, then run `rondo audit verify`.',
    cause,
  });
}

/** NUL is text to SQLite and an error to PostgreSQL; here it is an error on both. */
export function refuseNul(parameters: readonly unknown[]): void {
  for (const value of parameters) {
    if (Array.isArray(value)) refuseNul(value);
    if (typeof value === 'string' && value.includes('\0')) throw new PlatformError('storage/nul-in-text', 'a text');
  }
}
