/** Logs which datasets and models a run read, and which models it made. */
import type { Int64 } from '../storage/int64.ts';
import { requireRun } from './change-run.ts';
import { invalid, validateLength } from './names.ts';
import { type DatasetInput, requireActiveRun, validateRunId } from './run.ts';
import type { RunInputStore } from './run-input-store.ts';
import type { RunStore } from './run-store.ts';

type Deps = { readonly runs: RunStore; readonly inputs: RunInputStore; readonly newId: () => string };

export async function logInputs(
  { runs, inputs, newId }: Deps,
  runId: string,
  { datasets, models }: { readonly datasets: readonly DatasetInput[]; readonly models: readonly string[] },
): Promise<void> {
  validateRunId(runId);
  for (const input of datasets) validateDataset(input);
  if (datasets.length > 1000) {
    throw invalid(
      'datasets',
      `A batch logging request can contain at most 1000 datasets. Got ${datasets.length} datasets. Please split up datasets` +
        ' across multiple requests and try again.',
    );
  }
  await runs.hold(runId); // each gets a place after those that are there
  const run = await requireRun(runs, runId);
  requireActiveRun(run);
  const first = new Map<string, DatasetInput>();
  for (const input of datasets) {
    const identity = JSON.stringify([input.dataset.name, input.dataset.digest]);
    if (!first.has(identity)) first.set(identity, input);
  }
  await inputs.addDatasets(run, [...first.values()], newId);
  await inputs.addModels(
    runId,
    'input',
    models.map((modelId) => ({ modelId, step: 0 })),
  );
}

export async function logOutputs(
  { runs, inputs }: Pick<Deps, 'runs' | 'inputs'>,
  runId: string,
  models: readonly { readonly modelId: string; readonly step: Int64 }[],
): Promise<void> {
  await runs.hold(runId);
  requireActiveRun(await requireRun(runs, runId));
  await inputs.addModels(runId, 'output', models);
}

function validateDataset({ dataset, tags }: DatasetInput): void {
  validateLength('name', 500, dataset.name);
  validateLength('digest', 36, dataset.digest);
  validateLength('source', 65_535, dataset.source);
  validateLength('schema', 1_048_575, dataset.schema ?? '');
  validateLength('profile', 16_777_215, dataset.profile ?? '');
  for (const { key, value } of tags) {
    validateLength('key', 255, key);
    validateLength('value', 500, value);
  }
}
