/** One run: its params, metrics, tags, artifacts, inputs and models. */
import { openAsBlob } from 'node:fs';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { textIn } from './answer.ts';
import { findOrCreateExperiment } from './experiment.ts';
import { type LoggedModel, logModel, type ModelToLog } from './log-model.ts';
import { metricQueue } from './metric-queue.ts';
import type { Rest } from './rest-client.ts';
import { uploadPath } from './upload-path.ts';

export type RunOptions = {
  readonly experiment: string;
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** A run to continue instead of a new one. */
  readonly id?: string;
  /** The run this one is part of. */
  readonly parent?: string;
};

export type Dataset = {
  readonly name: string;
  /** Tells versions of the data apart, at most 36 characters. */
  readonly digest: string;
  /** Path or address. */
  readonly source: string;
  /** `local`, `http`, `s3`, …: `local` when not given. */
  readonly sourceType?: string;
  readonly schema?: unknown;
  readonly profile?: unknown;
  /** What the run used it for: `training`, `validation`, … */
  readonly context?: string;
};

export type RunStatus = 'FINISHED' | 'FAILED' | 'KILLED';
type MetricPlace = { readonly step?: number | bigint; readonly timestamp?: number };
type Text = string | number | boolean;

/** Disposing a run that was not ended marks it as failed: what left the block was an exception. */
export interface Run extends AsyncDisposable {
  readonly id: string;
  readonly experimentId: string;
  logParam(key: string, value: Text): Promise<void>;
  logParams(params: Readonly<Record<string, Text>>): Promise<void>;
  /** Sent in the background; `end` and `flush` wait for it and throw when it did not arrive. */
  logMetric(key: string, value: number, place?: MetricPlace): void;
  logMetrics(metrics: Readonly<Record<string, number>>, place?: MetricPlace): void;
  flush(): Promise<void>;
  setTag(key: string, value: Text): Promise<void>;
  setTags(tags: Readonly<Record<string, Text>>): Promise<void>;
  /** A file by its path, or bytes with the path they get. @param folder among the run's artifacts */
  logArtifact(
    file: string | { readonly path: string; readonly bytes: Uint8Array | string },
    folder?: string,
  ): Promise<void>;
  logInput(dataset: Dataset): Promise<void>;
  logModel(model: ModelToLog): Promise<LoggedModel>;
  end(status?: RunStatus): Promise<void>;
}

/** What one `log-batch` takes of params and tags. */
const mostPerBatch = 100;

export async function startRun(rest: Rest, options: RunOptions): Promise<Run> {
  const { id, experimentId, artifactUri } =
    options.id === undefined ? await create(rest, options) : await resume(rest, options.id);
  const logBatch = (batch: Readonly<Record<string, readonly unknown[]>>) =>
    rest.call('POST', 'runs/log-batch', { run_id: id, ...batch });
  const queue = metricQueue(async (metrics) => {
    await logBatch({ metrics });
  });
  let isEnded = false;

  const logPairs = async (kind: 'params' | 'tags', pairs: Readonly<Record<string, Text>>) => {
    const entries = Object.entries(pairs).map(([key, value]) => ({ key, value: String(value) }));
    for (let at = 0; at < entries.length; at += mostPerBatch) {
      await logBatch({ [kind]: entries.slice(at, at + mostPerBatch) });
    }
  };

  const run: Run = {
    id,
    experimentId,
    logParam: (key, value) => logPairs('params', { [key]: value }),
    logParams: (params) => logPairs('params', params),
    logMetric: (key, value, place) => run.logMetrics({ [key]: value }, place),
    logMetrics(metrics, { step = 0, timestamp = Date.now() } = {}) {
      queue.add(Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp, step })));
    },
    flush: () => queue.flush(),
    setTag: (key, value) => logPairs('tags', { [key]: value }),
    setTags: (tags) => logPairs('tags', tags),
    async logArtifact(file, folder = '') {
      const path = typeof file === 'string' ? basename(file) : file.path;
      const body =
        typeof file === 'string' ? await openAsBlob(file) : new Blob([file.bytes as Uint8Array<ArrayBuffer>]);
      await rest.upload(uploadPath(artifactUri, folder, path), body);
    },
    async logInput(dataset) {
      await rest.call('POST', 'runs/log-inputs', { run_id: id, datasets: [inputOf(dataset)] });
    },
    logModel: (model) => logModel(rest, { runId: id, experimentId }, model),
    async end(status = 'FINISHED') {
      if (isEnded) return;
      isEnded = true;
      try {
        await queue.flush();
      } finally {
        await rest.call('POST', 'runs/update', { run_id: id, status, end_time: Date.now() });
      }
    },
    [Symbol.asyncDispose]: () => run.end('FAILED'),
  };
  return run;
}

type Started = { readonly id: string; readonly experimentId: string; readonly artifactUri: string };

async function create(rest: Rest, { experiment, name, tags = {}, parent }: RunOptions): Promise<Started> {
  const experimentId = await findOrCreateExperiment(rest, experiment);
  const user = userName();
  const everyTag = {
    'mlflow.user': user,
    'mlflow.source.name': process.argv[1] ?? 'node',
    'mlflow.source.type': 'LOCAL',
    ...(name !== undefined && { 'mlflow.runName': name }),
    ...(parent !== undefined && { 'mlflow.parentRunId': parent }),
    ...tags,
  };
  const answer = await rest.call('POST', 'runs/create', {
    experiment_id: experimentId,
    user_id: user,
    ...(name !== undefined && { run_name: name }),
    start_time: Date.now(),
    tags: Object.entries(everyTag).map(([key, value]) => ({ key, value })),
  });
  return started(answer);
}

async function resume(rest: Rest, id: string): Promise<Started> {
  const run = started(await rest.call('GET', 'runs/get', { run_id: id }));
  await rest.call('POST', 'runs/update', { run_id: id, status: 'RUNNING' });
  return run;
}

const started = (answer: unknown): Started => ({
  id: textIn(answer, 'run', 'info', 'run_id'),
  experimentId: textIn(answer, 'run', 'info', 'experiment_id'),
  artifactUri: textIn(answer, 'run', 'info', 'artifact_uri'),
});

function inputOf({ name, digest, source, sourceType = 'local', schema, profile, context }: Dataset) {
  return {
    tags: context === undefined ? [] : [{ key: 'mlflow.data.context', value: context }],
    dataset: {
      name,
      digest,
      source_type: sourceType,
      source: JSON.stringify({ uri: source }),
      ...(schema !== undefined && { schema: JSON.stringify(schema) }),
      ...(profile !== undefined && { profile: JSON.stringify(profile) }),
    },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A container may run as a user that the system does not know; a run without a name is no reason to fail.
    return error instanceof Error ? 'unknown' : String(error);
  }
}
