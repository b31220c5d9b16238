/** The search over runs: the ids of one page first, then everything about those runs in a fixed number of queries. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { type Lifecycle, parseExperimentId } from './experiment.ts';
import type { Condition } from './filter-store.ts';
import { invalid } from './names.ts';
import type { Run } from './run.ts';
import { runDetails } from './run-details-store.ts';
import { type Reading, runCondition, runsNamedBy, withNameAsTag } from './run-filter-store.ts';
import { listOf, orderOfRuns, type Phase, phasesOf } from './run-phases-store.ts';
import { type Clause, readFilter, runVocabulary } from './search-clause.ts';
import type { Filter } from './search-grammar.ts';
import { type Order, parseOrder, refuseDuplicates } from './search-order.ts';

export type RunSearch = {
  readonly experimentIds: readonly string[];
  readonly filter?: string | undefined;
  readonly lifecycles: readonly Lifecycle[];
  /** What else holds of the runs, beyond the language of filters. */
  readonly within?: readonly Condition[];
  readonly orderBy?: readonly string[] | undefined;
  readonly offset: number;
  readonly limit: number;
};

/** @throws PlatformError `tracking/invalid-filter`, and `tracking/invalid` for an order that means nothing */
export async function searchRuns(
  db: Db,
  search: RunSearch,
  room: Room = { tried: 2_000, few: 500 },
): Promise<{ readonly runs: readonly Run[]; readonly more: boolean }> {
  const filter = readFilter(runVocabulary, search.filter);
  const orders = (search.orderBy ?? []).map((clause) => parseOrder(runVocabulary, clause));
  refuseDuplicates(orders, search.orderBy ?? []);
  const dataset = orders.find(({ entity }) => entity === 'dataset');
  if (dataset) throw invalid('order_by', "Invalid identifier type 'dataset'");
  const experiments = search.experimentIds.map(parseExperimentId);
  if (experiments.length === 0 || search.lifecycles.length === 0) return { runs: [], more: false };

  const searched = {
    db,
    experiments,
    orders,
    lifecycles: search.lifecycles,
    within: search.within ?? [],
    filter: filter && withNameAsTag(filter),
    page: { offset: search.offset, limit: search.limit + 1 },
  };
  const ids = (await pageOfBest(searched, room)) ?? (await pageOfFew(searched, room)) ?? (await pageOfAll(searched));
  return { runs: await runDetails(db, ids.slice(0, search.limit)), more: ids.length > search.limit };
}

/**
 * What holds of every run that is searched for; undefined when none can be.
 * @throws PlatformError `tracking/invalid-filter`
 */
export function matchConditions(
  db: Db,
  { experimentIds, filter: text, lifecycles, within = [] }: Omit<RunSearch, 'orderBy' | 'offset' | 'limit'>,
): readonly Condition[] | undefined {
  const experiments = experimentIds.map(parseExperimentId);
  const filter = readFilter(runVocabulary, text);
  if (experiments.length === 0 || lifecycles.length === 0) return undefined;
  const reader = { db, experiments, reading: 'set' } as const;
  const run = { runId: sql`runs.id`, direct: () => undefined };
  return [
    ...runsSearched({ db, experiments, lifecycles, within }, { indexed: true }),
    ...(filter ? [runCondition(reader, withNameAsTag(filter), run)] : []),
  ];
}

type Page = { readonly offset: number; readonly limit: number };

type Searched = {
  readonly db: Db;
  readonly experiments: readonly Int64[];
  readonly lifecycles: readonly Lifecycle[];
  readonly within: readonly Condition[];
  readonly orders: readonly Order[];
  readonly filter: Filter<Clause> | undefined;
  /** With one run more than is shown, to tell whether there is another page. */
  readonly page: Page;
};

// No index serves a filter and an order at once. Which of the two to start from depends on how many runs the filter finds, and
// that is cheapest found out by trying: first the best runs of the order one by one, then the runs that the filter names.

/** How many runs are looked at one by one, which takes about 10 ms, and how many are sorted. */
type Room = { readonly tried: number; readonly few: number };

/** The page when the first runs of the order are enough for it, else undefined. */
async function pageOfBest(searched: Searched, { tried }: Room): Promise<readonly string[] | undefined> {
  const { db, filter, page } = searched;
  const [phase] = phases(searched);
  if (!filter || !phase.walk || page.offset + page.limit > tried) return undefined;
  const { source, where, value, ascending } = phase.walk;
  const direct = partsOf(filter).flatMap((part) => (part.kind === 'is' ? (phase.direct(part.clause) ?? []) : []));
  const range = [...where, ...direct];
  const { rows } = await sql<{ value: unknown }>`select ${value} as value from ${source} where ${every(range)}
    order by ${value} ${ascending ? sql`asc` : sql`desc`} limit 1 offset ${tried}`.execute(db);
  const [end] = rows;
  if (!end) return undefined;
  // Runs that tie with the last value are not looked at: their order among each other is another one.
  const before = sql<SqlBool>`${value} ${ascending ? sql`<` : sql`>`} ${end.value}`;
  const ids = await idsOf(searched, phase, { reading: 'each', and: [before], page });
  return ids.length === page.limit ? ids : undefined;
}

/** The page when the filter names few runs, else undefined. */
async function pageOfFew(searched: Searched, { few }: Room): Promise<readonly string[] | undefined> {
  const { db, filter, orders, page } = searched;
  if (!filter) return undefined;
  const reader = { ...searched, reading: 'set' } as const;
  const sets = partsOf(filter)
    .flatMap((part) => runsNamedBy(reader, part) ?? [])
    .slice(0, mostSets);
  const sizes = sets.length > 1 ? await Promise.all(sets.map((set) => sizeUpTo(db, set, manyRuns))) : [0];
  const smallest = sets[sizes.indexOf(Math.min(...sizes))];
  if (!smallest) return undefined;
  const others = sets
    .filter((set) => set !== smallest)
    .map((set) => sql<SqlBool>`${unindexed(db, sql`named.run_id`)} in (${set})`);
  const { rows } = await sql<{ id: string }>`select distinct named.run_id as id from (${smallest}) as named
    ${others.length > 0 ? sql`where ${every(others)}` : sql``} limit ${few + 1}`.execute(db);
  if (rows.length > few) return undefined;
  if (rows.length === 0) return [];
  const among = {
    source: sql`runs`,
    where: [
      sql<SqlBool>`runs.id in (${sql.join(rows.map(({ id }) => id))})`,
      ...runsSearched(searched, { indexed: false }),
    ],
    order: orderOfRuns(orders),
    runId: sql`runs.id`,
    direct: () => undefined,
  };
  return idsOf(searched, among, { reading: 'each', page });
}

/** What further parts of the filter say is looked up for each run. */
const mostSets = 8;

/** The size of a set matters up to here only. */
const manyRuns = 20_000;

async function sizeUpTo(db: Db, set: RawBuilder<unknown>, end: number): Promise<number> {
  const query = sql<{
    n: number;
  }>`select count(*) as n from (select 1 as one from (${set}) as listed limit ${end}) as counted`;
  return Number((await query.execute(db)).rows[0]?.n ?? 0);
}

/** The page by walking through the whole order, with the sets that the filter names read beforehand. */
async function pageOfAll(searched: Searched): Promise<readonly string[]> {
  const { page } = searched;
  const ids: string[] = [];
  let { offset } = page;
  for (const phase of phases(searched)) {
    const part = await idsOf(searched, phase, { reading: 'set', page: { offset, limit: page.limit - ids.length } });
    ids.push(...part);
    if (ids.length >= page.limit) break;
    if (part.length > 0) offset = 0;
    else if (offset > 0) offset -= await sizeOf(searched, phase);
  }
  return ids;
}

type Reach = { readonly reading: Reading; readonly and?: readonly Condition[]; readonly page: Page };

async function idsOf(searched: Searched, phase: Phase, { reading, and = [], page }: Reach): Promise<readonly string[]> {
  const query = sql<{ id: string }>`select runs.id as id from ${phase.source}
    where ${every([...phase.where, ...and, ...filterOf(searched, phase, reading)])}
    order by ${sql.join(phase.order)} limit ${page.limit} offset ${page.offset}`;
  return (await query.execute(searched.db)).rows.map(({ id }) => id);
}

async function sizeOf(searched: Searched, phase: Phase): Promise<number> {
  const query = sql<{ n: number }>`select count(*) as n from ${phase.source}
    where ${every([...phase.where, ...filterOf(searched, phase, 'set')])}`;
  return Number((await query.execute(searched.db)).rows[0]?.n ?? 0);
}

const filterOf = ({ db, experiments, filter }: Searched, phase: Phase, reading: Reading): readonly Condition[] =>
  filter ? [runCondition({ db, experiments, reading }, filter, phase)] : [];

const phases = (searched: Searched) => phasesOf({ ...searched, searched: runsSearched(searched, { indexed: true }) });

function runsSearched(
  { db, experiments, lifecycles, within }: Omit<Searched, 'orders' | 'filter' | 'page'>,
  { indexed }: { readonly indexed: boolean },
): readonly Condition[] {
  const column = (name: RawBuilder<unknown>) => (indexed ? name : unindexed(db, name));
  return [
    sql<SqlBool>`${column(sql`runs.experiment_id`)} in (${listOf(db, experiments)})`,
    sql<SqlBool>`${column(sql`runs.lifecycle`)} in (${sql.join(lifecycles)})`,
    ...within,
  ];
}

/** Keeps SQLite, which has no statistics here, from starting at this column; PostgreSQL has some and knows better. */
const unindexed = (db: Db, column: RawBuilder<unknown>) => (isPostgres(db) ? column : sql`+${column}`);

/** What must all hold. */
const partsOf = <C>(filter: Filter<C>): readonly Filter<C>[] =>
  filter.kind === 'all' ? filter.of.flatMap(partsOf) : [filter];

export const every = (conditions: readonly Condition[]) =>
  sql`${sql.join(
    conditions.map((condition) => sql`(${condition})`),
    sql` and `,
  )}`;
