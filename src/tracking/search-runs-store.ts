/** The search over runs: the ids of one page first, then everything about those runs in a fixed number of queries. */
import { type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { type Lifecycle, parseExperimentId } from './experiment.ts';
import { type Condition, compare, compareKeyed, conditionOf } from './filter-store.ts';
import { invalid } from './names.ts';
import type { Run } from './run.ts';
import { runDetails } from './run-details-store.ts';
import { attributeColumns, type Phase, phasesOf } from './run-phases-store.ts';
import { type Clause, resolve, runVocabulary } from './search-clause.ts';
import { mapFilter, parseFilter } from './search-grammar.ts';
import { parseOrder, refuseDuplicates } from './search-order.ts';

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
): Promise<{ readonly runs: readonly Run[]; readonly more: boolean }> {
  const ids = await pageOf(db, search);
  return { runs: await runDetails(db, ids.slice(0, search.limit)), more: ids.length > search.limit };
}

/** The ids of a page, and of one run more when there is one. */
async function pageOf(db: Db, search: RunSearch): Promise<readonly string[]> {
  const experiments = search.experimentIds.map(parseExperimentId);
  const always = matchConditions(db, search);
  const orders = (search.orderBy ?? []).map((clause) => parseOrder(runVocabulary, clause));
  refuseDuplicates(orders, search.orderBy ?? []);
  const dataset = orders.find(({ entity }) => entity === 'dataset');
  if (dataset) throw invalid('order_by', "Invalid identifier type 'dataset'");
  if (always === undefined) return [];

  const wanted = search.limit + 1;
  const ids: string[] = [];
  let offset = search.offset;
  for (const phase of phasesOf(orders, experiments)) {
    const page = await pageOfPhase(db, phase, always, { offset, limit: wanted - ids.length });
    ids.push(...page);
    if (ids.length >= wanted) break;
    if (page.length > 0) offset = 0;
    else if (offset > 0) offset -= await sizeOfPhase(db, phase, always);
  }
  return ids;
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
  const parsed = parseFilter(text ?? '');
  const filter = parsed && mapFilter(parsed, (comparison) => resolve(runVocabulary, comparison));
  if (experiments.length === 0 || lifecycles.length === 0) return undefined;
  return [
    sql<SqlBool>`runs.experiment_id in (${sql.join(experiments)})`,
    sql<SqlBool>`runs.lifecycle in (${sql.join(lifecycles)})`,
    ...(filter ? [conditionOf(filter, (clause) => runCondition(db, clause, experiments))] : []),
    ...within,
  ];
}

async function pageOfPhase(
  db: Db,
  { source, where, order }: Phase,
  always: readonly Condition[],
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly string[]> {
  const query = sql<{ id: string }>`select runs.id as id from ${source} where ${every([...where, ...always])}
    order by ${sql.join(order)} limit ${limit} offset ${offset}`;
  return (await query.execute(db)).rows.map(({ id }) => id);
}

async function sizeOfPhase(db: Db, { source, where }: Phase, always: readonly Condition[]): Promise<number> {
  const query = sql<{ n: number }>`select count(*) as n from ${source} where ${every([...where, ...always])}`;
  return Number((await query.execute(db)).rows[0]?.n ?? 0);
}

export const every = (conditions: readonly Condition[]) =>
  sql`${sql.join(
    conditions.map((condition) => sql`(${condition})`),
    sql` and `,
  )}`;

function runCondition(db: Db, clause: Clause, experiments: readonly Int64[]): Condition {
  const { entity, key, comparator, value } = clause;
  switch (entity) {
    case 'attribute':
      // MLflow takes the name from its tag, which runs older than the name column have too.
      if (key === 'run_name') return tagged({ ...clause, key: 'mlflow.runName' });
      return compare(db, attributeColumns[key] ?? sql`runs.id`, comparator, value);
    case 'metric': {
      // NaN is different from every number and in no other relation to one.
      const found = compare(db, sql`value`, comparator, value);
      const matches = comparator === '!=' ? sql`(is_nan = 1 or ${found})` : sql`is_nan = 0 and ${found}`;
      return sql<SqlBool>`runs.id in (select run_id from metric_series
        where experiment_id in (${sql.join(experiments)}) and key = ${key} and ${matches})`;
    }
    case 'parameter':
      return compareKeyed(db, clause, { table: 'run_params', owned: sql`run_id`, owner: sql`runs.id` });
    case 'tag':
      return tagged(clause);
    case 'dataset': {
      const column = key === 'context' ? sql`input.context` : sql.ref(`dataset.${key}`);
      return sql<SqlBool>`runs.id in (select input.run_id from run_datasets as input
        join logged_datasets as dataset on dataset.id = input.dataset_id where ${compare(db, column, comparator, value)})`;
    }
  }

  function tagged(tag: Clause): Condition {
    return compareKeyed(db, tag, { table: 'run_tags', owned: sql`run_id`, owner: sql`runs.id` });
  }
}
