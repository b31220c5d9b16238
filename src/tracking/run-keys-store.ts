/** Which metrics, params and tags the runs of some experiments have. */
import { sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { parseExperimentId } from './experiment.ts';

export type RunKeys = {
  readonly metrics: readonly string[];
  readonly params: readonly string[];
  readonly tags: readonly string[];
};

/** A key of fewer runs than these is looked up from them: the experiment may have a hundred thousand without it. */
const rare = 1000;

/** By the alphabet, at most `limit` of each kind. Keys that only deleted runs have are among them. */
export async function runKeys(db: Db, experimentIds: readonly string[], limit: number): Promise<RunKeys> {
  if (experimentIds.length === 0) return { metrics: [], params: [], tags: [] };
  const experiments = sql.join(experimentIds.map(parseExperimentId));

  // DISTINCT would read an index entry of each run; these jump from one key to the next.
  const metrics = sql<{ key: string }>`with recursive
    walked (experiment, key) as (
      select id, (select min(series.key) from metric_series as series where series.experiment_id = experiments.id)
        from experiments where id in (${experiments})
      union all
      select experiment, (select min(series.key) from metric_series as series
          where series.experiment_id = walked.experiment and series.key > walked.key)
        from walked where key is not null
    )
    select distinct key from walked where key is not null order by key limit ${limit}`;
  // SQLite looks in the order in which the tables are named: a rare key's runs, or else the experiment's until one has the key.
  const isHeld = sql`held.key = walked.key and runs.id = held.run_id and runs.experiment_id in (${experiments})`;
  const keyed = (name: 'run_params' | 'run_tags') => {
    const table = sql.table(name);
    return sql<{ key: string }>`with recursive
      walked (key) as (
        select min(key) from ${table}
        union all
        select (select min(other.key) from ${table} as other where other.key > walked.key) from walked where key is not null
      )
      select key from walked where key is not null and case
        when (select count(*) from (select 1 from ${table} as held where held.key = walked.key limit ${rare}) as few) < ${rare}
        then exists (select 1 from ${table} as held cross join runs where ${isHeld})
        else exists (select 1 from runs cross join ${table} as held where ${isHeld})
      end order by key limit ${limit}`;
  };
  const keysOf = async (query: typeof metrics) => (await query.execute(db)).rows.map(({ key }) => key);
  const [found, params, tags] = await Promise.all([
    keysOf(metrics),
    keysOf(keyed('run_params')),
    keysOf(keyed('run_tags')),
  ]);
  return { metrics: found, params, tags };
}
