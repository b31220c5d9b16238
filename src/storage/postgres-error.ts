/** PostgreSQL's error codes as the errors of `database-error.ts`. */
import type { CompiledQuery, DatabaseConnection, Dialect, Driver } from 'kysely';
import { PlatformError } from '../errors.ts';
import { type Constraint, ConstraintError, refuseNul } from './database-error.ts';

/** A serialisation failure or a deadlock: the same transaction, run again, may well succeed. */
export function isRetryable(error: unknown): boolean {
  const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
  return code === '40001' || code === '40P01';
}

/** The dialect, with errors that stores can recognise on both databases. */
export function explainingErrors(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => explainingDriver(dialect.createDriver()),
  };
}

function explainingDriver(driver: Driver): Driver {
  const known = new WeakSet<DatabaseConnection>();
  return new Proxy(driver, {
    get: (target, name) => {
      if (name === 'acquireConnection') {
        return async () => {
          const connection = await target.acquireConnection().catch((error: unknown) => {
            throw postgresError(error);
          });
          if (!known.has(connection)) {
            known.add(connection);
            explain(connection);
          }
          return connection;
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function explain(connection: DatabaseConnection): void {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async <R>(query: CompiledQuery) => {
    refuseNul(query.parameters);
    try {
      return await execute<R>(query);
    } catch (error) {
      throw postgresError(error);
    }
  };
}

export function postgresError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  const constraint = constraints[code];
  if (constraint) return new ConstraintError(constraint, tableOf(error), error);
  if (unreachable.test(code)) return new PlatformError('storage/unreachable', 'PostgreSQL', { cause: error });
  return error;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function tableOf(error: Error): string | undefined {
  return 'table' in error && typeof error.table === 'string' ? error.table : undefined;
}

const constraints: Readonly<Record<string, Constraint>> = {
  '23502': 'not-null',
  '23503': 'foreign-key',
  '23505': 'unique',
  '23514': 'check',
};

/** Connection exceptions, a server that shuts down or is full, and the network's own. */
const unreachable = /^(08...|57P0[123]|53300|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE)$/;
