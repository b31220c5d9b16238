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
import { listOf, type Phase, phasesOf, sortedRuns, type Term, textsOf } from './run-phases-store.ts';
import { type Clause, readFilter, runVocabulary } from './search-clause.ts';
import { clausesOf, type Filter } from './search-grammar.ts';
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
  const ids =
    (await pageOfSmall(searched, room)) ??
    (await pageOfBest(searched, room)) ??
    (await pageOfFew(searched, room)) ??
    (await pageOfAll(searched));
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

/** The page when few runs are searched at all, else undefined: the indexes of params and tags are of all experiments. */
async function pageOfSmall(searched: Searched, { tried }: Room): Promise<readonly string[] | undefined> {
  const { db, filter, orders, page } = searched;
  const [first] = orders;
  if (!filter && (!first || first.entity === 'attribute' || first.entity === 'metric')) return undefined;
  const scope = runsSearched({ ...searched, within: [] }, { indexed: true });
  const { rows } = await sql<unknown>`select 1 from runs where ${every(scope)} limit 1 offset ${tried}`.execute(db);
  if (rows.length > 0) return undefined;
  const where = () => runsSearched(searched, { indexed: true });
  return idsOf(searched, { ...sortedRuns(orders), where }, { reading: 'each', page });
}

/** The page when the first runs of the order are enough for it, else undefined. */
async function pageOfBest(searched: Searched, { tried }: Room): Promise<readonly string[] | undefined> {
  const { filter, page } = searched;
  const [phase] = phases(searched);
  const { walk, byExperiment = false } = phase;
  const sought = page.offset + page.limit;
  if (!filter || !walk || sought > tried) return undefined;
  const direct = partsOf(filter).flatMap((part) => (part.kind === 'is' ? (phase.direct(part.clause) ?? []) : []));

  const valueAt = async (place: number): Promise<unknown> => {
    const { rows } = await inOrder<{ by0: unknown }>(searched, {
      source: walk.source,
      where: (experiments) => [...walk.where(experiments), ...direct],
      order: [walk.term],
      isSplit: byExperiment,
      page: { offset: place, limit: 1 },
    }).execute(searched.db);
    return rows[0]?.by0;
  };
  // Runs that tie with the value at the end are not looked at: their order among each other is another one.
  const idsBefore = (value: unknown, page: Page): Promise<readonly string[]> => {
    const before = sql<SqlBool>`${walk.term.by} ${walk.term.ascending ? sql`<` : sql`>`} ${value}`;
    return idsOf(searched, phase, { reading: 'each', and: [before], page });
  };

  const [near, end] = await Promise.all([valueAt(Math.ceil(tried / 10)), valueAt(tried)]);
  if (end === undefined) return undefined;
  // A tenth of them tells whether all of them can be enough, and may be enough by itself.
  const sample = await idsBefore(near, { offset: 0, limit: sought });
  if (sample.length * 20 < sought) return undefined;
  if (sample.length === sought) return sample.slice(page.offset);
  const ids = await idsBefore(end, page);
  return ids.length === page.limit ? ids : undefined;
}

/** The page when the filter names few runs, else undefined. */
async function pageOfFew(searched: Searched, { few }: Room): Promise<readonly string[] | undefined> {
  const { db, experiments, filter, orders, page } = searched;
  if (!filter) return undefined;
  const [{ byExperiment }] = phases(searched);
  // What else there is to do would sort the runs of all experiments.
  const most = byExperiment && experiments.length > 1 ? 5 * few : few;
  const reader = { ...searched, reading: 'set' } as const;
  const parts = partsOf(filter);
  const named = parts
    .flatMap((part) => {
      const found = runsNamedBy(reader, part);
      return found === undefined ? [] : [{ part, ...found }];
    })
    .slice(0, mostSets);
  const sizes = named.length > 1 ? await Promise.all(named.map(({ set }) => sizeUpTo(db, set, manyRuns))) : [0];
  const [smallest, second, ...further] = named
    .map((one, place) => ({ ...one, size: sizes[place] ?? 0 }))
    .toSorted((a, b) => a.size - b.size);
  if (!smallest) return undefined;
  // The runs themselves are looked up later.
  const others = further.filter(({ part }) => clausesOf(part).every(({ entity }) => entity !== 'attribute'));
  // What two of them have in common is little enough to ask each run for the others; reading all of those takes longer.
  const runId = sql`named.run_id`;
  const conditions = [
    ...(second ? [sql<SqlBool>`${unindexed(db, runId)} in (${second.set})`] : []),
    ...others.map(({ part }) =>
      runCondition({ ...searched, reading: 'each' }, part, { runId, direct: () => undefined }),
    ),
  ];
  const { rows } = await sql<{ id: string }>`select distinct named.run_id as id from (${smallest.set}) as named
    ${conditions.length > 0 ? sql`where ${every(conditions)}` : sql``} limit ${most + 1}`.execute(db);
  if (rows.length > most) return undefined;
  if (rows.length === 0) return [];
  const where = () => [
    sql<SqlBool>`runs.id in (${textsOf(
      db,
      rows.map(({ id }) => id),
    )})`,
    ...runsSearched(searched, { indexed: false }),
  ];
  const settled = [smallest, ...(second ? [second] : [])].flatMap(({ part, isWhole }) => (isWhole ? [part] : []));
  const open = parts.filter((part) => !settled.includes(part) && !others.some((other) => other.part === part));
  const rest = open.length > 0 ? ({ kind: 'all', of: open } as const) : undefined;
  return idsOf({ ...searched, filter: rest }, { ...sortedRuns(orders), where }, { reading: 'each', page });
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
  const filter = filterOf(searched, phase, reading);
  const query = inOrder<{ id: string }>(searched, {
    id: sql`runs.id`,
    source: phase.source,
    where: (experiments) => [...phase.where(experiments), ...and, ...filter],
    order: phase.order,
    // Each part would read the sets of the filter for itself.
    isSplit: phase.byExperiment === true && (reading === 'each' || filter.length === 0),
    page,
  });
  return (await query.execute(searched.db)).rows.map(({ id }) => id);
}

async function sizeOf(searched: Searched, phase: Phase): Promise<number> {
  const query = sql<{ n: number }>`select count(*) as n from ${phase.source}
    where ${every([...phase.where(searched.experiments), ...filterOf(searched, phase, 'set')])}`;
  return Number((await query.execute(searched.db)).rows[0]?.n ?? 0);
}

type Ordered = {
  readonly id?: RawBuilder<unknown>;
  readonly source: RawBuilder<unknown>;
  readonly where: Phase['where'];
  readonly order: readonly Term[];
  readonly isSplit: boolean;
  readonly page: Page;
};

/**
 * A query for `id` and the terms of the order, `by0`, `by1` and so on. When it is split, the stretches that experiments have in an
 * index are merged while they are read; over all of them at once, all rows would be sorted.
 */
function inOrder<Row>({ db, experiments }: Searched, { id, source, where, order, isSplit, page }: Ordered) {
  const columns = [...(id ? [sql`${id} as id`] : []), ...order.map(({ by }, place) => sql`${by} as ${nameOf(place)}`)];
  const terms = order.map(({ ascending }, place) => sql`${nameOf(place)} ${ascending ? sql`asc` : sql`desc`}`);
  const among = (experiments: readonly Int64[]) =>
    sql`select ${sql.join(columns)} from ${source} where ${every(where(experiments))}`;
  const isSmall = () =>
    among(experiments.slice(0, 1)).compile(db).parameters.length * experiments.length <= mostParameters;
  const parts =
    isSplit && experiments.length > 1 && experiments.length <= mostParts && isSmall()
      ? experiments.map((experiment) => among([experiment]))
      : [among(experiments)];
  const ordered = sql`order by ${sql.join(terms)}`;
  // SQLite merges them by itself, and reads no more of each than it needs.
  const cut = (part: RawBuilder<unknown>) => sql`(${part} ${ordered} limit ${page.offset + page.limit})`;
  const merged = parts.length > 1 && isPostgres(db) ? parts.map(cut) : parts;
  return sql<Row>`${sql.join(merged, sql` union all `)} ${ordered} limit ${page.limit} offset ${page.offset}`;
}

const nameOf = (place: number) => sql.ref(`by${place}`);

/** Bounds of one statement; beyond them experiments are read together. */
const mostParts = 50;
const mostParameters = 5_000;

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
