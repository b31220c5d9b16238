/** Runs counted by what they have in common, with the spread of their metrics. */
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { invalid } from './names.ts';
import { attributeColumns } from './run-phases-store.ts';
import { identify, runVocabulary } from './search-clause.ts';
import { every, matchConditions, type RunSearch } from './search-runs-store.ts';

/** What runs are grouped by. */
export type GroupKey =
  | { readonly entity: 'attribute' | 'parameter' | 'tag' | 'dataset'; readonly key: string }
  | { readonly entity: 'model' };

export type RunGroup = {
  /** Absent for the runs that have none. */
  readonly value?: string;
  readonly runs: number;
  readonly lastStartedAt: number;
  /** Of each asked metric that any of its runs has. Values that are no number are left out. */
  readonly metrics: Readonly<
    Record<string, { readonly min: number; readonly max: number; readonly mean: number; readonly runs: number }>
  >;
};

/**
 * `params.depth`, `tags.team`, `dataset.name`, `attributes.status`, or `model`: the name of the models that a run logged.
 * @throws PlatformError `tracking/invalid` for a name that there is not, and for a metric
 */
export function groupKeyOf(name: string): GroupKey {
  if (name === 'model') return { entity: 'model' };
  const { entity, key } = identify(runVocabulary, name, (message) => invalid('by', message));
  if (entity !== 'metric') return { entity, key };
  throw invalid('by', 'Runs are not grouped by a metric: hardly two of them have the same value.');
}

/** The biggest group first. A run with several datasets or models is in a group of each. */
export async function groupRuns(
  db: Db,
  search: Omit<RunSearch, 'orderBy'> & { readonly by: GroupKey; readonly metrics: readonly string[] },
): Promise<{ readonly groups: readonly RunGroup[]; readonly more: boolean }> {
  const conditions = matchConditions(db, search);
  if (conditions === undefined) return { groups: [], more: false };
  const { source, value } = groupSource(search.by);
  const from = sql`runs left join ${source} on grouped.run_id = runs.id`;
  type Row = { value: string | null; runs: number; last: number };
  const { rows } = await sql<Row>`select ${value} as value, count(*) as runs, max(runs.start_time) as last
    from ${from} where ${every(conditions)} group by ${value}
    order by count(*) desc, case when ${value} is null then 1 else 0 end, ${value} limit ${search.limit + 1} offset ${search.offset}`.execute(
    db,
  );
  const page = rows.slice(0, search.limit);
  const spreads = await spreadsOf();
  return {
    groups: page.map((row) => ({
      ...(row.value === null ? {} : { value: row.value }),
      runs: Number(row.runs),
      lastStartedAt: Number(row.last),
      metrics: Object.fromEntries(
        (spreads.get(row.value) ?? []).map(({ key, low, high, mean, n }) => [
          key,
          { min: Number(low), max: Number(high), mean: Number(mean), runs: Number(n) },
        ]),
      ),
    })),
    more: rows.length > search.limit,
  };

  async function spreadsOf() {
    type Spread = { value: string | null; key: string; low: number; high: number; mean: number; n: number };
    if (search.metrics.length === 0 || page.length === 0) return new Map<string | null, Spread[]>();
    const values = page.flatMap((row) => row.value ?? []);
    const shown = [
      ...(values.length > 0 ? [sql`${value} in (${sql.join(values)})`] : []),
      ...(values.length < page.length ? [sql`${value} is null`] : []),
    ];
    const spreads = await sql<Spread>`select ${value} as value, series.key as key, min(series.value) as low,
        max(series.value) as high, avg(series.value) as mean, count(*) as n
      from ${from} join metric_series as series on series.run_id = runs.id
      where ${every(conditions ?? [])} and series.key in (${sql.join(search.metrics)}) and series.is_nan = 0
        and (${sql.join(shown, sql` or `)})
      group by ${value}, series.key`.execute(db);
    return Map.groupBy(spreads.rows, (row) => row.value);
  }
}

export async function countRuns(db: Db, search: Omit<RunSearch, 'orderBy' | 'offset' | 'limit'>): Promise<number> {
  const conditions = matchConditions(db, search);
  if (conditions === undefined) return 0;
  const query = sql<{ n: number }>`select count(*) as n from runs where ${every(conditions)}`;
  return Number((await query.execute(db)).rows[0]?.n ?? 0);
}

/** `source` joins as `grouped` with a `run_id`; `value` is what its runs have in common. */
export function groupSource(by: GroupKey): {
  readonly source: RawBuilder<unknown>;
  readonly value: RawBuilder<unknown>;
} {
  const value = sql`grouped.value`;
  switch (by.entity) {
    case 'parameter':
      return { source: sql`(select run_id, value from run_params where key = ${by.key}) as grouped`, value };
    case 'tag':
      return { source: sql`(select run_id, value from run_tags where key = ${by.key}) as grouped`, value };
    case 'attribute': {
      const column = attributeColumns[by.key] ?? sql`runs.id`;
      // As text: every group's value has one type, on both databases.
      return { source: sql`(select id as run_id, cast(${column} as text) as value from runs) as grouped`, value };
    }
    case 'dataset': {
      const column = by.key === 'context' ? sql`input.context` : sql.ref(`dataset.${by.key}`);
      return {
        source: sql`(select distinct input.run_id, ${column} as value from run_datasets as input
          join logged_datasets as dataset on dataset.id = input.dataset_id where ${column} is not null) as grouped`,
        value,
      };
    }
    case 'model':
      return {
        source: sql`(select distinct source_run_id as run_id, name as value from logged_models
          where lifecycle = 'active' and source_run_id is not null) as grouped`,
        value,
      };
  }
}
