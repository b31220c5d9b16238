/** The search over logged models. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { parseExperimentId } from './experiment.ts';
import { type Condition, compare, compareKeyed, conditionOf } from './filter-store.ts';
import type { LoggedModel } from './logged-model.ts';
import { type LoggedModelTables, loggedModelStore } from './logged-model-store.ts';
import { invalid } from './names.ts';
import { type Clause, loggedModelVocabulary, readFilter, unquote } from './search-clause.ts';
import { clausesOf } from './search-grammar.ts';
import { refuseTooMany } from './search-order.ts';

export type DatasetFilter = { readonly name: string; readonly digest?: string | undefined };

export type LoggedModelOrder = {
  readonly field: string;
  readonly ascending: boolean;
  readonly dataset?: Partial<DatasetFilter>;
};

export type LoggedModelSearch = {
  readonly experimentIds: readonly string[];
  readonly filter?: string | undefined;
  /** Metric conditions hold only for what was measured on one of these. */
  readonly datasets?: readonly DatasetFilter[] | undefined;
  readonly orderBy?: readonly LoggedModelOrder[] | undefined;
  readonly offset: number;
  readonly limit: number;
};

export async function searchLoggedModels(
  database: Db,
  search: LoggedModelSearch,
): Promise<{ readonly models: readonly LoggedModel[]; readonly more: boolean }> {
  const db = database.withTables<LoggedModelTables>();
  const experiments = search.experimentIds.map(parseExperimentId);
  const filter = readFilter(loggedModelVocabulary, search.filter);
  const datasets = search.datasets ?? [];
  if (datasets.length > maxDatasets) {
    throw invalid('datasets', `${datasets.length} datasets are named; at most ${maxDatasets} are read.`);
  }
  if (experiments.length === 0) return { models: [], more: false };

  let query = db.selectFrom('logged_models').selectAll().where('lifecycle', '=', 'active');
  query = query.where('experiment_id', 'in', experiments);
  if (filter) query = query.where(() => conditionOf(filter, (clause) => modelCondition(database, clause, datasets)));
  if (datasets.length > 0 && !clausesOf(filter).some(({ entity }) => entity === 'metric')) {
    query = query.where(() => measuredOn(datasets));
  }
  for (const term of orderOf(search.orderBy ?? [])) query = query.orderBy(term);
  const rows = await query
    .limit(search.limit + 1)
    .offset(search.offset)
    .execute();
  const models = await loggedModelStore(database).withDetails(rows.slice(0, search.limit));
  return { models, more: rows.length > search.limit };
}

/** Each metric of a filter names them all again, and databases take some ten thousand values in one query. */
const maxDatasets = 100;

const columns: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql`logged_models.name`,
  model_id: sql`logged_models.id`,
  model_type: sql`logged_models.model_type`,
  status: sql`logged_models.status`,
  source_run_id: sql`logged_models.source_run_id`,
  creation_timestamp: sql`logged_models.created_at`,
  last_updated_timestamp: sql`logged_models.updated_at`,
};
const columnOf = (key: string) => columns[key] ?? sql`logged_models.id`;

function modelCondition(db: Db, clause: Clause, datasets: readonly DatasetFilter[]): Condition {
  const { entity, key, comparator, value } = clause;
  if (entity === 'attribute') return compare(db, columnOf(key), comparator, value);
  if (entity === 'metric') {
    const on = datasets.length > 0 ? sql` and (${datasetCondition(datasets)})` : sql``;
    const matches = compare(db, sql`value`, comparator, value);
    // What is not a number is other than every number, and nothing else.
    const holds =
      comparator === '!=' || comparator === 'NOT IN' ? sql`(is_nan = 1 or ${matches})` : sql`is_nan = 0 and ${matches}`;
    return sql<SqlBool>`logged_models.id in (select model_id from logged_model_metrics where key = ${key}
      and ${holds}${on})`;
  }
  const table = entity === 'tag' ? 'logged_model_tags' : 'logged_model_params';
  return compareKeyed(db, clause, { table, owned: sql`model_id`, owner: sql`logged_models.id` });
}

const measuredOn = (datasets: readonly DatasetFilter[]): Condition =>
  sql<SqlBool>`logged_models.id in (select model_id from logged_model_metrics where ${datasetCondition(datasets)})`;

/** Lists and not a chain of ORs, which SQLite ends at 1,000 levels. A dataset without digest is one of any. */
function datasetCondition(datasets: readonly DatasetFilter[]) {
  const names = datasets.flatMap(({ name, digest }) => (digest === undefined ? [sql`${name}`] : []));
  const pairs = datasets.flatMap(({ name, digest }) => (digest === undefined ? [] : [sql`(${name}, ${digest})`]));
  const conditions = [
    ...(names.length === 0 ? [] : [sql`dataset_name in (${sql.join(names)})`]),
    ...(pairs.length === 0 ? [] : [sql`(dataset_name, dataset_digest) in (values ${sql.join(pairs)})`]),
  ];
  return sql`${sql.join(conditions, sql` or `)}`;
}

/** Missing values last in both directions; then the newest first. */
function orderOf(orders: readonly LoggedModelOrder[]): readonly RawBuilder<unknown>[] {
  refuseTooMany(orders);
  const terms = orders.flatMap(({ field, ascending, dataset }) => {
    const value = orderValue(field, dataset ?? {});
    return [sql`case when ${value} is null then 1 else 0 end`, ascending ? sql`${value} asc` : sql`${value} desc`];
  });
  const keys = orders.map(({ field }) => attributeOf(field));
  if (!keys.includes('creation_timestamp')) terms.push(sql`logged_models.created_at desc`);
  if (!keys.includes('model_id')) terms.push(sql`logged_models.id asc`);
  return terms;
}

const attributeOf = (field: string): string => loggedModelVocabulary.aliases?.[field] ?? field;

function orderValue(field: string, dataset: Partial<DatasetFilter>): RawBuilder<unknown> {
  const dot = field.indexOf('.');
  if (dot < 0) {
    const column = columns[attributeOf(field)];
    if (!column) throw invalid('order_by', `Invalid order by field name: ${field}`);
    return column;
  }
  if (field.slice(0, dot) !== 'metrics') {
    throw invalid('order_by', `Invalid order by field name: ${field}. Only metrics are supported.`);
  }
  const conditions = [
    sql`model_id = logged_models.id`,
    sql`key = ${unquote(field.slice(dot + 1))}`,
    ...(dataset.name ? [sql`dataset_name = ${dataset.name}`] : []),
    ...(dataset.digest ? [sql`dataset_digest = ${dataset.digest}`] : []),
  ];
  return sql`(select value from logged_model_metrics where ${sql.join(conditions, sql` and `)}
    order by timestamp desc, step desc, run_id limit 1)`;
}
