/** What a filter over runs says, as conditions on a run, and as sets of runs to start from. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { type Condition, compare, conditionOf } from './filter-store.ts';
import { attributeColumns, listOf, metricMatches, type Phase, textMatches } from './run-phases-store.ts';
import type { Clause } from './search-clause.ts';
import { type Filter, mapFilter } from './search-grammar.ts';

/**
 * How it is found out whether a run has what a clause wants: `each` looks it up run by run, which is best for few of them; `set` reads
 * the matching part of the index once, which is best for many.
 */
export type Reading = 'each' | 'set';

type Reader = { readonly db: Db; readonly experiments: readonly Int64[]; readonly reading: Reading };

/** MLflow takes the name from its tag, which runs older than the name column have too. */
export const withNameAsTag = (filter: Filter<Clause>): Filter<Clause> =>
  mapFilter(filter, (clause) =>
    clause.entity === 'attribute' && clause.key === 'run_name'
      ? { ...clause, entity: 'tag', key: 'mlflow.runName' }
      : clause,
  );

/** The filter as a condition on the runs of a phase. */
export const runCondition = (
  reader: Reader,
  filter: Filter<Clause>,
  { runId, direct }: Pick<Phase, 'runId' | 'direct'>,
): Condition => conditionOf(filter, (clause) => direct(clause) ?? clauseCondition(reader, clause, runId));

function clauseCondition(reader: Reader, clause: Clause, runId: RawBuilder<unknown>): Condition {
  const { db, reading } = reader;
  if (clause.entity === 'attribute') {
    return compare(db, attributeColumns[clause.key] ?? sql`runs.id`, clause.comparator, clause.value);
  }
  const { source, owner, where } = rowsOf(reader, clause);
  const found =
    reading === 'each'
      ? sql`exists (select 1 from ${source} where ${owner} = ${runId} and ${where})`
      : sql`${runId} in (select ${owner} from ${source} where ${where})`;
  return clause.comparator === 'IS NULL' ? sql<SqlBool>`not ${found}` : sql<SqlBool>`${found}`;
}

/** The rows that a clause wants a run to have one of. */
function rowsOf({ db, experiments, reading }: Reader, clause: Clause) {
  const keyed = (table: string, matches: Condition) => ({
    source: sql.table(table),
    owner: sql.ref(`${table}.run_id`),
    where: sql`${sql.ref(`${table}.key`)} = ${clause.key} and ${matches}`,
  });
  switch (clause.entity) {
    case 'metric': {
      const { source, owner, where } = keyed('metric_series', metricMatches(db, clause, 'metric_series'));
      // Run by run, the index to use is that of the run.
      const inExperiments = sql`metric_series.experiment_id in (${listOf(db, experiments)}) and`;
      return { source, owner, where: reading === 'each' ? where : sql`${inExperiments} ${where}` };
    }
    case 'dataset': {
      const column = clause.key === 'context' ? sql`input.context` : sql.ref(`dataset.${clause.key}`);
      return {
        source: sql`run_datasets as input join logged_datasets as dataset on dataset.id = input.dataset_id`,
        owner: sql`input.run_id`,
        where: compare(db, column, clause.comparator, clause.value),
      };
    }
    case 'parameter':
    case 'tag':
    case 'attribute': {
      const table = clause.entity === 'parameter' ? 'run_params' : 'run_tags';
      const matches = clause.comparator.endsWith('NULL') ? sql<SqlBool>`1 = 1` : textMatches(db, clause, table);
      return keyed(table, matches);
    }
  }
}

/** A query for the ids of all runs that a filter finds, and of some more where they are not the whole of what it says. */
type Named = { readonly set: RawBuilder<unknown>; readonly isWhole: boolean };

/** @returns undefined where only each run can tell */
export function runsNamedBy(reader: Reader, filter: Filter<Clause>): Named | undefined {
  switch (filter.kind) {
    case 'is': {
      if (filter.clause.entity === 'attribute' || filter.clause.comparator === 'IS NULL') return undefined;
      const { source, owner, where } = rowsOf(reader, filter.clause);
      return { set: sql`select ${owner} as run_id from ${source} where ${where}`, isWhole: true };
    }
    case 'not':
      return undefined;
    case 'any': {
      const parts = filter.of.flatMap((part) => runsNamedBy(reader, part) ?? []);
      if (parts.length < filter.of.length) return undefined;
      const sets = parts.map(({ set }) => set);
      return { set: sql`${sql.join(sets, sql` union `)}`, isWhole: parts.every(({ isWhole }) => isWhole) };
    }
    case 'all': {
      const part = filter.of.map((part) => runsNamedBy(reader, part)).find((part) => part !== undefined);
      return part && { ...part, isWhole: false };
    }
  }
}
