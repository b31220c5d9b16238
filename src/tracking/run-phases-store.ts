/** How a search over runs is ordered: in parts that each have an index to walk. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { type Condition, compare } from './filter-store.ts';
import type { Clause } from './search-clause.ts';
import type { Order } from './search-order.ts';

/**
 * One part of an ordered search. Runs that have the first order key come before those that lack it, so each part is a query of its
 * own: the first walks the key's index and stops after a page, where one query over both would sort every run there is.
 */
export type Phase = {
  readonly source: RawBuilder<unknown>;
  readonly where: readonly Condition[];
  readonly order: readonly RawBuilder<unknown>[];
  /** The id of a run, where it is known first: before the run itself has been looked up. */
  readonly runId: RawBuilder<unknown>;
  /** What a clause about the order key itself comes to here; undefined for any other clause. */
  readonly direct: (clause: Clause) => Condition | undefined;
  /** The index that is walked. */
  readonly walk?: {
    readonly source: RawBuilder<unknown>;
    readonly where: readonly Condition[];
    readonly value: RawBuilder<unknown>;
    readonly ascending: boolean;
  };
};

export type Scope = {
  readonly db: Db;
  readonly orders: readonly Order[];
  readonly experiments: readonly Int64[];
  /** What holds for every run that is searched. */
  readonly searched: readonly Condition[];
};

/** The parts of an order, one after the other. Values first, then NaN, then runs without the key, in both directions. */
export function phasesOf({ db, orders, experiments, searched }: Scope): readonly [Phase, ...Phase[]] {
  const [first, ...others] = orders;
  const rest = [...others.flatMap(orderBy), ...ties];
  if (!first || first.entity === 'attribute') {
    const { key, ascending } = first ?? { key: 'start_time', ascending: false };
    const runs = { source: sql`runs`, where: searched };
    const value = attributeColumns[key] ?? sql`runs.start_time`;
    return [
      {
        ...runs,
        order: first ? [...orderBy(first), ...rest] : rest,
        runId: sql`runs.id`,
        direct: () => undefined, // it is a condition on a column of the runs as it stands
        ...(key === 'start_time' && { walk: { ...runs, value, ascending } }),
      },
    ];
  }

  const isMetric = first.entity === 'metric';
  const table = sql.table(tables[first.entity]);
  const having = sql<SqlBool>`first.run_id = runs.id and first.key = ${first.key}`;
  const isAboutKey = (clause: Clause) => clause.entity === first.entity && clause.key === first.key;
  const part = (where: readonly Condition[], order: readonly RawBuilder<unknown>[]) => ({
    // CROSS JOIN fixes SQLite's loops: the index of the values outside, each run looked up by its id.
    source: sql`${table} as first cross join runs`,
    where: [...where, having, ...searched],
    order: [...order, ...rest],
    runId: sql`first.run_id`,
    direct: (clause: Clause) =>
      isAboutKey(clause) ? (isMetric ? metricMatches : textMatches)(db, clause, 'first') : undefined,
  });
  const inIndex = [
    sql<SqlBool>`first.key = ${first.key}`,
    ...(isMetric ? [sql<SqlBool>`first.experiment_id in (${listOf(db, experiments)})`] : []),
  ];
  const numbers = isMetric ? [...inIndex, sql<SqlBool>`first.is_nan = 0`] : inIndex;
  const walk = {
    source: sql`${table} as first`,
    where: numbers,
    value: sql`first.value`,
    ascending: first.ascending,
  };
  const valued: Phase = { ...part(numbers, [first.ascending ? sql`first.value` : sql`first.value desc`]), walk };
  const lacking: Phase = {
    source: sql`runs`,
    where: [...searched, sql<SqlBool>`not exists (select 1 from ${table} as first where ${having})`],
    order: rest,
    runId: sql`runs.id`,
    direct: (clause) => (isAboutKey(clause) ? (clause.comparator === 'IS NULL' ? always : never) : undefined),
  };
  return isMetric ? [valued, part([...inIndex, sql<SqlBool>`first.is_nan = 1`], []), lacking] : [valued, lacking];
}

/** What stands in an IN. Many experiments, times many clauses, would be more parameters than a statement takes. */
export const listOf = (db: Db, experiments: readonly Int64[]): RawBuilder<unknown> => {
  if (experiments.length <= 20) return sql.join(experiments);
  return isPostgres(db)
    ? sql`select unnest(${`{${experiments.join(',')}}`}::bigint[])`
    : sql`select value from json_each(${`[${experiments.join(',')}]`})`;
};

/** The whole order as terms of one query, for when there are few runs to sort. */
export const orderOfRuns = (orders: readonly Order[]): readonly RawBuilder<unknown>[] => [
  ...orders.flatMap(orderBy),
  ...ties,
];

const always = sql<SqlBool>`1 = 1`;
const never = sql<SqlBool>`1 = 0`;

const ties = [sql`runs.start_time desc`, sql`runs.id`];

const tables = {
  metric: 'metric_series',
  parameter: 'run_params',
  tag: 'run_tags',
  dataset: 'logged_datasets',
} as const;

export const attributeColumns: Readonly<Record<string, RawBuilder<unknown>>> = {
  run_id: sql`runs.id`,
  run_name: sql`runs.name`,
  status: sql`runs.status`,
  user_id: sql`runs.user_id`,
  artifact_uri: sql`runs.artifact_uri`,
  start_time: sql`runs.start_time`,
  end_time: sql`runs.end_time`,
};

/** NaN is different from every number and in no other relation to one. */
export function metricMatches(db: Db, { comparator, value }: Clause, table: string): Condition {
  const found = compare(db, sql.ref(`${table}.value`), comparator, value);
  const isNan = sql.ref(`${table}.is_nan`);
  return comparator === '!=' || comparator === 'NOT IN'
    ? sql<SqlBool>`(${isNan} = 1 or ${found})`
    : sql<SqlBool>`(${isNan} = 0 and ${found})`;
}

/** Whether a row of parameters or tags is as the clause wants; that it is there is enough for IS NOT NULL. */
export const textMatches = (db: Db, { comparator, value }: Clause, table: string): Condition =>
  compare(db, sql.ref(`${table}.value`), comparator, value);

/** Order terms that need no part of their own. */
function orderBy({ entity, key, ascending }: Order): readonly RawBuilder<unknown>[] {
  const direction = ascending ? sql`asc` : sql`desc`;
  if (entity === 'attribute') {
    const column = attributeColumns[key] ?? sql`runs.start_time`;
    const nullable = key === 'end_time' ? [sql`case when ${column} is null then 1 else 0 end`] : [];
    return [...nullable, sql`${column} ${direction}`];
  }
  const table = sql.table(tables[entity]);
  const of = (column: RawBuilder<unknown>) =>
    sql`(select ${column} from ${table} as other where other.run_id = runs.id and other.key = ${key})`;
  const rank = sql`coalesce(${of(entity === 'metric' ? sql`other.is_nan` : sql`0`)}, 2)`;
  return [rank, sql`${of(sql`other.value`)} ${direction}`];
}
