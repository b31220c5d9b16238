/** Turns closed segments of the prediction log into tables, one after the other, in the worker process. */
import { dirname, join } from 'node:path';
import type { JobContext, JobHandlers, RunJob } from '../jobs/job.ts';
import {
  type CompactInput,
  compactLog,
  exportLoggedRows,
  type LoggedRowsInput,
  readLogTables,
} from './compact-log-adapter.ts';
import type { Endpoint } from './endpoint.ts';
import type { LiveEndpoints } from './live-endpoints.ts';
import type { PredictionLog, ReadTables } from './prediction-log-store.ts';
import { sameVersion } from './traffic.ts';

/** Handlers for `runWorker`. @param tempFolder where queries may spill */
export function servingHandlers({ tempFolder }: { readonly tempFolder: string }): JobHandlers {
  return {
    'serving.compact-log': (input: CompactInput, context: JobContext) => compactLog(input, context),
    'serving.read-log': (input: Parameters<typeof readLogTables>[0], context: JobContext) =>
      readLogTables(input, context, tempFolder),
    'serving.export-rows': (input: LoggedRowsInput, context: JobContext) => exportLoggedRows(input, context),
  };
}

export const readTablesWith =
  (run: RunJob): ReadTables =>
  (tables, where) =>
    run<readonly string[]>('serving.read-log', { tables, where });

export type CompactionDeps = {
  readonly log: PredictionLog;
  readonly live: Pick<LiveEndpoints, 'all'>;
  readonly run: RunJob;
  /** Where tables go. */
  readonly folder: string;
  readonly onError: (error: unknown) => void;
};

/** Compacts what was closed before, and then each segment when it is closed. */
export function startCompaction({ log, live, run, folder, onError }: CompactionDeps): AsyncDisposable {
  const abort = new AbortController();
  let work: Promise<void> = Promise.resolve();
  const compactAll = async (endpoint: string): Promise<void> => {
    for (const { file, tables, first, last } of await log.segments(endpoint, { seal: false })) {
      if (abort.signal.aborted) return;
      if (file === undefined || tables !== undefined) continue;
      const input: CompactInput = { endpoint, file: join(log.folderOf(endpoint), file), first, last, folder };
      const done = await run<{ tables: readonly string[] }>('serving.compact-log', input, { signal: abort.signal });
      await log.compacted(endpoint, first, done.tables);
    }
  };
  const look = (endpoint: string): void => {
    work = work
      .then(() => compactAll(endpoint))
      .catch((error) => {
        // Nothing is lost: the segment stays, and the next one that is closed brings us back to it.
        if (!abort.signal.aborted) onError(error);
      });
  };
  const listening = log.onSealed(look);
  for (const { plan } of live.all) look(plan.endpoint.name);
  return {
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      abort.abort();
      await work;
    },
  };
}

export type ExportDeps = { readonly log: PredictionLog; readonly live: LiveEndpoints; readonly run: RunJob };

/**
 * Writes an endpoint's predictions of a span of its event time, joined with the labels that have arrived, as one Parquet file.
 * @param span milliseconds since 1970, end excluded; leave out what is too young to have its label
 */
export async function exportEndpoint(
  { log, live, run }: ExportDeps,
  {
    endpoint: name,
    span,
    out,
  }: { readonly endpoint: string; readonly span: { readonly from: number; readonly to: number }; readonly out: string },
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly rows: number }> {
  const { endpoint, traffic, variants } = live.get(name).plan;
  // A label is written after its prediction: what ended before the span holds neither.
  const segments = (await log.segments(name, { seal: true })).filter(({ maxEventTime }) => maxEventTime >= span.from);
  const champion = variants.find(({ version }) => sameVersion(version, traffic.champion));
  const columns = champion?.version.inputs.every(({ shape }) => shape.slice(1).every((size) => size === 1))
    ? champion.version.inputs.map(({ name: column, datatype }) => ({ name: column, datatype }))
    : undefined;
  const input: LoggedRowsInput = {
    files: segments.flatMap(({ file }) => (file === undefined ? [] : [join(log.folderOf(name), file)])),
    tables: segments.flatMap(({ file, tables = [] }) => (file === undefined ? tables : [])),
    ...span,
    ...namesOf(endpoint),
    ...(columns && { columns }),
    out,
  };
  return run('serving.export-rows', input, { signal });
}

const namesOf = ({ key, time, target = 'label' }: Endpoint) => ({
  target,
  ...(key !== undefined && { key }),
  ...(time !== undefined && { time }),
});

/** Beside the log, so that one folder holds all of it. */
export const tablesFolderOf = (logFolder: string): string => join(dirname(logFolder), 'prediction-tables');
