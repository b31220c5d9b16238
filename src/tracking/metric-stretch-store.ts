/** A metric series thinned in SQL for drawing: stretches with their lowest and highest value, so that no spike is lost. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import type { MetricTables } from './metric-store.ts';

export const metricAxes = ['step', 'time'] as const;
export type MetricAxis = (typeof metricAxes)[number];

/** A stretch of a series. What cannot be drawn is counted instead: NaN, and infinities above and below. */
export type Stretch = {
  /** Its last step. */
  readonly step: number;
  /** Its last time, in milliseconds. */
  readonly at: number;
  readonly points: number;
  /** The mean of what can be drawn; absent when nothing can. */
  readonly value?: number;
  /** Where they differ from the mean. */
  readonly min?: number;
  readonly max?: number;
  readonly nan?: number;
  readonly above?: number;
  readonly below?: number;
};

export type StretchQuery = {
  readonly axis: MetricAxis;
  /** About how many stretches: their edges are multiples of their width, so there may be one more. */
  readonly buckets: number;
  /** Of the axis, both inclusive. */
  readonly from?: Int64;
  readonly to?: Int64;
};

export type Thinned = {
  /** How many steps, or milliseconds, one stretch spans. With 1 nothing is thinned but points that share their step. */
  readonly width: number;
  readonly points: readonly Stretch[];
};

/** @returns no points for a series or a range that has none */
export async function thinnedSeries(
  database: Db,
  { runId, key }: { readonly runId: string; readonly key: string },
  { axis, buckets, from, to }: StretchQuery,
): Promise<Thinned> {
  const db = database.withTables<MetricTables>();
  const series = await db
    .selectFrom('metric_series')
    .select('id')
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .executeTakeFirst();
  if (!series) return { width: 1, points: [] };
  const column = axis === 'step' ? 'step' : 'timestamp';
  let points = db.selectFrom('metric_points').where('series_id', '=', series.id);
  if (from !== undefined) points = points.where(column, '>=', from);
  if (to !== undefined) points = points.where(column, '<=', to);

  // Two queries, because each of them alone reads one end of the key, and both in one read all of it.
  const [first, last] = await Promise.all([
    points.select(({ fn }) => fn.min(column).as('end')).executeTakeFirst(),
    points.select(({ fn }) => fn.max(column).as('end')).executeTakeFirst(),
  ]);
  const ends = { first: first?.end ?? undefined, last: last?.end ?? undefined };
  if (ends.first === undefined || ends.last === undefined) return { width: 1, points: [] };
  const span = BigInt(ends.last) - BigInt(ends.first) + 1n;
  const width = (span + BigInt(buckets) - 1n) / BigInt(buckets);

  // Divided as it is, without taking the first from it: no difference of two steps can leave 64 bits.
  const bucket = sql<number>`${sql.ref(column)} / ${sql.raw(String(width))}`;
  const rows = await points
    .select(({ fn }) => [
      fn.max('step').as('step'),
      fn.max('timestamp').as('at'),
      fn.countAll().as('points'),
      overDrawable('avg').as('value'),
      overDrawable('min').as('min'),
      overDrawable('max').as('max'),
      countOf(sql`is_nan = 1`).as('nan'),
      countOf(sql`value >= ${Number.MAX_VALUE}`).as('above'),
      countOf(sql`value <= ${-Number.MAX_VALUE}`).as('below'),
    ])
    .groupBy(bucket)
    .orderBy(bucket)
    .execute();
  return { width: Number(width), points: rows.map(toStretch) };
}

/** Infinities are stored as the greatest finite doubles. */
const drawable = sql<SqlBool>`is_nan = 0 and abs(value) < ${Number.MAX_VALUE}`;
const overDrawable = (name: 'avg' | 'min' | 'max') =>
  sql<number | null>`${sql.raw(name)}(case when ${drawable} then value end)`;
const countOf = (condition: RawBuilder<unknown>) => sql<Int64>`sum(case when ${condition} then 1 else 0 end)`;

type Row = {
  readonly step: Int64;
  readonly at: Int64;
  readonly points: string | Int64;
  readonly value: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly nan: Int64;
  readonly above: Int64;
  readonly below: Int64;
};

function toStretch({ step, at, points, value, min, max, nan, above, below }: Row): Stretch {
  return {
    ...{ step: Number(step), at: Number(at), points: Number(points) },
    ...(value !== null && min !== null && max !== null && drawn({ value, min, max })),
    ...(Number(nan) > 0 && { nan: Number(nan) }),
    ...(Number(above) > 0 && { above: Number(above) }),
    ...(Number(below) > 0 && { below: Number(below) }),
  };
}

/** A mean of equal values can differ from them in its last digit. */
const drawn = ({ value, min, max }: { readonly value: number; readonly min: number; readonly max: number }) =>
  min === max ? { value: min } : { value: Math.min(Math.max(value, min), max), min, max };
