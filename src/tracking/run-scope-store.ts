/** Which runs a table shows, beyond its filter: those of one parent, of one group, of a stretch of time. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import type { Condition } from './filter-store.ts';
import { parentTag } from './run.ts';
import { type GroupKey, groupSource } from './run-groups-store.ts';

export type RunScope = {
  /** Only the children of this run. */
  readonly parent?: string | undefined;
  /** Only runs that stand under no other: those without a parent, and those whose parent is deleted. */
  readonly top?: boolean | undefined;
  /** Only the runs of one group; of those without a value when `value` is undefined. */
  readonly group?: { readonly by: GroupKey; readonly value: string | undefined } | undefined;
  /** Milliseconds since 1970. A table that stands still while runs arrive shows those that started until it was opened. */
  readonly startedUntil?: number | undefined;
  readonly startedAfter?: number | undefined;
};

/** So many runs that stand under others are found in one go; with more, each run is asked for its own parent. */
const fewChildren = 10_000;

export async function scopeConditions(
  db: Db,
  { parent, top, group, startedUntil, startedAfter }: RunScope,
): Promise<readonly Condition[]> {
  const conditions: RawBuilder<SqlBool>[] = [];
  if (parent !== undefined) {
    conditions.push(sql`runs.id in (select run_id from run_tags where key = ${parentTag} and value = ${parent})`);
  }
  if (top) {
    const below = sql`run_tags as child join runs as above on above.id = child.value
      where child.key = ${parentTag} and above.lifecycle = 'active'`;
    conditions.push(
      (await hasFewChildren(db))
        ? sql`runs.id not in (select child.run_id from ${below})`
        : sql`not exists (select 1 from ${below} and child.run_id = runs.id)`,
    );
  }
  if (group) {
    const { source, value } = groupSource(group.by);
    conditions.push(
      group.value === undefined
        ? sql`runs.id not in (select grouped.run_id from ${source})`
        : sql`runs.id in (select grouped.run_id from ${source} where ${value} = ${group.value})`,
    );
  }
  if (startedUntil !== undefined) conditions.push(sql`runs.start_time <= ${startedUntil}`);
  if (startedAfter !== undefined) conditions.push(sql`runs.start_time > ${startedAfter}`);
  return conditions;
}

async function hasFewChildren(db: Db): Promise<boolean> {
  const { rows } = await sql<{ n: number }>`select count(*) as n
    from (select 1 from run_tags where key = ${parentTag} limit ${fewChildren + 1}) as children`.execute(db);
  return Number(rows[0]?.n) <= fewChildren;
}

/** How many runs stand directly under each of these; a run without any is left out. */
export async function countChildren(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ parent: string; n: number }>`select child.value as parent, count(*) as n
    from run_tags as child join runs on runs.id = child.run_id
    where child.key = ${parentTag} and child.value in (${sql.join(ids)}) and runs.lifecycle = 'active'
    group by child.value`.execute(db);
  return new Map(rows.map(({ parent, n }) => [parent, Number(n)]));
}
