/** The database of an MLflow, whatever release wrote it: tables and columns that a release lacks are empty. */
import { PlatformError } from '../errors.ts';
import { type FindLocal, localArtifacts } from './local-artifacts-adapter.ts';
import type { LoggedModelRecord, ModelRecord, PointsRecord, RunRecord, VersionRecord } from './mlflow-record.ts';
import { type LeftOut, type MlflowSource, pageSize, partSize } from './mlflow-source.ts';
import {
  deletedStage,
  doubleOf,
  givenText,
  int64Of,
  lifecycleOf,
  loggedModelIn,
  loggedModelStatus,
  oneOf,
  type Row,
  runStatuses,
  stages,
  textOf,
  timeOf,
  versionStatuses,
} from './row-values.ts';
import type { SqlReader } from './sql-reader-adapter.ts';

/** @throws PlatformError interop/bad-source for a database without MLflow's tables */
export async function databaseSource(
  sql: SqlReader,
  { address, findLocal }: { readonly address: string; readonly findLocal: FindLocal },
): Promise<MlflowSource> {
  const columns = await columnsOf(sql);
  if (!columns.has('experiments') || !columns.has('runs')) {
    throw new PlatformError('interop/bad-source', address, { message: `${address} has no tables of MLflow.` });
  }
  /** Only the workspace that everything was in before there were others: the same names stand in several. */
  const own = (table: string) => (columns.get(table)?.has('workspace') ? "workspace = 'default'" : '1 = 1');

  /** All rows of a table whose `column` is one of `values`; none where the release has no such table. */
  async function rowsOf(table: string, column: string, values: readonly unknown[], more = ''): Promise<readonly Row[]> {
    if (!columns.has(table) || values.length === 0) return [];
    return sql.all(`select * from ${table} where ${column} in (${questions(values)}) ${more}`, values);
  }

  /** A table by its key, page by page. */
  async function* pages(table: string, key: string, where = '1 = 1'): AsyncGenerator<readonly Row[]> {
    if (!columns.has(table)) return;
    for (let last: unknown; ; ) {
      const after = last === undefined ? '' : `and ${key} > ?`;
      const query = `select * from ${table} where ${where} ${after} order by ${key} limit ${pageSize}`;
      const rows: readonly Row[] = await sql.all(query, last === undefined ? [] : [last]);
      if (rows.length > 0) yield rows;
      if (rows.length < pageSize) return;
      last = rows.at(-1)?.[key];
    }
  }

  return {
    address,
    isSlow: false,

    async *experiments() {
      for await (const rows of pages('experiments', 'experiment_id', own('experiments'))) {
        const ids = rows.map((row) => row.experiment_id);
        const tags = grouped(await rowsOf('experiment_tags', 'experiment_id', ids), 'experiment_id');
        yield rows.map((row) => ({
          kind: 'experiment',
          id: textOf(row.experiment_id),
          name: textOf(row.name),
          artifactLocation: textOf(row.artifact_location),
          lifecycle: lifecycleOf(row.lifecycle_stage),
          createdAt: timeOf(row.creation_time),
          updatedAt: timeOf(row.last_update_time),
          tags: pairs(tags.get(textOf(row.experiment_id))),
        }));
      }
    },

    async *runs() {
      const mine = columns.get('experiments')?.has('workspace')
        ? `experiment_id in (select experiment_id from experiments where ${own('experiments')})`
        : '1 = 1';
      for await (const rows of pages('runs', 'run_uuid', mine)) {
        const ids = rows.map((row) => row.run_uuid);
        const params = grouped(await rowsOf('params', 'run_uuid', ids), 'run_uuid');
        const tags = grouped(await rowsOf('tags', 'run_uuid', ids), 'run_uuid');
        const inputs = grouped(
          await rowsOf('inputs', 'destination_id', ids, "and destination_type = 'RUN'"),
          'destination_id',
        );
        const datasetIds = [...inputs.values()].flat().map((input) => input.source_id);
        const datasets = grouped(await rowsOf('datasets', 'dataset_uuid', datasetIds), 'dataset_uuid');
        const inputIds = [...inputs.values()].flat().map((input) => input.input_uuid);
        const inputTags = grouped(await rowsOf('input_tags', 'input_uuid', inputIds), 'input_uuid');
        const models = grouped(await rowsOf('inputs', 'source_id', ids), 'source_id');
        yield rows.map((row): RunRecord => {
          const id = textOf(row.run_uuid);
          const links = models.get(id) ?? [];
          const ownTags = pairs(tags.get(id));
          return {
            kind: 'run',
            id,
            experimentId: textOf(row.experiment_id),
            name: textOf(row.name) || (ownTags.find(({ key }) => key === 'mlflow.runName')?.value ?? ''),
            userId: textOf(row.user_id),
            status: oneOf(runStatuses, row.status, 'SCHEDULED'),
            startTime: int64Of(row.start_time),
            ...(row.end_time === null || row.end_time === undefined ? {} : { endTime: int64Of(row.end_time) }),
            artifactUri: textOf(row.artifact_uri),
            lifecycle: lifecycleOf(row.lifecycle_stage),
            ...(row.deleted_time === null || row.deleted_time === undefined
              ? {}
              : { deletedAt: timeOf(row.deleted_time) }),
            params: pairs(params.get(id)),
            tags: ownTags,
            datasets: (inputs.get(id) ?? []).flatMap((input) => {
              const dataset = datasets.get(textOf(input.source_id))?.[0];
              if (!dataset) return [];
              return {
                name: textOf(dataset.name),
                digest: textOf(dataset.digest),
                sourceType: textOf(dataset.dataset_source_type),
                source: textOf(dataset.dataset_source),
                ...givenText('schema', dataset.dataset_schema),
                ...givenText('profile', dataset.dataset_profile),
                tags: (inputTags.get(textOf(input.input_uuid)) ?? []).map((tag) => ({
                  key: textOf(tag.name),
                  value: textOf(tag.value),
                })),
              };
            }),
            modelInputs: links
              .filter(({ source_type }) => source_type === 'RUN_INPUT')
              .map(({ destination_id }) => textOf(destination_id)),
            modelOutputs: links
              .filter(({ source_type }) => source_type === 'RUN_OUTPUT')
              .map(({ destination_id, step }) => ({ modelId: textOf(destination_id), step: int64Of(step) })),
          };
        });
      }
    },

    async *points(runs) {
      if (runs.length === 0) return;
      const ids = runs.map(({ id }) => id);
      const experimentOf = new Map(runs.map(({ id, experimentId }) => [id, experimentId]));
      const nan = columns.get('metrics')?.has('is_nan') ? 'is_nan' : '0 as is_nan';
      const step = columns.get('metrics')?.has('step') ? exact('step', sql) : '0 as step';
      const query = `select run_uuid, key, ${exact('timestamp', sql)}, ${step}, value, ${nan} from metrics
        where run_uuid in (${questions(ids)}) order by run_uuid, key`;
      for await (const rows of sql.parts(query, ids, partSize)) {
        let part: PointsRecord | undefined;
        for (const row of rows) {
          const runId = textOf(row.run_uuid);
          const key = textOf(row.key);
          if (!part || part.runId !== runId || part.key !== key) {
            if (part) yield part;
            const experimentId = experimentOf.get(runId) ?? '';
            part = { kind: 'points', runId, experimentId, key, steps: [], timestamps: [], values: [] };
          }
          part.steps.push(int64Of(row.step));
          part.timestamps.push(int64Of(row.timestamp));
          part.values.push(row.is_nan ? 'NaN' : doubleOf(row.value));
        }
        if (part) yield part;
      }
    },

    async *loggedModels() {
      const mine = columns.get('experiments')?.has('workspace')
        ? `experiment_id in (select experiment_id from experiments where ${own('experiments')})`
        : '1 = 1';
      for await (const rows of pages('logged_models', 'model_id', mine)) {
        const ids = rows.map((row) => row.model_id);
        const tags = grouped(await rowsOf('logged_model_tags', 'model_id', ids), 'model_id');
        const params = grouped(await rowsOf('logged_model_params', 'model_id', ids), 'model_id');
        const metrics = grouped(await rowsOf('logged_model_metrics', 'model_id', ids), 'model_id');
        yield rows.map((row): LoggedModelRecord => {
          const id = textOf(row.model_id);
          return {
            kind: 'logged-model',
            id,
            experimentId: textOf(row.experiment_id),
            name: textOf(row.name),
            artifactLocation: textOf(row.artifact_location),
            status: loggedModelStatus(row.status),
            ...givenText('statusMessage', row.status_message),
            lifecycle: lifecycleOf(row.lifecycle_stage),
            ...givenText('modelType', row.model_type),
            ...givenText('sourceRunId', row.source_run_id),
            createdAt: timeOf(row.creation_timestamp_ms),
            updatedAt: timeOf(row.last_updated_timestamp_ms),
            params: (params.get(id) ?? []).map((one) => ({
              key: textOf(one.param_key),
              value: textOf(one.param_value),
            })),
            tags: (tags.get(id) ?? []).map((one) => ({ key: textOf(one.tag_key), value: textOf(one.tag_value) })),
            metrics: (metrics.get(id) ?? []).map((metric) => ({
              key: textOf(metric.metric_name),
              value: doubleOf(metric.metric_value),
              timestamp: int64Of(metric.metric_timestamp_ms),
              step: int64Of(metric.metric_step),
              runId: textOf(metric.run_id),
              ...givenText('datasetName', metric.dataset_name),
              ...givenText('datasetDigest', metric.dataset_digest),
            })),
          };
        });
      }
    },

    async *models() {
      for await (const rows of pages('registered_models', 'name', own('registered_models'))) {
        const names = rows.map((row) => row.name);
        const where = `and ${own('registered_model_tags')}`;
        const tags = grouped(await rowsOf('registered_model_tags', 'name', names, where), 'name');
        yield rows.map(
          (row): ModelRecord => ({
            kind: 'model',
            name: textOf(row.name),
            ...givenText('description', row.description || undefined), // as MLflow shows it
            createdAt: timeOf(row.creation_time),
            updatedAt: timeOf(row.last_updated_time ?? row.creation_time),
            tags: pairs(tags.get(textOf(row.name))),
          }),
        );
      }
    },

    async *versions(models) {
      for (const { name } of models) {
        const alone = (table: string) => `and ${own(table)}`;
        const tags = await rowsOf('model_version_tags', 'name', [name], alone('model_version_tags'));
        const aliases = await rowsOf('registered_model_aliases', 'name', [name], alone('registered_model_aliases'));
        const is = (row: Row) => (other: Row) => Number(other.version) === Number(row.version);
        const rows = await rowsOf('model_versions', 'name', [name], `${alone('model_versions')} order by version`);
        for (let at = 0; at < rows.length; at += pageSize) {
          yield rows.slice(at, at + pageSize).map((row) => ({
            ...versionOf(row),
            tags: row.current_stage === deletedStage ? [] : pairs(tags.filter(is(row))),
            aliases: aliases.filter(is(row)).map((one) => textOf(one.alias)),
          }));
        }
      }
    },

    artifacts: (owner) => localArtifacts(owner, findLocal),

    async leftOut() {
      const left: Record<string, number> = {};
      const count = async (what: string, table: string, where = '1 = 1') => {
        if (!columns.has(table)) return;
        const [row] = await sql.all(`select count(*) as n from ${table} where ${where}`);
        const n = Number(row?.n ?? 0);
        if (n > 0) left[what] = n;
      };
      await count('traces', 'trace_info');
      await count('evaluation datasets', 'evaluation_datasets');
      await count('scorers', 'scorers');
      await count(
        'webhooks',
        'webhooks',
        columns.get('webhooks')?.has('deleted_timestamp') ? 'deleted_timestamp is null' : '1 = 1',
      );
      if (columns.get('experiments')?.has('workspace')) {
        await count('experiments of other workspaces', 'experiments', "workspace <> 'default'");
        await count('models of other workspaces', 'registered_models', "workspace <> 'default'");
      }
      return left satisfies LeftOut;
    },

    [Symbol.asyncDispose]: () => sql[Symbol.asyncDispose](),
  };
}

/** A row of `model_versions` by itself. */
export function versionOf(row: Row): Omit<VersionRecord, 'tags' | 'aliases'> {
  const times = { createdAt: timeOf(row.creation_time), updatedAt: timeOf(row.last_updated_time ?? row.creation_time) };
  const key = { kind: 'version', model: textOf(row.name), version: Number(row.version) } as const;
  if (row.current_stage === deletedStage) {
    return { ...key, deleted: true, source: '', storageLocation: '', stage: 'None', status: 'READY', ...times };
  }
  const source = textOf(row.source);
  return {
    ...key,
    deleted: false,
    source,
    storageLocation: textOf(row.storage_location) || source,
    ...givenText('runId', row.run_id),
    ...givenText('runLink', row.run_link),
    ...givenText('loggedModelId', row.model_id || loggedModelIn(source)),
    ...givenText('userId', row.user_id),
    ...givenText('description', row.description),
    stage: oneOf(stages, row.current_stage, 'None'),
    status: oneOf(versionStatuses, row.status, 'READY'),
    ...givenText('statusMessage', row.status_message),
    ...times,
  };
}

/** node:sqlite refuses integers beyond 2^53; PostgreSQL's driver gives text anyway. */
const exact = (column: string, { dialect }: SqlReader): string =>
  dialect === 'postgres'
    ? column
    : `case when ${column} between -9007199254740991 and 9007199254740991 then ${column} else cast(${column} as text) end as ${column}`;

async function columnsOf(sql: SqlReader): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const query =
    sql.dialect === 'sqlite'
      ? "select m.name as table_name, c.name as column_name from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'"
      : 'select table_name, column_name from information_schema.columns where table_schema = any (current_schemas(false))';
  const rows = await sql.all(query);
  const tables = Map.groupBy(rows, (row) => textOf(row.table_name));
  return new Map([...tables].map(([name, all]) => [name, new Set(all.map((row) => textOf(row.column_name)))]));
}

const questions = (values: readonly unknown[]): string => values.map(() => '?').join(', ');

const grouped = (rows: readonly Row[], column: string): ReadonlyMap<string, readonly Row[]> =>
  Map.groupBy(rows, (row) => textOf(row[column]));

const pairs = (rows: readonly Row[] = []) => rows.map((row) => ({ key: textOf(row.key), value: textOf(row.value) }));
