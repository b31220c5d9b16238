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
  /** What holds of the runs of these experiments, which are all that are searched or some of them. */
  readonly where: (experiments: readonly Int64[]) => readonly Condition[];
  readonly order: readonly Term[];
  /** The id of a run, where it is known first: before the run itself has been looked up. */
  readonly runId: RawBuilder<unknown>;
  /** What a clause about the order key itself comes to here; undefined for any other clause. */
  readonly direct: (clause: Clause) => Condition | undefined;
  /** Whether the index has a stretch for each experiment, so that only the runs of one come in order. */
  readonly byExperiment?: boolean;
  /** The index that is walked. */
  readonly walk?: {
    readonly source: RawBuilder<unknown>;
    readonly where: (experiments: readonly Int64[]) => readonly Condition[];
    readonly term: Term;
  };
};

export type Term = { readonly by: RawBuilder<unknown>; readonly ascending: boolean };

export type Scope = {
  readonly db: Db;
  readonly orders: readonly Order[];
  /** What holds for every run that is searched. */
  readonly searched: readonly Condition[];
};

/** The parts of an order, one after the other. Values first, then NaN, then runs without the key, in both directions. */
export function phasesOf({ db, orders, searched }: Scope): readonly [Phase, ...Phase[]] {
  const [first, ...others] = orders;
  const rest = [...others.flatMap((order) => orderBy(order)), ...ties];
  if (!first || first.entity === 'attribute') return runPhases(db, searched, { first, rest });

  const isMetric = first.entity === 'metric';
  const table = sql.table(tables[first.entity]);
  const having = sql<SqlBool>`first.run_id = runs.id and first.key = ${first.key}`;
  const isAboutKey = (clause: Clause) => clause.entity === first.entity && clause.key === first.key;
  const inIndex =
    (...more: readonly Condition[]) =>
    (experiments: readonly Int64[]): readonly Condition[] => [
      sql<SqlBool>`first.key = ${first.key}`,
      ...(isMetric ? [sql<SqlBool>`first.experiment_id in (${listOf(db, experiments)})`] : []),
      ...more,
    ];
  const part = (where: Phase['where'], order: readonly Term[]) => ({
    // CROSS JOIN fixes SQLite's loops: the index of the values outside, each run looked up by its id.
    source: sql`${table} as first cross join runs`,
    where: (experiments: readonly Int64[]) => [...where(experiments), having, ...searched],
    order: [...order, ...rest],
    runId: sql`first.run_id`,
    direct: (clause: Clause) =>
      isAboutKey(clause) ? (isMetric ? metricMatches : textMatches)(db, clause, 'first') : undefined,
  });
  const numbers = isMetric ? inIndex(sql<SqlBool>`first.is_nan = 0`) : inIndex();
  const term = { by: sql`first.value`, ascending: first.ascending };
  const walk = { source: sql`${table} as first`, where: numbers, term };
  const valued: Phase = { ...part(numbers, [term]), byExperiment: isMetric, walk };
  const lacking: Phase = {
    source: sql`runs`,
    where: () => [...searched, sql<SqlBool>`not exists (select 1 from ${table} as first where ${having})`],
    order: rest,
    runId: sql`runs.id`,
    direct: (clause) => (isAboutKey(clause) ? (clause.comparator === 'IS NULL' ? always : never) : undefined),
  };
  return isMetric ? [valued, part(inIndex(sql<SqlBool>`first.is_nan = 1`), []), lacking] : [valued, lacking];
}

/** The parts of an order by an attribute, or by none. Runs that go on have no end, and come last. */
function runPhases(
  db: Db,
  searched: readonly Condition[],
  { first, rest }: { readonly first: Order | undefined; readonly rest: readonly Term[] },
): readonly [Phase, ...Phase[]] {
  const { key, ascending } = first ?? { key: 'start_time', ascending: false };
  const term = { by: attributeColumns[key] ?? sql`runs.start_time`, ascending };
  const runs = { source: sql`runs`, runId: sql`runs.id`, direct: () => undefined }; // a condition on a column stands as it is
  if (key === 'end_time') {
    const ended = () => [...searched, sql<SqlBool>`runs.end_time is not null`];
    const going = () => [...searched, sql<SqlBool>`runs.end_time is null`];
    return [
      { ...runs, where: ended, order: [term, ...rest], walk: { source: runs.source, where: ended, term } },
      { ...runs, where: going, order: rest },
    ];
  }
  const where = () => searched;
  const isIndexed = key === 'start_time' || (key === 'run_name' && !isPostgres(db));
  return [
    {
      ...runs,
      where,
      order: first ? [term, ...rest] : rest,
      ...(isIndexed && { walk: { source: runs.source, where, term } }),
    },
  ];
}

/** What stands in an IN. Many experiments, times many clauses, would be more parameters than a statement takes. */
export const listOf = (db: Db, experiments: readonly Int64[]): RawBuilder<unknown> => {
  if (experiments.length <= 20) return sql.join(experiments);
  return isPostgres(db)
    ? sql`select unnest(${`{${experiments.join(',')}}`}::bigint[])`
    : sql`select value from json_each(${`[${experiments.join(',')}]`})`;
};

/** What stands in an IN, as one parameter, however many there are. */
export const textsOf = (db: Db, texts: readonly string[]): RawBuilder<unknown> =>
  isPostgres(db)
    ? sql`select unnest(${[...texts]}::text[])`
    : sql`select value from json_each(${JSON.stringify(texts)})`;

/** All runs, and their whole order as terms of one query: for when there are few to sort. */
export function sortedRuns(orders: readonly Order[]): Omit<Phase, 'where'> {
  const joined = orders.map(({ entity, key }, place) => {
    const row = `order${place}`;
    const of = sql`${sql.ref(`${row}.run_id`)} = runs.id and ${sql.ref(`${row}.key`)} = ${key}`;
    return entity === 'attribute' ? sql`` : sql`left join ${sql.table(tables[entity])} as ${sql.ref(row)} on ${of}`;
  });
  return {
    source: sql`runs ${sql.join(joined, sql` `)}`,
    order: [...orders.flatMap((order, place) => orderBy(order, `order${place}`)), ...ties],
    runId: sql`runs.id`,
    direct: () => undefined,
  };
}

const always = sql<SqlBool>`1 = 1`;
const never = sql<SqlBool>`1 = 0`;

const ties: readonly Term[] = [
  { by: sql`runs.start_time`, ascending: false },
  { by: sql`runs.id`, ascending: true },
];

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

/** Order terms that need no part of their own. @param joined the name of the joined row of the key; without, it is looked up */
function orderBy({ entity, key, ascending }: Order, joined?: string): readonly Term[] {
  if (entity === 'attribute') {
    const by = attributeColumns[key] ?? sql`runs.start_time`;
    const nullable =
      key === 'end_time' ? [{ by: sql`case when ${by} is null then 1 else 0 end`, ascending: true }] : [];
    return [...nullable, { by, ascending }];
  }
  const lookUp = (column: string) =>
    sql`(select ${sql.ref(`other.${column}`)} from ${sql.table(tables[entity])} as other
      where other.run_id = runs.id and other.key = ${key})`;
  const of = joined === undefined ? lookUp : (column: string) => sql.ref(`${joined}.${column}`);
  const isThere = sql`case when ${of('run_id')} is null then 2 else 0 end`;
  return [
    { by: entity === 'metric' ? sql`coalesce(${of('is_nan')}, 2)` : isThere, ascending: true },
    { by: of('value'), ascending },
  ];
}
