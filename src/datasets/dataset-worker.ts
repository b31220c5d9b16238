/** What the worker process does for datasets, and what the server does with the results. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { JobContext, JobHandlers } from '../jobs/job.ts';
import type { JobKind } from '../jobs/start-jobs.ts';
import { type AddInput, addSource, type DatasetFolders, inferFromSource, materialise } from './add-source-adapter.ts';
import { parseSource } from './data-config.ts';
import { datasetStore } from './dataset-store.ts';
import { type AddedFiles, recordVersion } from './record-version.ts';

/** Handlers for `runWorker`. */
export function datasetHandlers(folders: DatasetFolders): JobHandlers {
  return {
    'datasets.add': (input: AddInput, context: JobContext) => addSource(folders, input, context),
    'datasets.infer': (input: AddInput, context: JobContext) => inferFromSource(folders, input, context),
    'datasets.materialise': ({ root }: { root: string }, { signal }: JobContext) => materialise(folders, root, signal),
  };
}

/**
 * Writes an endpoint's logged predictions, joined with the labels that have arrived, as Parquet files into `folder`. Supplied by
 * `app.ts` from serving.
 */
export type ExportEndpoint = (
  request: { readonly project: string; readonly endpoint: string; readonly lastMs?: number; readonly folder: string },
  signal: AbortSignal,
) => Promise<void>;

export type ExportDeps = { readonly exportEndpoint: ExportEndpoint; readonly tempFolder: string };

/** Kinds for `startJobs`. */
export function datasetKinds({
  now,
  ...exports
}: ExportDeps & { now: () => number }): Readonly<Record<string, JobKind>> {
  return {
    'datasets.add': {
      prepare: async (job, signal) => {
        const input = job.input as AddInput; // made by the route
        return withExport(exports, input, { id: job.id, signal });
      },
      apply: async (tx, job, output) => {
        const added = output as AddedFiles; // made by the handler above
        const outcome = await recordVersion(
          { datasets: datasetStore(tx), events: eventStore(tx), now },
          added,
          job.actor,
        );
        return { project: added.project, name: added.name, ...outcome };
      },
      afterwards: (job) => void rm(exportFolder(exports.tempFolder, job.id), { recursive: true, force: true }),
    },
  };
}

/** For an `endpoint://` source: lets the server write it out, and says where. Other sources are read by the worker itself. */
export async function withExport(
  { exportEndpoint, tempFolder }: ExportDeps,
  input: AddInput,
  { id, signal }: { id: string; signal: AbortSignal },
): Promise<AddInput> {
  const source = parseSource(input.source);
  if (!source) throw new PlatformError('datasets/bad-source', input.source);
  if (source.kind !== 'endpoint') return input;
  const exported = join(exportFolder(tempFolder, id), input.name);
  await rm(exported, { recursive: true, force: true });
  await mkdir(exported, { recursive: true, mode: 0o700 });
  const { project } = input;
  const { endpoint, lastMs } = source;
  await exportEndpoint({ project, endpoint, ...(lastMs !== undefined && { lastMs }), folder: exported }, signal);
  return { ...input, exported };
}

export function exportFolder(tempFolder: string, job: string): string {
  return join(tempFolder, `export-${job}`);
}
