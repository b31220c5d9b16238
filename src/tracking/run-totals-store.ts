/** How many runs experiments hold. */
import { sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import { parseExperimentId } from './experiment.ts';

export type RunTotals = { readonly runs: number; readonly lastRunAt: number };

/** Of the runs that are not deleted; an experiment without any is left out. */
export async function runTotals(db: Db, experimentIds: readonly string[]): Promise<ReadonlyMap<string, RunTotals>> {
  if (experimentIds.length === 0) return new Map();
  const { rows } = await sql<{ id: number; n: number; last: number }>`
    select experiment_id as id, count(*) as n, max(start_time) as last from runs
    where experiment_id in (${sql.join(experimentIds.map(parseExperimentId))}) and lifecycle = 'active'
    group by experiment_id`.execute(db);
  return new Map(rows.map(({ id, n, last }) => [String(id), { runs: Number(n), lastRunAt: Number(last) }]));
}
