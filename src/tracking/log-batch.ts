/** Logs metrics, params and tags to a run: the busiest write there is. */
import { PlatformError } from '../errors.ts';
import { requireRun, setRunTags } from './change-run.ts';
import type { LoggedModelStore } from './logged-model-store.ts';
import { type ModelMetric, type NewMetric, validateMetric } from './metric.ts';
import type { MetricStore } from './metric-store.ts';
import { invalid, type Param, pythonString, type Tag, validParam, validTag } from './names.ts';
import { requireActiveRun, validateRunId } from './run.ts';
import type { RunStore } from './run-store.ts';

type Deps = {
  readonly runs: RunStore;
  readonly metrics: MetricStore;
  readonly loggedModels: LoggedModelStore;
};

type Batch = {
  readonly runId: string;
  readonly metrics: readonly NewMetric[];
  readonly params: readonly Param[];
  readonly tags: readonly Tag[];
};

/** All of the batch or nothing. Logging the same batch twice changes nothing. */
export async function logBatch(deps: Deps, batch: Batch): Promise<void> {
  const { runId, params, tags } = checkBatch(batch);
  const { runs } = deps;
  const run = await requireRun(runs, runId);
  requireActiveRun(run);
  await logParams(runs, runId, params);
  await logMetrics(deps, run, batch.metrics);
  await setRunTags(runs, runId, tags);
}

export async function logMetric(deps: Deps, runId: string, metric: NewMetric): Promise<void> {
  validateMetric(metric);
  const run = await requireRun(deps.runs, runId);
  requireActiveRun(run);
  await logMetrics(deps, run, [metric]);
}

export async function logParam({ runs }: Pick<Deps, 'runs'>, runId: string, param: Param): Promise<void> {
  const valid = validParam(param);
  requireActiveRun(await requireRun(runs, runId));
  const [changed] = await insertParams(runs, runId, [valid]);
  if (!changed) return;
  const { key, value, old } = changed;
  const message =
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${old}' for run` +
    ` ID='${runId}'. Attempted logging new value '${value}'.`;
  throw new PlatformError('tracking/param-changed', key, { message, hint: changedHint });
}

async function logMetrics(
  { metrics: store, loggedModels }: Deps,
  run: { readonly id: string; readonly experimentId: string },
  metrics: readonly NewMetric[],
): Promise<void> {
  const measured: ModelMetric[] = [];
  for (const metric of metrics)
    if (metric.modelId) measured.push({ ...metric, modelId: metric.modelId, runId: run.id });
  const [missing] = await loggedModels.missing([...new Set(measured.map(({ modelId }) => modelId))]);
  if (missing !== undefined) throw new PlatformError('tracking/unknown-model', missing);
  await store.log(run.id, run.experimentId, metrics);
  await loggedModels.addMetrics(measured);
}

async function logParams(runs: RunStore, runId: string, params: readonly Param[]): Promise<void> {
  const changed = await insertParams(runs, runId, params);
  if (changed.length === 0) return;
  const list = changed.map(
    ({ key, value, old }) =>
      `{'key': ${pythonString(key)}, 'old_value': ${pythonString(old)}, 'new_value': ${pythonString(value)}}`,
  );
  throw new PlatformError('tracking/param-changed', changed.map(({ key }) => key).join(', '), {
    message: `Changing param values is not allowed. Params were already logged='[${list.join(', ')}]' for run ID='${runId}'.`,
    hint: changedHint,
  });
}

/**
 * Inserts first and looks afterwards: of two callers with two values for one key, the second waits for the first and sees its value.
 * @returns the params that are there with another value; the caller throws, and so nothing of its own stays
 */
async function insertParams(
  runs: RunStore,
  runId: string,
  params: readonly Param[],
): Promise<readonly (Param & { readonly old: string })[]> {
  await runs.insertParams(runId, params);
  const keys = params.map(({ key }) => key);
  const stored = new Map((await runs.params(runId, keys)).map(({ key, value }) => [key, value]));
  return params.flatMap((param) => {
    const old = stored.get(param.key);
    return old === undefined || old === param.value ? [] : [{ ...param, old }];
  });
}

const changedHint = 'Params are fixed once logged: log to a new run, or use a tag for what changes.';

function checkBatch(batch: Batch): Pick<Batch, 'runId' | 'params' | 'tags'> {
  const { runId, metrics } = batch;
  validateRunId(runId);
  metrics.forEach((metric, index) => {
    validateMetric(metric, () => `metrics[${index}]`);
  });
  const params = batch.params.map((param, index) => validParam(param, `params[${index}]`));
  const tags = batch.tags.map((tag, index) => validTag(tag, `tags[${index}]`));
  refuseMore('metrics', 1000, metrics.length);
  refuseMore('params', 100, params.length);
  refuseMore('tags', 100, tags.length);
  refuseMore('metrics, params, and tags', 1000, metrics.length + params.length + tags.length);
  const keys = params.map(({ key }) => key);
  const twice = keys.filter((key, index) => keys.indexOf(key) < index);
  if (twice.length > 0) {
    throw invalid(
      'params',
      `Duplicate parameter keys have been submitted: [${twice.map(pythonString).join(', ')}]. Please ensure the request` +
        ' contains only one param value per param key.',
    );
  }
  return { runId, params, tags };
}

function refuseMore(what: string, limit: number, count: number): void {
  if (count <= limit) return;
  throw invalid(
    what,
    `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please split up ${what}` +
      ' across multiple requests and try again.',
  );
}
