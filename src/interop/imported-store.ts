/** What is here of an import, read back from the tables in the form in which it came. */
import type { ModelTables } from '../registry/model-store.ts';
import { modelStore } from '../registry/model-store.ts';
import { type VersionTables, versionStore } from '../registry/version-store.ts';
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { type ExperimentTables, experimentStore } from '../tracking/experiment-store.ts';
import type { LoggedModel } from '../tracking/logged-model.ts';
import { type LoggedModelTables, loggedModelStore } from '../tracking/logged-model-store.ts';
import { loadedValue } from '../tracking/metric.ts';
import type { MetricTables } from '../tracking/metric-store.ts';
import type { Run } from '../tracking/run.ts';
import { runDetails } from '../tracking/run-details-store.ts';
import type { RunTables } from '../tracking/run-store.ts';
import type {
  EntityKind,
  EntityRecord,
  ExperimentRecord,
  LoggedModelRecord,
  ModelRecord,
  PointsSummary,
  RunRecord,
  VersionRecord,
  WireDouble,
  WireInt64,
} from './mlflow-record.ts';
import { PointsDigest } from './points-digest.ts';

type Tables = ExperimentTables & RunTables & MetricTables & LoggedModelTables & ModelTables & VersionTables;

/** The records of these names; what is not there is left out. @param names as `nameOf` has them */
export async function readRecords(
  database: Db,
  kind: EntityKind,
  names: readonly string[],
): Promise<readonly EntityRecord[]> {
  switch (kind) {
    case 'experiment':
      return readExperiments(database, names);
    case 'run':
      return readRuns(database, names);
    case 'logged-model':
      return readLoggedModels(database, names);
    case 'model':
      return readModels(database, names);
    case 'version':
      return readVersions(database, names);
  }
}

async function readExperiments(database: Db, ids: readonly string[]): Promise<readonly ExperimentRecord[]> {
  const db = database.withTables<Tables>();
  const rows = await db.selectFrom('experiments').selectAll().where('id', 'in', ids.map(BigInt)).execute();
  return (await experimentStore(database).withTags(rows)).map(({ project: _, ...rest }) => ({
    kind: 'experiment',
    ...rest,
    tags: [...rest.tags],
  }));
}

async function readRuns(database: Db, ids: readonly string[]): Promise<readonly RunRecord[]> {
  const db = database.withTables<Tables>();
  const deleted = await db.selectFrom('runs').select(['id', 'deleted_at']).where('id', 'in', ids).execute();
  const deletedAt = new Map(deleted.map(({ id, deleted_at }) => [id, deleted_at]));
  return (await runDetails(database, ids)).map((run) => runRecordOf(run, deletedAt.get(run.id) ?? undefined));
}

const runRecordOf = (run: Run, deletedAt: number | undefined): RunRecord => ({
  kind: 'run',
  id: run.id,
  experimentId: run.experimentId,
  name: run.name,
  userId: run.userId,
  status: run.status,
  startTime: wire(run.startTime),
  ...(run.endTime === undefined ? {} : { endTime: wire(run.endTime) }),
  artifactUri: run.artifactUri,
  lifecycle: run.lifecycle,
  ...(deletedAt === undefined ? {} : { deletedAt: Number(deletedAt) }),
  params: [...run.params],
  tags: [...run.tags],
  datasets: run.datasets.map(({ dataset, tags }) => ({ ...dataset, tags: [...tags] })),
  modelInputs: [...run.modelInputs],
  modelOutputs: run.modelOutputs.map(({ modelId, step }) => ({ modelId, step: wire(step) })),
});

async function readLoggedModels(database: Db, ids: readonly string[]): Promise<readonly LoggedModelRecord[]> {
  const db = database.withTables<Tables>();
  const rows = await db.selectFrom('logged_models').selectAll().where('id', 'in', ids).execute();
  return (await loggedModelStore(database).withDetails(rows)).map(loggedModelRecordOf);
}

const loggedModelRecordOf = ({ params, tags, metrics, ...rest }: LoggedModel): LoggedModelRecord => ({
  kind: 'logged-model',
  ...rest,
  params: [...params],
  tags: [...tags],
  metrics: metrics.map(({ modelId: _, ...metric }) => ({
    ...metric,
    value: wireDouble(metric.value),
    timestamp: wire(metric.timestamp),
    step: wire(metric.step),
  })),
});

async function readModels(database: Db, names: readonly string[]): Promise<readonly ModelRecord[]> {
  const db = database.withTables<Tables>();
  const rows = await db.selectFrom('registered_models').selectAll().where('name', 'in', names).execute();
  return (await modelStore(database).withDetails(rows)).map(({ project: _, aliases: __, ...rest }) => ({
    kind: 'model',
    ...rest,
    tags: [...rest.tags],
  }));
}

async function readVersions(database: Db, names: readonly string[]): Promise<readonly VersionRecord[]> {
  const db = database.withTables<Tables>();
  const wanted = names.map((name) => ({
    model: name.slice(0, name.lastIndexOf('/')),
    version: Number(name.slice(name.lastIndexOf('/') + 1)),
  }));
  const rows = await db
    .selectFrom('model_versions')
    .selectAll()
    .where((e) => e.or(wanted.map(({ model, version }) => e.and([e('name', '=', model), e('version', '=', version)]))))
    .execute();
  const isDeleted = new Set(
    rows.filter(({ deleted }) => Number(deleted) !== 0).map(({ name, version }) => `${name}/${version}`),
  );
  return (await versionStore(database).withDetails(rows)).map((version) => ({
    kind: 'version',
    model: version.model,
    version: version.version,
    deleted: isDeleted.has(`${version.model}/${version.version}`),
    source: version.source,
    storageLocation: version.storageLocation,
    ...(version.runId === undefined ? {} : { runId: version.runId }),
    ...(version.runLink === undefined ? {} : { runLink: version.runLink }),
    ...(version.loggedModelId === undefined ? {} : { loggedModelId: version.loggedModelId }),
    ...(version.userId === undefined ? {} : { userId: version.userId }),
    ...(version.description === undefined ? {} : { description: version.description }),
    stage: version.stage,
    status: version.status,
    ...(version.statusMessage === undefined ? {} : { statusMessage: version.statusMessage }),
    createdAt: version.createdAt,
    updatedAt: version.updatedAt,
    tags: [...version.tags],
    aliases: [...version.aliases],
  }));
}

/** What is measured of these runs, read in parts: a run may have more points than memory. */
export async function summarizePoints(
  database: Db,
  runIds: readonly string[],
): Promise<Readonly<Record<string, PointsSummary & { readonly latest: string }>>> {
  const db = database.withTables<Tables>();
  const series = await db
    .selectFrom('metric_series')
    .select(['id', 'run_id', 'key', 'step', 'timestamp', 'value', 'is_nan'])
    .where('run_id', 'in', runIds)
    .execute();
  const digests = new Map(runIds.map((id) => [id, new PointsDigest()]));
  const latest = new Map(runIds.map((id) => [id, new PointsDigest()]));
  for (const row of series) {
    const at = { steps: [wire(row.step)], timestamps: [wire(row.timestamp)], values: [wireDouble(loadedValue(row))] };
    latest.get(row.run_id)?.add(row.key, at.steps, at.timestamps, at.values);
  }
  const ofSeries = new Map(series.map((one) => [String(one.id), one]));
  const add = (rows: readonly PointRow[]) => {
    for (const [id, points] of Map.groupBy(rows, ({ series_id }) => String(series_id))) {
      const one = ofSeries.get(id);
      if (!one) continue;
      const column = (pick: (row: PointRow) => Int64) => points.map((row) => wire(pick(row)));
      digests.get(one.run_id)?.add(
        one.key,
        column(({ step }) => step),
        column(({ timestamp }) => timestamp),
        points.map((row) => wireDouble(loadedValue(row))),
      );
    }
  };
  const ids = series.map(({ id }) => id).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (let at = 0; at < ids.length; at += 500) {
    const some = ids.slice(at, at + 500);
    for (let after: PointRow | undefined; ; ) {
      const rows: readonly PointRow[] = await pageAfter(database, some, after);
      add(rows);
      after = rows.at(-1);
      if (rows.length < pageSize) break;
    }
  }
  const latestOf = (id: string) => latest.get(id)?.summary.digest ?? '';
  return Object.fromEntries([...digests].map(([id, { summary }]) => [id, { ...summary, latest: latestOf(id) }]));
}

type PointRow = MetricTables['metric_points'];

const pageSize = 20_000;
const order = ['series_id', 'step', 'timestamp', 'value', 'is_nan'] as const;

function pageAfter(database: Db, series: readonly Int64[], after: PointRow | undefined): Promise<readonly PointRow[]> {
  const db = database.withTables<MetricTables>();
  // The series of the last page's end goes on behind it, then come the others.
  const rest = after === undefined ? series : series.filter((id) => id >= after.series_id);
  let query = db.selectFrom('metric_points').selectAll().where('series_id', 'in', rest);
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('series_id', 'step', 'timestamp', 'value', 'is_nan'),
        '>',
        tuple(after.series_id, after.step, after.timestamp, after.value, after.is_nan),
      ),
    );
  }
  for (const column of order) query = query.orderBy(column);
  return query.limit(pageSize).execute();
}

const wire = (value: Int64): WireInt64 => (typeof value === 'bigint' ? String(value) : value);
const wireDouble = (value: number): WireDouble => (Number.isNaN(value) ? 'NaN' : value);
