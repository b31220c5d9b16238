/** Imports in the database, and what they write: whole batches with the ids, numbers and times of the source. */
import { sql } from 'kysely';
import { PlatformError } from '../errors.ts';
import type { ModelTables } from '../registry/model-store.ts';
import type { VersionTables } from '../registry/version-store.ts';
import type { Db } from '../storage/database.ts';
import { type Int64, narrowInteger } from '../storage/int64.ts';
import { defaultExperiment } from '../tracking/experiment.ts';
import type { ExperimentTables } from '../tracking/experiment-store.ts';
import type { LoggedModelTables } from '../tracking/logged-model-store.ts';
import { storedValue } from '../tracking/metric.ts';
import { metricStore } from '../tracking/metric-store.ts';
import { type RunInputTables, runInputStore } from '../tracking/run-input-store.ts';
import type { RunTables } from '../tracking/run-store.ts';
import type {
  ExperimentRecord,
  LoggedModelRecord,
  MlflowRecord,
  ModelRecord,
  PointsRecord,
  RunRecord,
  VersionRecord,
  WireDouble,
  WireInt64,
} from './mlflow-record.ts';

export type ImportTables = {
  imports: {
    id: string;
    source: string;
    actor: string;
    started_at: number;
    ended_at: number | null;
    records: number;
    points: number;
    report: string | null;
  };
};

type Tables = ImportTables &
  ExperimentTables &
  RunTables &
  RunInputTables &
  LoggedModelTables &
  ModelTables &
  Pick<VersionTables, 'model_version_tags'> & {
    // A version that comes in has no place in the trash: what else its table has stays as it is by itself.
    model_versions: Omit<VersionTables['model_versions'], 'trashed_at' | 'trashed_aliases'>;
  };

export type StoredImport = {
  readonly id: string;
  readonly source: string;
  readonly actor: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly records: number;
  readonly points: number;
  readonly report?: unknown;
};

export const importStore = (database: Db) => {
  const db = database.withTables<Tables>();
  return {
    async insert(one: Pick<StoredImport, 'id' | 'source' | 'actor' | 'startedAt'>): Promise<void> {
      const { startedAt: started_at, ...rest } = one;
      const none = { ended_at: null, records: 0, points: 0, report: null };
      await db
        .insertInto('imports')
        .values({ ...rest, ...none, started_at })
        .execute();
    },

    /** Counts what a batch brings, and holds the import's row: an import that has ended takes no more. */
    async count(id: string, batch: { readonly records: number; readonly points: number }): Promise<void> {
      const open = await db
        .updateTable('imports')
        .set({ records: sql`records + ${batch.records}`, points: sql`points + ${batch.points}` })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .returning('id')
        .executeTakeFirst();
      if (!open) throw new PlatformError('interop/no-import', id);
    },

    async end(id: string, report: unknown, at: number): Promise<StoredImport> {
      const row = await db
        .updateTable('imports')
        .set({ ended_at: at, report: JSON.stringify(report) })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .returningAll()
        .executeTakeFirst();
      if (!row) throw new PlatformError('interop/no-import', id);
      return toImport(row);
    },

    /** Newest first. */
    async list(limit: number): Promise<readonly StoredImport[]> {
      const rows = await db.selectFrom('imports').selectAll().orderBy('started_at', 'desc').orderBy('id').limit(limit);
      return (await rows.execute()).map(toImport);
    },
  };
};

const toImport = (row: ImportTables['imports']): StoredImport => ({
  id: row.id,
  source: row.source,
  actor: row.actor,
  startedAt: Number(row.started_at),
  ...(row.ended_at === null ? {} : { endedAt: Number(row.ended_at) }),
  records: Number(row.records),
  points: Number(row.points),
  ...(row.report === null ? {} : { report: JSON.parse(row.report) as unknown }),
});

/**
 * Writes a batch. What is there already under the same id becomes what the source says, as long as it is the same thing.
 * @param projectOf the project that an experiment or model belongs to, by its tags
 * @throws PlatformError interop/collision when an id or a name means something else here
 */
export async function writeRecords(
  database: Db,
  records: readonly MlflowRecord[],
  {
    newId,
    projectOf,
  }: {
    readonly newId: () => string;
    readonly projectOf: (tags: readonly { readonly key: string; readonly value: string }[]) => string;
  },
): Promise<void> {
  const db = database.withTables<Tables>();
  const of = <K extends MlflowRecord['kind']>(kind: K) =>
    records.filter((record): record is Extract<MlflowRecord, { kind: K }> => record.kind === kind);
  await writeExperiments(of('experiment'));
  await writeRuns(of('run'));
  await writePoints(of('points'));
  await writeLoggedModels(of('logged-model'));
  await writeModels(of('model'));
  await writeVersions(of('version'));

  async function writeExperiments(all: readonly ExperimentRecord[]): Promise<void> {
    if (all.length === 0) return;
    const ids = all.map(({ id }) => BigInt(id));
    const names = all.map(({ name }) => name);
    const found = await db
      .selectFrom('experiments')
      .select(['id', 'name', 'created_at'])
      .where((e) => e.or([e('id', 'in', ids), e('name', 'in', names)]))
      .execute();
    for (const record of all) {
      for (const other of found.filter(({ id, name }) => String(id) === record.id || name === record.name)) {
        requireSameExperiment(record, { ...other, id: String(other.id), createdAt: Number(other.created_at) });
      }
    }
    for (const { id, name, artifactLocation, lifecycle, createdAt, updatedAt, tags } of all) {
      const row = {
        name,
        artifact_location: artifactLocation,
        lifecycle,
        created_at: createdAt,
        updated_at: updatedAt,
        project: projectOf(tags),
      };
      await db
        .insertInto('experiments')
        .values({ id: BigInt(id), ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      for (const { key, value } of tags) {
        await db
          .insertInto('experiment_tags')
          .values({ experiment_id: BigInt(id), key, value })
          .onConflict((conflict) => conflict.columns(['experiment_id', 'key']).doUpdateSet({ value }))
          .execute();
      }
    }
  }

  async function writeRuns(all: readonly RunRecord[]): Promise<void> {
    if (all.length === 0) return;
    const found = await db
      .selectFrom('runs')
      .select(['id', 'experiment_id', 'start_time'])
      .where(
        'id',
        'in',
        all.map(({ id }) => id),
      )
      .execute();
    for (const run of all) {
      const there = found.find(({ id }) => id === run.id);
      const same =
        !there || (String(there.experiment_id) === run.experimentId && there.start_time === int64(run.startTime));
      if (!same) throw collision('run', run.id, 'another experiment or start time');
    }
    const rows = all.map((run) => ({
      id: run.id,
      experiment_id: BigInt(run.experimentId),
      name: run.name,
      user_id: run.userId,
      status: run.status as RunTables['runs']['status'], // the schema of the record names the same
      start_time: int64(run.startTime),
      end_time: run.endTime === undefined ? null : int64(run.endTime),
      artifact_uri: run.artifactUri,
      lifecycle: run.lifecycle,
      deleted_at: run.deletedAt ?? null,
    }));
    await inParts(rows, async (part) => {
      await db
        .insertInto('runs')
        .values(part)
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet((e) => ({
            name: e.ref('excluded.name'),
            user_id: e.ref('excluded.user_id'),
            status: e.ref('excluded.status'),
            end_time: e.ref('excluded.end_time'),
            artifact_uri: e.ref('excluded.artifact_uri'),
            lifecycle: e.ref('excluded.lifecycle'),
            deleted_at: e.ref('excluded.deleted_at'),
          })),
        )
        .execute();
    });
    const pairs = (field: 'params' | 'tags') =>
      all.flatMap((run) => lastOf(run[field]).map((pair) => ({ run_id: run.id, ...pair })));
    for (const [table, field] of [
      ['run_params', 'params'],
      ['run_tags', 'tags'],
    ] as const) {
      await inParts(pairs(field), async (part) => {
        await db
          .insertInto(table)
          .values(part)
          .onConflict((conflict) =>
            conflict.columns(['run_id', 'key']).doUpdateSet((e) => ({ value: e.ref('excluded.value') })),
          )
          .execute();
      });
    }
    await writeInputs(all);
  }

  async function writeInputs(all: readonly RunRecord[]): Promise<void> {
    const inputs = runInputStore(database);
    for (const run of all) {
      const datasets = run.datasets.map(({ tags, ...rest }) => ({ tags, dataset: given(rest) }));
      if (datasets.length > 0)
        await inputs.addDatasets({ id: run.id, experimentId: run.experimentId }, datasets, newId);
      const models = run.modelInputs.map((modelId) => ({ modelId, step: 0 }));
      if (models.length > 0) await inputs.addModels(run.id, 'input', models);
      const outputs = run.modelOutputs.map(({ modelId, step }) => ({ modelId, step: int64(step) }));
      if (outputs.length > 0) await inputs.addModels(run.id, 'output', outputs);
    }
  }

  async function writePoints(all: readonly PointsRecord[]): Promise<void> {
    const ofRun = Map.groupBy(all, ({ runId }) => runId); // parts of one series may come in one batch
    await metricStore(database).logAll(
      [...ofRun].map(([runId, parts]) => ({
        runId,
        experimentId: parts[0]?.experimentId ?? '',
        metrics: parts.flatMap(({ key, steps, timestamps, values }) =>
          steps.map((step, at) => ({
            key,
            step: int64(step),
            timestamp: int64(timestamps[at] ?? 0),
            value: double(values[at] ?? 'NaN'),
          })),
        ),
      })),
    );
  }

  async function writeLoggedModels(all: readonly LoggedModelRecord[]): Promise<void> {
    if (all.length === 0) return;
    const ids = all.map(({ id }) => id);
    const found = await db
      .selectFrom('logged_models')
      .select(['id', 'experiment_id', 'created_at'])
      .where('id', 'in', ids)
      .execute();
    for (const model of all) {
      const there = found.find(({ id }) => id === model.id);
      const same =
        !there || (String(there.experiment_id) === model.experimentId && Number(there.created_at) === model.createdAt);
      if (!same) throw collision('logged model', model.id, 'another experiment or creation time');
      const row = {
        name: model.name,
        artifact_location: model.artifactLocation,
        status: model.status as LoggedModelTables['logged_models']['status'], // the schema of the record names the same
        status_message: model.statusMessage ?? null,
        lifecycle: model.lifecycle,
        model_type: model.modelType ?? null,
        source_run_id: model.sourceRunId ?? null,
        updated_at: model.updatedAt,
      };
      await db
        .insertInto('logged_models')
        .values({ id: model.id, experiment_id: BigInt(model.experimentId), created_at: model.createdAt, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
    }
    for (const [table, field] of [
      ['logged_model_params', 'params'],
      ['logged_model_tags', 'tags'],
    ] as const) {
      const rows = all.flatMap((model) => lastOf(model[field]).map((pair) => ({ model_id: model.id, ...pair })));
      await inParts(rows, async (part) => {
        await db
          .insertInto(table)
          .values(part)
          .onConflict((conflict) =>
            conflict.columns(['model_id', 'key']).doUpdateSet((e) => ({ value: e.ref('excluded.value') })),
          )
          .execute();
      });
    }
    const metrics = all.flatMap((model) =>
      model.metrics.map((metric) => ({
        model_id: model.id,
        key: metric.key,
        timestamp: int64(metric.timestamp),
        step: int64(metric.step),
        run_id: metric.runId,
        ...storedValue(double(metric.value)),
        dataset_name: metric.datasetName ?? null,
        dataset_digest: metric.datasetDigest ?? null,
      })),
    );
    await inParts(metrics, async (part) => {
      await db
        .insertInto('logged_model_metrics')
        .values(part)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  async function writeModels(all: readonly ModelRecord[]): Promise<void> {
    if (all.length === 0) return;
    const names = all.map(({ name }) => name);
    const found = await db
      .selectFrom('registered_models')
      .select(['name', 'created_at'])
      .where('name', 'in', names)
      .execute();
    for (const { name, description, createdAt, updatedAt, tags } of all) {
      const there = found.find((one) => one.name === name);
      if (there && Number(there.created_at) !== createdAt)
        throw collision('registered model', name, 'another creation time');
      const row = { description: description ?? null, updated_at: updatedAt };
      await db
        .insertInto('registered_models')
        .values({ name, project: projectOf(tags), created_at: createdAt, ...row })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
        .execute();
      for (const { key, value } of tags) {
        await db
          .insertInto('registered_model_tags')
          .values({ name, key, value })
          .onConflict((conflict) => conflict.columns(['name', 'key']).doUpdateSet({ value }))
          .execute();
      }
    }
  }

  async function writeVersions(all: readonly VersionRecord[]): Promise<void> {
    if (all.length === 0) return;
    const models = [...new Set(all.map(({ model }) => model))];
    const known = new Map(
      (await db.selectFrom('registered_models').select(['name', 'project']).where('name', 'in', models).execute()).map(
        ({ name, project }) => [name, project],
      ),
    );
    const found = await db
      .selectFrom('model_versions')
      .select(['name', 'version', 'created_at', 'deleted'])
      .where('name', 'in', models)
      .execute();
    for (const record of all) {
      const { model, version } = record;
      const project = known.get(model);
      if (project === undefined) throw new PlatformError('registry/model-not-found', model);
      const there = found.find((one) => one.name === model && Number(one.version) === version);
      if (there && Number(there.created_at) !== record.createdAt) {
        throw collision('version', `${model}/${version}`, 'another creation time');
      }
      if (there && Number(there.deleted) !== 0) continue; // deleted here since: it stays so, and the report says so
      const row = {
        deleted: record.deleted ? 1 : 0,
        source: record.source,
        storage_location: record.storageLocation,
        run_id: record.runId ?? null,
        run_link: record.runLink ?? null,
        model_id: record.loggedModelId ?? null,
        user_id: record.userId ?? null,
        description: record.description ?? null,
        stage: record.stage as VersionTables['model_versions']['stage'], // the schema of the record names the same
        status: record.status as VersionTables['model_versions']['status'],
        status_message: record.statusMessage ?? null,
        updated_at: record.updatedAt,
      };
      await db
        .insertInto('model_versions')
        .values({
          name: model,
          version,
          project,
          created_at: record.createdAt,
          lineage: JSON.stringify({ datasets: [] }),
          sealed: null,
          profile_digest: null,
          gate_data_digest: null,
          parity_digest: null,
          ...row,
        })
        .onConflict((conflict) => conflict.columns(['name', 'version']).doUpdateSet(row))
        .execute();
      for (const { key, value } of record.tags) {
        await db
          .insertInto('model_version_tags')
          .values({ name: model, version, key, value })
          .onConflict((conflict) => conflict.columns(['name', 'version', 'key']).doUpdateSet({ value }))
          .execute();
      }
      for (const alias of record.aliases) {
        await db
          .insertInto('model_aliases')
          .values({ name: model, alias, version })
          .onConflict((conflict) => conflict.columns(['name', 'alias']).doUpdateSet({ version }))
          .execute();
      }
    }
  }
}

/** Experiment 0 is there from the first start, so it is the same thing as the source's as long as nobody gave it a name here. */
function requireSameExperiment(
  record: ExperimentRecord,
  there: { readonly id: string; readonly name: string; readonly createdAt: number },
): void {
  if (there.id !== record.id) {
    throw new PlatformError('interop/collision', `experiment ${record.id}`, {
      message: `The experiment ${record.id} of MLflow is called ${record.name}, and so is the experiment ${there.id} here.`,
      hint: `rename one of the two, or import into a data folder of its own: rondo import … --data ./other-folder`,
    });
  }
  const untouched = record.id === defaultExperiment.id && there.name === defaultExperiment.name;
  if (untouched || there.createdAt === record.createdAt) return;
  if (record.id === defaultExperiment.id && there.name === record.name) return;
  throw collision('experiment', record.id, `another name or creation time (${there.name})`);
}

const collision = (what: string, id: string, why: string): PlatformError =>
  new PlatformError('interop/collision', `${what} ${id}`, {
    message: `There is another ${what} ${id} here already, with ${why}.`,
    hint: 'import into a data folder of its own, with --data, or delete the one here for good (`rondo gc`)',
  });

export const int64 = (value: WireInt64): Int64 => (typeof value === 'number' ? value : narrowInteger(BigInt(value)));
const double = (value: WireDouble): number => (value === 'NaN' ? Number.NaN : value);

type Pair = { readonly key: string; readonly value: string };

/** One row a key: a statement cannot write a row twice. */
const lastOf = (pairs: readonly Pair[]): readonly Pair[] => [
  ...new Map(pairs.map((pair) => [pair.key, pair])).values(),
];

/** Without members that are undefined, as exact optional properties want it. */
const given = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T; // only undefined is gone

/** Statements of at most so many rows: both databases limit the number of parameters. */
async function inParts<Row>(rows: readonly Row[], write: (part: readonly Row[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < rows.length; at += 2000) await write(rows.slice(at, at + 2000));
}
