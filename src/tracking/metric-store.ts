/** Metric series and their points in the database. */
import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { announce } from '../storage/announcements.ts';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
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

type SeriesColumns = Omit<MetricTables['metric_series'], 'id'>;
type WritableTables = { metric_series: SeriesColumns; metric_points: MetricTables['metric_points'] };

export const metricStore = (database: Db) => {
  const db = database.withTables<MetricTables>();
  const writable = database.withTables<WritableTables>();

  const pointsOf = (runId: string, key: string) =>
    db
      .selectFrom('metric_points as point')
      .innerJoin('metric_series as series', 'series.id', 'point.series_id')
      .where('series.run_id', '=', runId)
      .where('series.key', '=', key);

  async function logAll(runs: readonly PointsOfRun[]): Promise<void> {
    for (const { runId } of runs) announce(database, metricsTopic(runId));
    const series = runs.flatMap(({ runId, experimentId, metrics }) =>
      [...latestByKey(metrics).values()].map(({ key, value, timestamp, step }) => ({
        run_id: runId,
        key,
        experiment_id: parseExperimentId(experimentId),
        ...storedValue(value),
        timestamp,
        step,
      })),
    );
    const ids = new Map<string, Int64>();
    const placeOf = (runId: string, key: string) => `${runId}/${key}`; // no run id has a slash
    for (const part of partsOf(series)) {
      const stored = await writable
        .insertInto('metric_series')
        .values(part)
        .onConflict((conflict) =>
          conflict.columns(['run_id', 'key']).doUpdateSet({
            value: ifLater('value'),
            is_nan: ifLater('is_nan'),
            timestamp: ifLater('timestamp'),
            step: ifLater('step'),
          }),
        )
        .returning(['run_id', 'key', sql<Int64>`id`.as('id')])
        .execute();
      for (const { run_id, key, id } of stored) ids.set(placeOf(run_id, key), id);
    }
    const points = runs.flatMap(({ runId, metrics }) =>
      metrics.map(({ key, value, timestamp, step }) => ({
        series_id: ids.get(placeOf(runId, key)) ?? 0,
        timestamp,
        step,
        ...storedValue(value),
      })),
    );
    for (const part of partsOf(points)) {
      await writable
        .insertInto('metric_points')
        .values(part)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
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

/** SQLite takes 32,766 parameters in a statement, and a series has seven. */
const partsOf = <Row>(rows: readonly Row[]): readonly (readonly Row[])[] =>
  Array.from({ length: Math.ceil(rows.length / 4000) }, (_, at) => rows.slice(at * 4000, (at + 1) * 4000));

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

const newer = sql`(excluded.step, excluded.timestamp, excluded.value) > (metric_series.step, metric_series.timestamp, metric_series.value)`;
const ifLater = (column: 'value' | 'is_nan' | 'timestamp' | 'step') =>
  sql<number>`case when ${newer} then ${sql.ref(`excluded.${column}`)} else ${sql.ref(`metric_series.${column}`)} end`;

const toPoint = (row: { value: number; is_nan: number; timestamp: Int64; step: Int64 }): MetricPoint => ({
  value: loadedValue(row),
  timestamp: row.timestamp,
  step: row.step,
});
