/** Metric series and their points in the database. */
import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { announce } from '../storage/announcements.ts';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import { insertRows } from '../storage/insert-rows.ts';
import type { Int64 } from '../storage/int64.ts';
import { parseExperimentId } from './experiment.ts';
import {
  latestByKey,
  loadedValue,
  type Metric,
  type MetricPoint,
  type Strides,
  sampleStrides,
  storedValue,
} from './metric.ts';
import { metricsTopic } from './metric-signal.ts';
import { inLockOrder } from './names.ts';

export type MetricTables = {
  metric_series: {
    id: Int64;
    run_id: string;
    key: string;
    experiment_id: Int64;
    value: number;
    is_nan: number;
    timestamp: Int64;
    step: Int64;
  };
  metric_points: { series_id: Int64; timestamp: Int64; step: Int64; value: number; is_nan: number };
};

export const metricStore = (database: Db) => {
  const db = database.withTables<MetricTables>();

  const pointsOf = (runId: string, key: string) =>
    db
      .selectFrom('metric_points as point')
      .innerJoin('metric_series as series', 'series.id', 'point.series_id')
      .where('series.run_id', '=', runId)
      .where('series.key', '=', key);

  async function logAll(runs: readonly PointsOfRun[]): Promise<void> {
    for (const { runId } of runs) announce(database, metricsTopic(runId));
    const series = runs.flatMap(({ runId, experimentId, metrics }) =>
      inLockOrder([...latestByKey(metrics).values()]).flatMap(({ key, value, timestamp, step }) => {
        const stored = storedValue(value);
        return [runId, key, parseExperimentId(experimentId), stored.value, stored.is_nan, timestamp, step];
      }),
    );
    const stored = await insertRows<{ run_id: string; key: string; id: Int64 }>(database, {
      into: 'metric_series',
      columns: seriesColumns,
      values: series,
      ending: keepLatest,
    });
    const ids = new Map<string, Map<string, Int64>>(runs.map(({ runId }) => [runId, new Map()]));
    for (const { run_id, key, id } of stored) ids.get(run_id)?.set(key, id);
    const points: Int64[] = [];
    for (const { runId, metrics } of runs) {
      const own = ids.get(runId);
      for (const { key, value, timestamp, step } of metrics) {
        const stored = storedValue(value);
        points.push(own?.get(key) ?? 0, step, timestamp, stored.value, stored.is_nan);
      }
    }
    const ending = 'on conflict do nothing';
    await insertRows(database, { into: 'metric_points', columns: pointColumns, values: points, ending });
  }

  return {
    /** Adds points in two statements, whatever their number. A point that is there already is left alone: retries change nothing. */
    log: (runId: string, experimentId: string, metrics: readonly Metric[]): Promise<void> =>
      logAll([{ runId, experimentId, metrics }]),

    /** Like `log`, for many runs at once. */
    logAll,

    async latest(runId: string): Promise<readonly Metric[]> {
      const rows = await db
        .selectFrom('metric_series')
        .selectAll()
        .where('run_id', '=', runId)
        .orderBy('key')
        .execute();
      return rows.map((row) => ({ key: row.key, ...toPoint(row) }));
    },

    /** The points of a series by timestamp, step and value. */
    async history(
      runId: string,
      key: string,
      page: { offset: number; limit?: number },
    ): Promise<readonly MetricPoint[]> {
      let query = pointsOf(runId, key)
        .select(['point.timestamp', 'point.step', 'point.value', 'point.is_nan'])
        .orderBy('point.timestamp')
        .orderBy('point.step')
        .orderBy('point.value');
      if (page.limit !== undefined) query = query.limit(page.limit);
      else if (page.offset > 0) query = query.limit(Number.MAX_SAFE_INTEGER);
      if (page.offset > 0) query = query.offset(page.offset);
      return (await query.execute()).map(toPoint);
    },

    /**
     * At most `count` points spread evenly over a series by step, timestamp and value, with its last point among them.
     */
    async sample(
      runId: string,
      key: string,
      options: { readonly count: number; readonly from?: Int64; readonly to?: Int64 },
    ): Promise<readonly MetricPoint[]> {
      const series = await db
        .selectFrom('metric_series')
        .select('id')
        .where('run_id', '=', runId)
        .where('key', '=', key)
        .executeTakeFirst();
      if (!series) return [];
      let points = db.selectFrom('metric_points').where('series_id', '=', series.id);
      if (options.from !== undefined) points = points.where('step', '>=', options.from);
      if (options.to !== undefined) points = points.where('step', '<=', options.to);
      const { total } = await points.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const strides = sampleStrides(Number(total), options.count);
      const all = points.select(['step', 'timestamp', 'value', 'is_nan']);
      if (strides === undefined) return (await inOrder(all, 'asc').execute()).map(toPoint);
      const parts = await Promise.all([
        ...strides.map((some) => walk(database, { all, series: series.id, ...some })),
        inOrder(all, 'desc').limit(1).execute(),
      ]);
      return parts.flat().map(toPoint);
    },

    /** The points of several runs, by run, timestamp, step and value. */
    async historyOfRuns(
      runIds: readonly string[],
      key: string,
      limit: number,
    ): Promise<readonly (MetricPoint & { readonly runId: string })[]> {
      const rows = await db
        .selectFrom('metric_points as point')
        .innerJoin('metric_series as series', 'series.id', 'point.series_id')
        .where('series.run_id', 'in', runIds)
        .where('series.key', '=', key)
        .select(['series.run_id', 'point.timestamp', 'point.step', 'point.value', 'point.is_nan'])
        .orderBy('series.run_id')
        .orderBy('point.timestamp')
        .orderBy('point.step')
        .orderBy('point.value')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ runId: row.run_id, ...toPoint(row) }));
    },

    /** How much a run measured, for its end event. */
    async counts(runId: string): Promise<{ readonly metrics: number; readonly points: number }> {
      const series = await db
        .selectFrom('metric_series')
        .select(({ fn }) => fn.countAll().as('n'))
        .where('run_id', '=', runId)
        .executeTakeFirstOrThrow();
      const points = await db
        .selectFrom('metric_points as point')
        .innerJoin('metric_series as series', 'series.id', 'point.series_id')
        .select(({ fn }) => fn.countAll().as('n'))
        .where('series.run_id', '=', runId)
        .executeTakeFirstOrThrow();
      return { metrics: Number(series.n), points: Number(points.n) };
    },
  };
};

type PointsOfRun = { readonly runId: string; readonly experimentId: string; readonly metrics: readonly Metric[] };

export type MetricStore = ReturnType<typeof metricStore>;

type PointRow = Omit<MetricTables['metric_points'], 'series_id'>;
type Points = SelectQueryBuilder<MetricTables, 'metric_points', PointRow>;

const inOrder = (points: Points, direction: 'asc' | 'desc'): Points =>
  points
    .orderBy('step', direction)
    .orderBy('timestamp', direction)
    .orderBy('value', direction)
    .orderBy('is_nan', direction);

/**
 * Jumps along the primary key from one point to the next. A window function numbers all points of the series for that, which takes
 * ten times as long.
 */
async function walk(
  db: Db,
  { all, series, from, stride, count }: Strides & { readonly all: Points; readonly series: Int64 },
): Promise<readonly PointRow[]> {
  const point = sql`point.step, point.timestamp, point.value, point.is_nan`;
  const first = inOrder(all, 'asc').limit(1).offset(from);
  // Without the plus SQLite looks up the step alone, and reads all points of that step at each jump.
  const next = inOrder(all, 'asc')
    .where(
      sql<SqlBool>`(step, timestamp, value, is_nan) > (+walked.step, +walked.timestamp, +walked.value, +walked.is_nan)`,
    )
    .limit(1)
    .offset(stride - 1);
  // SQLite has no LATERAL, and PostgreSQL would compare every point of the series with the subquery.
  const jump = isPostgres(db)
    ? sql`cross join lateral (${next}) as point`
    : sql`inner join metric_points as point on point.series_id = ${series} and (${point}) = (${next})`;
  const { rows } = await sql<PointRow>`
    with recursive walked (place, step, timestamp, value, is_nan) as (
      select 1, ${point} from (${first}) as point
      union all
      select walked.place + 1, ${point} from walked ${jump} where walked.place < ${count}
    )
    select step, timestamp, value, is_nan from walked order by place`.execute(db);
  return rows;
}

const seriesColumns = {
  run_id: 'text',
  key: 'text',
  experiment_id: 'bigint',
  value: 'double precision',
  is_nan: 'integer',
  timestamp: 'bigint',
  step: 'bigint',
} as const;

const pointColumns = {
  series_id: 'bigint',
  step: 'bigint',
  timestamp: 'bigint',
  value: 'double precision',
  is_nan: 'integer',
} as const;

/** A series holds the latest of its points. */
const newer =
  '(excluded.step, excluded.timestamp, excluded.value) > (metric_series.step, metric_series.timestamp, metric_series.value)';
const latest = ['value', 'is_nan', 'timestamp', 'step']
  .map((column) => `${column} = case when ${newer} then excluded.${column} else metric_series.${column} end`)
  .join(', ');
const keepLatest = `on conflict (run_id, key) do update set ${latest} returning run_id, key, id`;

const toPoint = (row: { value: number; is_nan: number; timestamp: Int64; step: Int64 }): MetricPoint => ({
  value: loadedValue(row),
  timestamp: row.timestamp,
  step: row.step,
});
