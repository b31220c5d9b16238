/** The searches over registered models and over their versions, in tracking's grammar. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { PlatformError } from '../errors.ts';
import type { Db } from '../storage/database.ts';
import { type Condition, compare, compareKeyed, conditionOf } from '../tracking/filter-store.ts';
import { type Clause, modelVocabulary, readFilter, versionVocabulary } from '../tracking/search-clause.ts';
import { clausesOf, type Filter } from '../tracking/search-grammar.ts';
import { splitOrder } from '../tracking/search-order.ts';
import { type ModelTables, modelStore } from './model-store.ts';
import type { ModelVersion, RegisteredModel } from './model-version.ts';
import { isPromptTag } from './prompt.ts';
import { type VersionTables, versionStore } from './version-store.ts';

export type RegistrySearch = {
  readonly filter?: string | undefined;
  readonly orderBy?: readonly string[] | undefined;
  readonly offset: number;
  readonly limit: number;
};

/** Prompts are models with a tag; a search leaves them out unless it asks for them. */
export async function searchModels(
  database: Db,
  search: RegistrySearch & { readonly project?: string | undefined },
): Promise<{ readonly models: readonly RegisteredModel[]; readonly more: boolean }> {
  const db = database.withTables<ModelTables>();
  const filter = readFilter(modelVocabulary, search.filter);
  let query = db.selectFrom('registered_models').selectAll();
  if (filter) query = query.where(() => conditionOf(filter, (clause) => modelCondition(database, clause)));
  if (!asksForPrompts(filter)) {
    query = query.where(() => sql<SqlBool>`registered_models.name not in (${promptNames('registered_model_tags')})`);
  }
  for (const { column, ascending } of orderOf(search.orderBy ?? [], modelOrder, ['name'])) {
    query = query.orderBy(column, ascending ? 'asc' : 'desc');
  }
  if (search.project !== undefined) query = query.where('project', '=', search.project);
  const rows = await query
    .limit(search.limit + 1)
    .offset(search.offset)
    .execute();
  const models = await modelStore(database).withDetails(rows.slice(0, search.limit));
  return { models, more: rows.length > search.limit };
}

export async function searchVersions(
  database: Db,
  search: RegistrySearch,
): Promise<{ readonly versions: readonly ModelVersion[]; readonly more: boolean }> {
  const db = database.withTables<VersionTables>();
  const filter = readFilter(versionVocabulary, search.filter);
  let query = db.selectFrom('model_versions').selectAll().where('deleted', '=', 0);
  if (filter) query = query.where(() => conditionOf(filter, (clause) => versionCondition(database, clause)));
  if (!asksForPrompts(filter)) {
    query = query.where(() => sql<SqlBool>`model_versions.name not in (${promptNames('model_version_tags')})`);
  }
  const named = search.orderBy && search.orderBy.length > 0 ? search.orderBy : ['last_updated_timestamp DESC'];
  for (const { column, ascending } of orderOf(named, versionOrder, ['name', 'version_number'])) {
    query = query.orderBy(column, ascending ? 'asc' : 'desc');
  }
  const rows = await query
    .limit(search.limit + 1)
    .offset(search.offset)
    .execute();
  const versions = await versionStore(database).withDetails(rows.slice(0, search.limit));
  return { versions, more: rows.length > search.limit };
}

function asksForPrompts(filter: Filter<Clause> | undefined): boolean {
  const clause = clausesOf(filter).find(({ entity, key }) => entity === 'tag' && key === isPromptTag);
  if (!clause) return false;
  const value = String(clause.value).toLowerCase();
  return (clause.comparator === '=' && value === 'true') || (clause.comparator === '!=' && value === 'false');
}

const promptNames = (table: 'registered_model_tags' | 'model_version_tags') =>
  sql`select name from ${sql.table(table)} where key = ${isPromptTag} and value = 'true'`;

const modelColumns: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql`registered_models.name`,
  creation_timestamp: sql`registered_models.created_at`,
  last_updated_timestamp: sql`registered_models.updated_at`,
};

function modelCondition(db: Db, clause: Clause): Condition {
  if (saysNoPrompts(clause)) return sql<SqlBool>`1 = 1`;
  if (clause.entity === 'attribute') {
    return compare(db, modelColumns[clause.key] ?? sql`registered_models.name`, clause.comparator, clause.value);
  }
  const place = { table: 'registered_model_tags', owned: sql`name`, owner: sql`registered_models.name` };
  return compareKeyed(db, clause, place);
}

const versionColumns: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql`model_versions.name`,
  version_number: sql`model_versions.version`,
  run_id: sql`model_versions.run_id`,
  source_path: sql`model_versions.source`,
  creation_timestamp: sql`model_versions.created_at`,
  last_updated_timestamp: sql`model_versions.updated_at`,
};

function versionCondition(db: Db, clause: Clause): Condition {
  if (saysNoPrompts(clause)) return sql<SqlBool>`1 = 1`;
  if (clause.entity === 'attribute') {
    return compare(db, versionColumns[clause.key] ?? sql`model_versions.name`, clause.comparator, clause.value);
  }
  const owner = sql`(model_versions.name, model_versions.version)`;
  return compareKeyed(db, clause, { table: 'model_version_tags', owned: sql`name, version`, owner });
}

/** Models carry no tag that says "not a prompt", so this clause is the default and not a comparison. */
const saysNoPrompts = ({ entity, key, comparator, value }: Clause): boolean =>
  entity === 'tag' &&
  key === isPromptTag &&
  ((comparator === '=' && value === 'false') || (comparator === '!=' && value === 'true'));

type OrderColumns = Readonly<Record<string, { readonly column: RawBuilder<unknown>; readonly ascending: boolean }>>;

const modelOrder: OrderColumns = {
  name: { column: sql`registered_models.name`, ascending: true },
  timestamp: { column: sql`registered_models.updated_at`, ascending: true },
  last_updated_timestamp: { column: sql`registered_models.updated_at`, ascending: true },
};

const versionOrder: OrderColumns = {
  name: { column: sql`model_versions.name`, ascending: true },
  version_number: { column: sql`model_versions.version`, ascending: false },
  creation_timestamp: { column: sql`model_versions.created_at`, ascending: true },
  last_updated_timestamp: { column: sql`model_versions.updated_at`, ascending: true },
};

/** The named keys, then those of `ties` that were not named, in their own direction. */
function orderOf(named: readonly string[], columns: OrderColumns, ties: readonly string[]) {
  const seen = new Set<string>();
  const terms = named.map((clause) => {
    const { name, ascending } = splitOrder(clause);
    const key = name.replace(/^attribute\./, '').replace(/^`(.*)`$/, '$1');
    const known = columns[key];
    if (!known) {
      const keys = Object.keys(columns).map((one) => `'${one}'`);
      const message = `Invalid order by key '${key}' specified. Valid keys are '{${keys.join(', ')}}'`;
      throw new PlatformError('registry/invalid', 'order_by', { message });
    }
    if (seen.has(key)) {
      const list = named.map((one) => `'${one}'`).join(', ');
      const message = `\`order_by\` contains duplicate fields: [${list}]`;
      throw new PlatformError('registry/invalid', 'order_by', { message });
    }
    seen.add(key);
    return { column: known.column, ascending };
  });
  const rest = ties.flatMap((key) => (seen.has(key) || !columns[key] ? [] : [columns[key]]));
  return [...terms, ...rest];
}
