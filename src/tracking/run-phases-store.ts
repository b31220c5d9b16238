/** How a search over runs is ordered: in parts that each have an index to walk. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Int64 } from '../storage/int64.ts';
import type { Condition } from './filter-store.ts';
import type { Order } from './search-order.ts';

/**
 * One part of an ordered search. Runs that have the first order key come before those that lack it, so each part is a query of its
 * own: the first walks the key's index and stops after a page, where one query over both would sort every run there is.
 */
export type Phase = {
  readonly source: RawBuilder<unknown>;
  readonly where: readonly Condition[];
  readonly order: readonly RawBuilder<unknown>[];
};

/** The parts of an order, one after the other. Values first, then NaN, then runs without the key, in both directions. */
export function phasesOf(orders: readonly Order[], experiments: readonly Int64[]): readonly Phase[] {
  const [first, ...others] = orders;
  const rest = [...others.flatMap(orderBy), sql`runs.start_time desc`, sql`runs.id`];
  if (!first || first.entity === 'attribute') {
    return [{ source: sql`runs`, where: [], order: first ? [...orderBy(first), ...rest] : rest }];
  }
  const table = sql.table(tables[first.entity]);
  const value = first.ascending ? sql`first.value` : sql`first.value desc`;
  // CROSS JOIN fixes SQLite's loops: the index of the values outside, each run looked up by its id.
  const source = sql`${table} as first cross join runs`;
  const having = sql<SqlBool>`first.run_id = runs.id and first.key = ${first.key}`;
  const lacking: Phase = {
    source: sql`runs`,
    where: [sql<SqlBool>`not exists (select 1 from ${table} as first where ${having})`],
    order: rest,
  };
  if (first.entity !== 'metric') return [{ source, where: [having], order: [value, ...rest] }, lacking];
  const inExperiments = sql<SqlBool>`first.experiment_id in (${sql.join(experiments)})`;
  const number = sql<SqlBool>`first.is_nan = 0`;
  const notANumber = sql<SqlBool>`first.is_nan = 1`;
  return [
    { source, where: [having, inExperiments, number], order: [value, ...rest] },
    { source, where: [having, inExperiments, notANumber], order: rest },
    lacking,
  ];
}

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
