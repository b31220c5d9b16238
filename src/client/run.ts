/** One run: its params, metrics, tags, artifacts, inputs and models. */
import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { createRun, type RunOptions, resumeRun } from './create-run.ts';
import { type LoggedModel, logModel, type ModelToLog } from './log-model.ts';
import { metricQueue } from './metric-queue.ts';
import { type Ending, openSpool } from './metric-spool.ts';
import { addOpenRun, type OpenRun, removeOpenRun } from './open-runs.ts';
import { isRefusal, type RequestError, type Rest } from './rest-client.ts';
import { sendMetrics } from './send-metrics.ts';
import { uploadPath } from './upload-path.ts';

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
  /** @throws RequestError when metrics were refused. @throws UnavailableError when nobody answers; nothing is lost by it */
  flush(): Promise<void>;
  setTag(key: string, value: Text): Promise<void>;
  setTags(tags: Readonly<Record<string, Text>>): Promise<void>;
  deleteTag(key: string): Promise<void>;
  /** A file by its path, or bytes with the path they get. @param artifactPath a folder among the run's artifacts */
  logArtifact(
    file: string | { readonly path: string; readonly bytes: Uint8Array },
    artifactPath?: string,
  ): Promise<void>;
  /** All files of a folder, and of those in it. */
  logArtifacts(folder: string, artifactPath?: string): Promise<void>;
  logText(text: string, artifactFile: string): Promise<void>;
  /** As JSON. */
  logDict(content: unknown, artifactFile: string): Promise<void>;
  logInput(dataset: Dataset): Promise<void>;
  logModel(model: ModelToLog): Promise<LoggedModel>;
  /** Waits for the metrics. A second call does nothing, unless the first one failed because nobody answered. */
  end(status?: RunStatus): Promise<void>;
}

/** What one `log-batch` takes of params and tags. */
const mostPerBatch = 100;
const uploadsAtOnce = 4;

/** @param experimentId asked for when a new run needs it */
export async function startRun(
  { rest, spoolFolder }: { readonly rest: Rest; readonly spoolFolder: string },
  options: RunOptions,
  experimentIdOf: () => Promise<string>,
): Promise<Run> {
  const { id, experimentId, artifactUri } =
    options.runId === undefined
      ? await createRun(rest, await experimentIdOf(), options)
      : await resumeRun(rest, options.runId);
  const queue = metricQueue({
    send: (metrics) => sendMetrics(rest, id, metrics),
    openSpool: () => openSpool(spoolFolder, { url: rest.url, runId: id }),
  });
  let ending: Ending | undefined; // as first asked for
  let finishing: Promise<void> | undefined;
  let isEnded = false;
  const open: OpenRun = {
    rest,
    id,
    leave: (status) => queue.leave(ending ?? { status, endTime: Date.now() }),
  };

  const logPairs = async (kind: 'params' | 'tags', pairs: Readonly<Record<string, Text>>) => {
    const entries = Object.entries(pairs).map(([key, value]) => ({ key, value: String(value) }));
    for (let at = 0; at < entries.length; at += mostPerBatch) {
      await rest.call('POST', 'runs/log-batch', { run_id: id, [kind]: entries.slice(at, at + mostPerBatch) });
    }
  };
  const upload = (body: Blob, ...path: readonly string[]) => rest.upload(uploadPath(artifactUri, ...path), body);

  const finish = async ({ status, endTime }: Ending) => {
    const refusals: RequestError[] = [];
    const keep = (error: unknown) => {
      if (!isRefusal(error)) throw error;
      refusals.push(error);
    };
    await queue.flush().catch(keep);
    await rest.call('POST', 'runs/update', { run_id: id, status, end_time: endTime }).catch(keep);
    isEnded = true;
    removeOpenRun(open);
    if (refusals[0]) throw refusals[0];
  };

  const run: Run = {
    id,
    experimentId,
    logParam: (key, value) => logPairs('params', { [key]: value }),
    logParams: (params) => logPairs('params', params),
    logMetric: (key, value, place) => run.logMetrics({ [key]: value }, place),
    logMetrics(metrics, { step = 0, timestamp = Date.now() } = {}) {
      if (isEnded || finishing) throw new Error(`run ${id} has ended: startRun({ runId: '${id}' }) continues it`);
      queue.add(Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp, step })));
    },
    flush: () => queue.flush(),
    setTag: (key, value) => logPairs('tags', { [key]: value }),
    setTags: (tags) => logPairs('tags', tags),
    async deleteTag(key) {
      await rest.call('POST', 'runs/delete-tag', { run_id: id, key });
    },
    async logArtifact(file, artifactPath = '') {
      if (typeof file === 'string') await upload(await openAsBlob(file), artifactPath, basename(file));
      else await upload(new Blob([file.bytes as Uint8Array<ArrayBuffer>]), artifactPath, file.path);
    },
    async logArtifacts(folder, artifactPath = '') {
      const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
      const queued = files.values();
      const work = async () => {
        for (const { parentPath, name } of queued) {
          const path = join(parentPath, name);
          const inside = relative(folder, dirname(path)).split(sep).join('/');
          await run.logArtifact(path, [artifactPath, inside].filter((part) => part !== '').join('/'));
        }
      };
      await Promise.all(Array.from({ length: uploadsAtOnce }, work));
    },
    logText: (text, artifactFile) => upload(new Blob([text]), artifactFile),
    logDict: (content, artifactFile) => run.logText(JSON.stringify(content, null, 2), artifactFile),
    async logInput(dataset) {
      await rest.call('POST', 'runs/log-inputs', { run_id: id, datasets: [inputOf(dataset)] });
    },
    logModel: (model) => logModel(rest, { runId: id, experimentId }, model),
    async end(status = 'FINISHED') {
      if (isEnded) return;
      ending ??= { status, endTime: Date.now() };
      finishing ??= finish(ending).finally(() => {
        finishing = undefined;
      });
      await finishing;
    },
    [Symbol.asyncDispose]: () => run.end('FAILED'),
  };
  addOpenRun(open);
  return run;
}

/** Ends the run with the work, as failed when that throws. */
export async function endingOf<T>(run: Run, work: (run: Run) => Promise<T>): Promise<T> {
  await using failing = run;
  const result = await work(failing);
  await run.end();
  return result;
}

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
