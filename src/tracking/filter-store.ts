/** Clauses of a filter as SQL conditions, the same on both databases. Reused by every search over tagged things. */
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import type { Clause } from './search-clause.ts';
import type { Comparator, Filter } from './search-grammar.ts';

export type Condition = Expression<SqlBool>;

/** A filter tree as one condition. */
export function conditionOf<C>(filter: Filter<C>, leaf: (clause: C) => Condition): Condition {
  switch (filter.kind) {
    case 'is':
      return leaf(filter.clause);
    case 'not':
      // Of a missing value a comparison says neither yes nor no; NOT takes that for a no.
      return sql<SqlBool>`(${conditionOf(filter.of, leaf)}) is not true`;
    case 'all':
    case 'any': {
      const parts = filter.of.map((part) => sql`(${conditionOf(part, leaf)})`);
      return sql<SqlBool>`${sql.join(parts, filter.kind === 'all' ? sql` and ` : sql` or `)}`;
    }
  }
}

/** `column <comparator> value`; LIKE tells capitals apart, ILIKE does not. */
export function compare(
  db: Db,
  column: RawBuilder<unknown>,
  comparator: Comparator,
  value: Clause['value'],
): Condition {
  switch (comparator) {
    case '=':
    case '!=':
    case '>':
    case '>=':
    case '<':
    case '<=':
      return sql<SqlBool>`${column} ${sql.raw(comparator)} ${value}`;
    case 'LIKE':
      // SQLite's own LIKE ignores case; GLOB does not.
      return isPostgres(db)
        ? sql<SqlBool>`${column} like ${value} escape ''`
        : sql<SqlBool>`${column} glob ${globOf(String(value))}`;
    case 'ILIKE':
      return isPostgres(db)
        ? sql<SqlBool>`lower(${column}) like lower(${value}) escape ''`
        : sql<SqlBool>`lower(${column}) like lower(${value})`;
    case 'IN':
    case 'NOT IN': {
      const items = Array.isArray(value) ? value : [value];
      return sql<SqlBool>`${column} ${sql.raw(comparator)} (${sql.join(items)})`;
    }
    case 'IS NULL':
    case 'IS NOT NULL':
      return sql<SqlBool>`${column} ${sql.raw(comparator)}`;
  }
}

/**
 * A condition on one key of a key-value table: true for owners that have the key with such a value. As everywhere in MLflow,
 * `!=` holds only for owners that have the key at all.
 * @param place `owner` is the id in the outer query, `owned` the same id in the table
 */
export function compareKeyed(
  db: Db,
  clause: Clause,
  place: { readonly table: string; readonly owned: RawBuilder<unknown>; readonly owner: RawBuilder<unknown> },
): Condition {
  const { table, owned, owner } = place;
  const having = sql`select ${owned} from ${sql.table(table)} where ${sql.ref(`${table}.key`)} = ${clause.key}`;
  if (clause.comparator === 'IS NULL') return sql<SqlBool>`${owner} not in (${having})`;
  if (clause.comparator === 'IS NOT NULL') return sql<SqlBool>`${owner} in (${having})`;
  const matches = compare(db, sql.ref(`${table}.value`), clause.comparator, clause.value);
  return sql<SqlBool>`${owner} in (${having} and ${matches})`;
}

/** LIKE's wildcards in the language of GLOB. */
export const globOf = (pattern: string): string =>
  pattern
    .replace(/[*?[\]]/g, (special) => `[${special}]`)
    .replaceAll('%', '*')
    .replaceAll('_', '?');
