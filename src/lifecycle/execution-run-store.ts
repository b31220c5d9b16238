/** The runs that the programs of a pipeline execution have made. */
import type { Db } from '../storage/database.ts';
import type { RunInfo } from '../tracking/run.ts';
import { runStore } from '../tracking/run-store.ts';

type TagTables = { run_tags: { run_id: string; key: string; value: string } };

/** Programs say which execution they belong to with this tag, from the variable RONDO_EXECUTION. */
const executionTag = 'rondo.execution';

/** Oldest first. */
export async function runsOfExecution(db: Db, execution: string): Promise<readonly RunInfo[]> {
  const rows = await db
    .withTables<TagTables>()
    .selectFrom('run_tags')
    .select('run_id')
    .where('key', '=', executionTag)
    .where('value', '=', execution)
    .execute();
  const runs = await Promise.all(rows.map((row) => runStore(db).find(row.run_id)));
  return runs
    .filter((run) => run?.lifecycle === 'active')
    .toSorted((a, b) => Number(a?.startTime ?? 0) - Number(b?.startTime ?? 0)) as RunInfo[]; // the filter leaves no undefined
}
