/** SQLite's result codes as the errors of `database-error.ts`. */
import { brokenError, type Constraint, ConstraintError, readOnlyError } from './database-error.ts';
import type { SqlFailure } from './sqlite-protocol.ts';

export function sqliteError(failure: SqlFailure): Error {
  const constraint = constraints[failure.code];
  if (constraint) return new ConstraintError(constraint, tableOf(failure.message), failure);
  switch (failure.code & 0xff) {
    case 13:
      return readOnlyError(failure);
    case 10:
    case 11:
    case 26:
      return brokenError(failure);
    default:
      return new Error(failure.message, { cause: failure });
  }
}

/** Extended codes: https://sqlite.org/rescode.html */
const constraints: Readonly<Record<number, Constraint>> = {
  275: 'check',
  787: 'foreign-key',
  1299: 'not-null',
  1555: 'unique', // primary key
  2067: 'unique',
  2579: 'unique', // rowid
};

/** From 'UNIQUE constraint failed: users.name, users.project'. */
function tableOf(message: string): string | undefined {
  return message.match(/constraint failed: (\w+)\./)?.[1];
}
