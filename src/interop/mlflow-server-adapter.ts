/** A running MLflow server, or one that speaks like it, over its public API. */
import { PlatformError } from '../errors.ts';
import { placeOf } from './artifact-place.ts';
import type {
  ExperimentRecord,
  LoggedModelRecord,
  ModelRecord,
  PointsRecord,
  RunRecord,
  VersionRecord,
} from './mlflow-record.ts';
import type { ArtifactListing, ArtifactOwner, MlflowSource, SourceFile } from './mlflow-source.ts';
import { partSize } from './mlflow-source.ts';
import { PointsDigest } from './points-digest.ts';
import {
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

/** One call of MLflow's API. */
export interface MlflowApi {
  readonly address: string;
  json(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, message: Row): Promise<Row>;
  /** @returns undefined for what is not there */
  open(path: string, query?: Row): Promise<AsyncIterable<Uint8Array> | undefined>;
}

const api = '/api/2.0/mlflow';
const runsInPage = 100;

export function serverSource(server: MlflowApi): MlflowSource {
  const get = (path: string, message: Row) => server.json('GET', path, message);
  const post = (path: string, message: Row) => server.json('POST', path, message);

  async function* pages(name: string, ask: (token: Row) => Promise<Row>): AsyncGenerator<readonly Row[]> {
    for (let token = ''; ; ) {
      const answer = await ask(token === '' ? {} : { page_token: token });
      const rows = rowsOf(answer[name]);
      if (rows.length > 0) yield rows;
      token = textOf(answer.next_page_token);
      if (token === '') return;
    }
  }

  async function* experimentRows() {
    const body = { max_results: 1000, view_type: 'ALL', order_by: ['experiment_id ASC'] };
    yield* pages('experiments', (token) => post(`${api}/experiments/search`, { ...body, ...token }));
  }

  async function experimentIds(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const rows of experimentRows()) ids.push(...rows.map((row) => textOf(row.experiment_id)));
    return ids;
  }

  /** The latest points of the runs of the page that was read last. */
  let latestOf: ReadonlyMap<string, readonly Row[]> = new Map();

  async function latestPointsOf(runId: string): Promise<readonly Row[]> {
    const { run } = await get(`${api}/runs/get`, { run_id: runId });
    return rowsOf((((run ?? {}) as Row).data as Row | undefined)?.metrics);
  }

  return {
    address: server.address,
    isSlow: true,

    async *experiments() {
      for await (const rows of experimentRows()) yield rows.map(experimentOf);
    },

    async *runs() {
      for (const experiment of await experimentIds()) {
        const body = { experiment_ids: [experiment], run_view_type: 'ALL', max_results: runsInPage };
        const found = pages('runs', (token) => post(`${api}/runs/search`, { ...body, ...token }));
        for await (const rows of found) {
          latestOf = new Map(rows.map((row) => [runOf(row).id, rowsOf(((row.data ?? {}) as Row).metrics)]));
          yield rows.map(runOf);
        }
      }
    },

    latest(runId) {
      const digest = new PointsDigest();
      for (const { key, step, timestamp, value } of latestOf.get(runId) ?? []) {
        digest.add(textOf(key), [int64Of(step)], [int64Of(timestamp)], [doubleOf(value)]);
      }
      return digest.summary.digest;
    },

    async *points(runs) {
      for (const run of runs) {
        for (const { key: name } of latestOf.get(run.id) ?? (await latestPointsOf(run.id))) {
          const key = textOf(name);
          const message = { run_id: run.id, metric_key: key, max_results: 25_000 };
          const history = pages('metrics', (token) => get(`${api}/metrics/get-history`, { ...message, ...token }));
          for await (const rows of history) {
            for (let at = 0; at < rows.length; at += partSize) {
              const some = rows.slice(at, at + partSize);
              yield {
                kind: 'points',
                runId: run.id,
                experimentId: run.experimentId,
                key,
                steps: some.map(({ step }) => int64Of(step)),
                timestamps: some.map(({ timestamp }) => int64Of(timestamp)),
                values: some.map(({ value }) => doubleOf(value)),
              } satisfies PointsRecord;
            }
          }
        }
      }
    },

    async *loggedModels() {
      for (const experiment of await experimentIds()) {
        const body = { experiment_ids: [experiment], max_results: 50 };
        const found = pages('models', (token) => post(`${api}/logged-models/search`, { ...body, ...token }));
        for await (const rows of found) yield rows.map(loggedModelOf);
      }
    },

    async *models() {
      // A search leaves prompts out unless it names their tag.
      for (const filter of ['', "tags.`mlflow.prompt.is_prompt` = 'true'"]) {
        const message = { max_results: 100, ...(filter === '' ? {} : { filter }) };
        const found = pages('registered_models', (token) =>
          get(`${api}/registered-models/search`, { ...message, ...token }),
        );
        for await (const rows of found) yield rows.map(modelOf);
      }
    },

    async *versions(models) {
      for (const { name, tags } of models) {
        const { registered_model: model } = (await get(`${api}/registered-models/get`, { name })) as {
          registered_model?: Row;
        };
        const aliases = rowsOf(model?.aliases);
        const quoted = name.includes("'") ? `"${name}"` : `'${name}'`;
        const isPrompt = tags.some(({ key, value }) => key === 'mlflow.prompt.is_prompt' && value === 'true');
        const only = isPrompt ? " and tags.`mlflow.prompt.is_prompt` = 'true'" : '';
        const message = { filter: `name = ${quoted}${only}`, max_results: 1000, order_by: ['version_number ASC'] };
        const found = pages('model_versions', (token) => get(`${api}/model-versions/search`, { ...message, ...token }));
        for await (const rows of found) {
          const all: VersionRecord[] = [];
          for (const row of rows) {
            const at = { name, version: textOf(row.version) };
            const { artifact_uri } = await get(`${api}/model-versions/get-download-uri`, at);
            const named = aliases.filter((one) => textOf(one.version) === at.version).map((one) => textOf(one.alias));
            all.push(versionOf(row, textOf(artifact_uri), named));
          }
          yield all;
        }
      }
    },

    async artifacts(owner): Promise<ArtifactListing> {
      const place = placeOf(owner.location);
      if (place.kind === 'elsewhere') return { kind: 'stays' };
      const files = place.kind === 'proxied' ? proxied(place.key, '') : readByServer(owner, '');
      return { kind: 'files', files };
    },

    async leftOut() {
      let webhooks = 0;
      const found = pages('webhooks', (token) => get(`${api}/webhooks`, { max_results: 100, ...token }));
      await ifThere(async () => {
        for await (const rows of found) webhooks += rows.length;
      });
      let traced = 0;
      await ifThere(async () => {
        for (const experiment_id of await experimentIds()) {
          const locations = [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id } }];
          const { traces } = await post('/api/3.0/mlflow/traces/search', { locations, max_results: 1 });
          traced += rowsOf(traces).length;
        }
      });
      return {
        ...(webhooks > 0 && { webhooks }),
        ...(traced > 0 && { 'experiments with traces': traced }),
      };
    },

    [Symbol.asyncDispose]: async () => {},
  };

  async function* proxied(root: string, folder: string): AsyncGenerator<SourceFile> {
    const path = folder === '' ? root : `${root}/${folder}`;
    const { files } = await get('/api/2.0/mlflow-artifacts/artifacts', { path });
    for (const file of rowsOf(files)) {
      const name = textOf(file.path);
      const below = folder === '' ? name : `${folder}/${name}`;
      if (file.is_dir) yield* proxied(root, below);
      else {
        const key = `${root}/${below}`.split('/').map(encodeURIComponent).join('/');
        yield fileAt(below, file, () => server.open(`/api/2.0/mlflow-artifacts/artifacts/${key}`));
      }
    }
  }

  /** Files in folders of the server's machine: it reads them for us. */
  async function* readByServer(owner: ArtifactOwner, folder: string): AsyncGenerator<SourceFile> {
    const isRun = owner.kind === 'run';
    const { files } = isRun
      ? await get(`${api}/artifacts/list`, { run_id: owner.id, path: folder })
      : await get(`${api}/logged-models/${owner.id}/artifacts/directories`, { artifact_directory_path: folder });
    for (const file of rowsOf(files)) {
      const path = textOf(file.path);
      if (file.is_dir) yield* readByServer(owner, path);
      else {
        yield fileAt(path, file, () =>
          isRun
            ? server.open('/get-artifact', { run_id: owner.id, path })
            : server.open(`/ajax-api/2.0/mlflow/logged-models/${owner.id}/artifacts/files`, {
                artifact_file_path: path,
              }),
        );
      }
    }
  }
}

/** Older servers, and Rondo, do not have all that MLflow has; some is for administrators. */
async function ifThere(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof PlatformError && error.code === 'interop/refused')) throw error;
  }
}

function fileAt(path: string, file: Row, read: () => Promise<AsyncIterable<Uint8Array> | undefined>): SourceFile {
  return {
    path,
    size: Number(file.file_size ?? 0),
    open: async () => {
      const body = await read();
      if (!body) throw new PlatformError('interop/refused', `the file ${path}`, { hint: 'it lists it and has it not' });
      return body;
    },
  };
}

const experimentOf = (row: Row): ExperimentRecord => ({
  kind: 'experiment',
  id: textOf(row.experiment_id),
  name: textOf(row.name),
  artifactLocation: textOf(row.artifact_location),
  lifecycle: lifecycleOf(row.lifecycle_stage),
  createdAt: timeOf(row.creation_time),
  updatedAt: timeOf(row.last_update_time),
  tags: pairs(row.tags),
});

function runOf(row: Row): RunRecord {
  const [info, data, inputs, outputs] = ['info', 'data', 'inputs', 'outputs'].map((name) => (row[name] ?? {}) as Row);
  return {
    kind: 'run',
    id: textOf(info?.run_id ?? info?.run_uuid),
    experimentId: textOf(info?.experiment_id),
    name: textOf(info?.run_name),
    userId: textOf(info?.user_id),
    status: oneOf(runStatuses, info?.status, 'RUNNING'),
    startTime: int64Of(info?.start_time),
    ...(info?.end_time === undefined ? {} : { endTime: int64Of(info.end_time) }),
    artifactUri: textOf(info?.artifact_uri),
    lifecycle: lifecycleOf(info?.lifecycle_stage),
    params: pairs(data?.params),
    tags: pairs(data?.tags),
    datasets: rowsOf(inputs?.dataset_inputs).map(({ dataset, tags }) => {
      const one = (dataset ?? {}) as Row;
      return {
        name: textOf(one.name),
        digest: textOf(one.digest),
        sourceType: textOf(one.source_type),
        source: textOf(one.source),
        ...givenText('schema', one.schema),
        ...givenText('profile', one.profile),
        tags: pairs(tags),
      };
    }),
    modelInputs: rowsOf(inputs?.model_inputs).map(({ model_id }) => textOf(model_id)),
    modelOutputs: rowsOf(outputs?.model_outputs).map(({ model_id, step }) => ({
      modelId: textOf(model_id),
      step: int64Of(step),
    })),
  };
}

function loggedModelOf(row: Row): LoggedModelRecord {
  const [info, data] = ['info', 'data'].map((name) => (row[name] ?? {}) as Row);
  return {
    kind: 'logged-model',
    id: textOf(info?.model_id),
    experimentId: textOf(info?.experiment_id),
    name: textOf(info?.name),
    artifactLocation: textOf(info?.artifact_uri),
    status: loggedModelStatus(info?.status),
    ...givenText('statusMessage', info?.status_message),
    lifecycle: 'active',
    ...givenText('modelType', info?.model_type),
    ...givenText('sourceRunId', info?.source_run_id),
    createdAt: timeOf(info?.creation_timestamp_ms),
    updatedAt: timeOf(info?.last_updated_timestamp_ms),
    params: pairs(data?.params),
    tags: pairs(info?.tags),
    metrics: rowsOf(data?.metrics).map((metric) => ({
      key: textOf(metric.key),
      value: doubleOf(metric.value),
      timestamp: int64Of(metric.timestamp),
      step: int64Of(metric.step),
      runId: textOf(metric.run_id),
      ...givenText('datasetName', metric.dataset_name),
      ...givenText('datasetDigest', metric.dataset_digest),
    })),
  };
}

const modelOf = (row: Row): ModelRecord => ({
  kind: 'model',
  name: textOf(row.name),
  ...givenText('description', row.description),
  createdAt: timeOf(row.creation_timestamp),
  updatedAt: timeOf(row.last_updated_timestamp ?? row.creation_timestamp),
  tags: pairs(row.tags),
});

function versionOf(row: Row, storageLocation: string, aliases: string[]): VersionRecord {
  const source = textOf(row.source);
  return {
    kind: 'version',
    model: textOf(row.name),
    version: Number(row.version),
    deleted: false,
    source,
    storageLocation: storageLocation || source,
    ...givenText('runId', row.run_id),
    ...givenText('runLink', row.run_link),
    ...givenText('loggedModelId', row.model_id || loggedModelIn(source)),
    ...givenText('userId', row.user_id),
    ...givenText('description', row.description),
    stage: oneOf(stages, row.current_stage, 'None'),
    status: oneOf(versionStatuses, row.status, 'READY'),
    ...givenText('statusMessage', row.status_message),
    createdAt: timeOf(row.creation_timestamp),
    updatedAt: timeOf(row.last_updated_timestamp ?? row.creation_timestamp),
    tags: pairs(row.tags),
    aliases,
  };
}

const rowsOf = (value: unknown): readonly Row[] => (Array.isArray(value) ? (value as Row[]) : []);

const pairs = (value: unknown) => rowsOf(value).map((row) => ({ key: textOf(row.key), value: textOf(row.value) }));
