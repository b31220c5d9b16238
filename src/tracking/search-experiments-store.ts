/** The search over experiments. */
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { type Experiment, type Lifecycle, parseExperimentId } from './experiment.ts';
import { type ExperimentTables, experimentStore } from './experiment-store.ts';
import { type Condition, compare, compareKeyed, conditionOf } from './filter-store.ts';
import { invalid } from './names.ts';
import { type Clause, experimentVocabulary, readFilter } from './search-clause.ts';
import { parseOrder, refuseTooMany } from './search-order.ts';

export type ExperimentSearch = {
  readonly filter?: string | undefined;
  readonly lifecycles: readonly Lifecycle[];
  readonly project?: string | undefined;
  readonly orderBy?: readonly string[] | undefined;
  readonly offset: number;
  readonly limit: number;
};

/** @throws PlatformError `tracking/invalid-filter`, and `tracking/invalid` for an order that means nothing */
export async function searchExperiments(
  database: Db,
  search: ExperimentSearch,
): Promise<{ readonly experiments: readonly Experiment[]; readonly more: boolean }> {
  const db = database.withTables<ExperimentTables>();
  const filter = readFilter(experimentVocabulary, search.filter);
  let query = db.selectFrom('experiments').selectAll().where('lifecycle', 'in', search.lifecycles);
  if (filter) query = query.where(() => conditionOf(filter, (clause) => experimentCondition(database, clause)));
  for (const { column, ascending } of orderOf(search.orderBy))
    query = query.orderBy(column, ascending ? 'asc' : 'desc');
  if (search.project !== undefined) query = query.where('project', '=', search.project);
  const rows = await query
    .limit(search.limit + 1)
    .offset(search.offset)
    .execute();
  const experiments = await experimentStore(database).withTags(rows.slice(0, search.limit));
  return { experiments, more: rows.length > search.limit };
}

const columns: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql`experiments.name`,
  experiment_id: sql`experiments.id`,
  creation_time: sql`experiments.created_at`,
  last_update_time: sql`experiments.updated_at`,
};
const columnOf = (key: string) => columns[key] ?? sql`experiments.id`;

function orderOf(clauses: readonly string[] | undefined) {
  const named = clauses && clauses.length > 0 ? clauses : ['creation_time DESC', 'experiment_id ASC'];
  refuseTooMany(named);
  const orders = named.map((clause) => parseOrder(experimentVocabulary, clause));
  const other = orders.find(({ entity }) => entity !== 'attribute');
  if (other) throw invalid('order_by', `Invalid order_by entity: ${other.entity}`);
  const terms = orders.map(({ key, ascending }) => ({ column: columnOf(key), ascending }));
  return orders.some(({ key }) => key === 'experiment_id')
    ? terms
    : [...terms, { column: columnOf('experiment_id'), ascending: false }];
}

function experimentCondition(db: Db, clause: Clause): Condition {
  const { entity, key, comparator, value } = clause;
  if (entity === 'tag') {
    const place = { table: 'experiment_tags', owned: sql`experiment_id`, owner: sql`experiments.id` };
    return compareKeyed(db, clause, place);
  }
  if (key !== 'experiment_id') return compare(db, columnOf(key), comparator, value);
  if (!['=', '!=', 'IN', 'NOT IN'].includes(comparator)) {
    throw invalid('filter', `Invalid comparator for experiment_id: ${comparator}`);
  }
  const ids = (Array.isArray(value) ? value : [value]).map((id) => parseExperimentId(String(id)));
  const list = sql.join(ids);
  return comparator === '=' || comparator === 'IN'
    ? sql`${columnOf(key)} in (${list})`
    : sql`${columnOf(key)} not in (${list})`;
}
