/**
 * Writes everything back to an MLflow server through its public API. That API gives its own ids: a ledger keeps which became which,
 * so that an export that was broken off goes on, and each thing there says in a tag what it was here.
 */
import { PlatformError } from '../errors.ts';
import { placeOf } from './artifact-place.ts';
import { compareExport } from './compare-export.ts';
import { type ExportLedger, type LedgerKind, originTag, parentTag, sourceThere, tagsThere } from './export-ledger.ts';
import { type ImportReport, Tally } from './import-report.ts';
import type {
  ExperimentRecord,
  LoggedModelRecord,
  ModelRecord,
  PointsRecord,
  RunRecord,
  VersionRecord,
} from './mlflow-record.ts';
import type { ArtifactOwner, MlflowSource } from './mlflow-source.ts';
import { type Row, textOf } from './row-values.ts';

/** The MLflow that is written to: its calls, and itself as something to read back. */
export type ExportTarget = {
  readonly address: string;
  json(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, message: Row): Promise<Row>;
  put(path: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  readonly back: MlflowSource;
};

type Options = {
  readonly onProgress: (
    what: string,
    done: { readonly runs: number; readonly points: number; readonly files: number },
  ) => void;
  readonly signal: AbortSignal;
};

const api = '/api/2.0/mlflow';

export async function exportMlflow(
  source: MlflowSource,
  target: ExportTarget,
  ledger: ExportLedger,
  { onProgress, signal }: Options,
): Promise<ImportReport> {
  const tally = new Tally();
  const done = { runs: 0, points: 0, files: 0 };
  const progress = (what: string) => {
    signal.throwIfAborted();
    onProgress(what, done);
  };
  const post = (verb: string, message: Row) => target.json('POST', `${api}/${verb}`, message);
  /** What was made last before a crash may be missing in the ledger: only the first thing of a kind can be. */
  const unsure = new Set<string>(ledger.isResumed ? ['run', 'logged-model'] : []);

  const experiments: ExperimentRecord[] = [];
  for await (const page of source.experiments()) {
    for (const experiment of page) {
      progress('experiments');
      experiments.push(experiment);
      await exportExperiment(experiment);
    }
  }
  const parents: { readonly id: string; readonly parent: string }[] = [];
  for await (const page of source.runs()) {
    for (const run of page) {
      await exportRun(run);
      const parent = run.tags.find(({ key }) => key === parentTag)?.value;
      if (parent !== undefined) parents.push({ id: run.id, parent });
    }
    await exportRunData(page);
  }
  for await (const page of source.loggedModels()) for (const model of page) await exportLoggedModel(model);
  for (const { id, parent } of parents) {
    progress('links between runs');
    await onActiveRun(mapped('run', id), () =>
      post('runs/set-tag', { run_id: mapped('run', id), key: parentTag, value: ledger.find('run', parent) ?? parent }),
    );
  }
  for await (const page of source.runs()) for (const run of page) await finishRun(run);
  for await (const page of source.models()) {
    for (const model of page) await exportModel(model);
    for await (const versions of source.versions(page)) await exportVersions(versions);
  }
  for await (const page of source.loggedModels()) for (const model of page) await tagWithVersions(model);
  for (const { id, lifecycle } of experiments) {
    const to = mapped('experiment', id);
    if (lifecycle === 'deleted' && (await experimentThere(to)).lifecycle_stage !== 'deleted') {
      await post('experiments/delete', { experiment_id: to });
    }
  }
  await compareExport(source, target.back, { mapped, tally, onProgress: () => progress('comparing') });
  return tally.report({ source: source.address, isDryRun: false, leftOut: await source.leftOut() });

  function mapped(kind: LedgerKind, from: string): string {
    return ledger.find(kind, from) ?? from;
  }

  async function experimentThere(id: string): Promise<Row> {
    return (await target.json('GET', `${api}/experiments/get`, { experiment_id: id })).experiment as Row;
  }

  async function exportExperiment({ id, name, artifactLocation, tags }: ExperimentRecord): Promise<void> {
    if (ledger.find('experiment', id) !== undefined) return;
    const there = await byName(name);
    const isOurs = there && pairsOf(there.tags).some(({ key, value }) => key === originTag && value === id);
    if (there && !isOurs && id !== '0') {
      throw new PlatformError('interop/collision', `experiment ${name}`, {
        message: `MLflow at ${target.address} has another experiment ${name} already.`,
        hint: 'rename one of the two, or export to an empty server',
      });
    }
    const own = tagsThere(tags, id);
    // What lies in a store of its own stays there, for both.
    const location = placeOf(artifactLocation).kind === 'elsewhere' ? { artifact_location: artifactLocation } : {};
    const to = there
      ? textOf(there.experiment_id)
      : textOf((await post('experiments/create', { name, tags: own, ...location })).experiment_id);
    if (there) for (const tag of own) await post('experiments/set-experiment-tag', { experiment_id: to, ...tag });
    await ledger.add('experiment', id, to);
  }

  async function byName(name: string): Promise<Row | undefined> {
    try {
      return (await target.json('GET', `${api}/experiments/get-by-name`, { experiment_name: name })).experiment as Row;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async function exportRun(run: RunRecord): Promise<void> {
    if (ledger.find('run', run.id) !== undefined) return;
    progress('runs');
    const experiment = mapped('experiment', run.experimentId);
    const tags = tagsThere(run.tags, run.id).filter(({ key }) => key !== parentTag);
    const again = unsure.delete('run') ? await runMadeFrom(run.id, experiment) : undefined;
    const message = {
      experiment_id: experiment,
      user_id: run.userId,
      run_name: run.name,
      start_time: run.startTime,
      tags,
    };
    const to = again ?? textOf(infoOf((await post('runs/create', message)).run).run_id);
    await ledger.add('run', run.id, to);
  }

  async function runMadeFrom(id: string, experiment: string): Promise<string | undefined> {
    const filter = `tags.\`${originTag}\` = '${id}'`;
    const { runs } = await post('runs/search', {
      experiment_ids: [experiment],
      filter,
      run_view_type: 'ALL',
      max_results: 1,
    });
    const [found] = rowsOf(runs);
    return found && textOf(infoOf(found).run_id);
  }

  /** Params, points, datasets and files of those runs that do not have all of it yet. */
  async function exportRunData(page: readonly RunRecord[]): Promise<void> {
    for (const run of page) {
      done.runs += 1;
      if (ledger.find('run-data', run.id) !== undefined) continue;
      const run_id = mapped('run', run.id);
      for (const params of parts(run.params, 100)) await post('runs/log-batch', { run_id, params });
      for await (const part of source.points([run])) {
        for (const metrics of parts(metricsOf(part), 1000)) {
          progress('metric points');
          await post('runs/log-batch', { run_id, metrics });
          done.points += metrics.length;
        }
      }
      const datasets = run.datasets.map(({ tags, sourceType, ...rest }) => ({
        tags,
        dataset: { ...rest, source_type: sourceType },
      }));
      if (datasets.length > 0) await post('runs/log-inputs', { run_id, datasets });
      const { run: there } = await target.json('GET', `${api}/runs/get`, { run_id });
      const owner = { kind: 'run', id: run.id, experimentId: run.experimentId, location: run.artifactUri } as const;
      await exportArtifacts(owner, textOf(infoOf(there).artifact_uri), `run ${run.id} (${run.name})`);
      await ledger.add('run-data', run.id, run_id);
    }
  }

  async function exportArtifacts(owner: ArtifactOwner, to: string, title: string): Promise<void> {
    const listing = await source.artifacts(owner);
    if (listing.kind === 'stays') tally.stays(owner.location);
    if (listing.kind === 'unreachable') tally.noteReason(listing.reason, title);
    if (listing.kind !== 'files') return;
    const place = placeOf(to);
    for await (const file of listing.files) {
      progress('artifacts');
      if (place.kind !== 'proxied') {
        tally.noteReason('MLflow keeps artifacts in a store of its own there, not behind its server', title);
        return;
      }
      const key = `${place.key}/${file.path}`.split('/').map(encodeURIComponent).join('/');
      try {
        await target.put(`/api/2.0/mlflow-artifacts/artifacts/${key}`, await file.open(signal));
      } catch (error) {
        if (!isRefusedName(error)) throw error;
        tally.note('unreachable', `${title}: ${file.path}: ${error.message}`);
      }
      done.files += 1;
    }
  }

  async function exportLoggedModel(model: LoggedModelRecord): Promise<void> {
    if (ledger.find('logged-model-data', model.id) !== undefined) return;
    progress('logged models');
    const again = unsure.delete('logged-model') ? await modelMadeFrom(model) : undefined;
    const to = ledger.find('logged-model', model.id) ?? again ?? (await createLoggedModel(model));
    if (ledger.find('logged-model', model.id) === undefined) await ledger.add('logged-model', model.id, to);
    for (const params of parts(model.params.slice(100), 100)) {
      await post(`logged-models/${to}/params`, { model_id: to, params });
    }
    for (const metric of model.metrics) {
      const { key, value, timestamp, step, datasetName: dataset_name, datasetDigest: dataset_digest } = metric;
      const one = { key, value, timestamp, step, model_id: to, dataset_name, dataset_digest };
      await post('runs/log-batch', { run_id: mapped('run', metric.runId), metrics: [one] });
    }
    const { model: there } = await target.json('GET', `${api}/logged-models/${to}`, {});
    const owner = {
      kind: 'logged-model',
      id: model.id,
      experimentId: model.experimentId,
      location: model.artifactLocation,
    } as const;
    await exportArtifacts(owner, textOf(infoOf(there).artifact_uri), `logged model ${model.id} (${model.name})`);
    if (model.status !== 'LOGGED_MODEL_PENDING') {
      await target.json('PATCH', `${api}/logged-models/${to}`, { model_id: to, status: model.status });
    }
    await ledger.add('logged-model-data', model.id, to);
  }

  /** MLflow itself writes which versions a model became, in the order of their making. */
  async function tagWithVersions({ id, tags }: LoggedModelRecord): Promise<void> {
    const own = tags.filter(({ key }) => key === 'mlflow.modelVersions');
    const to = mapped('logged-model', id);
    if (own.length > 0) await target.json('PATCH', `${api}/logged-models/${to}/tags`, { tags: own });
  }

  async function createLoggedModel(model: LoggedModelRecord): Promise<string> {
    const { model: made } = await post('logged-models', {
      experiment_id: mapped('experiment', model.experimentId),
      name: model.name,
      model_type: model.modelType,
      source_run_id: model.sourceRunId && mapped('run', model.sourceRunId),
      params: model.params.slice(0, 100),
      tags: tagsThere(model.tags, model.id),
    });
    return textOf(infoOf(made).model_id);
  }

  async function modelMadeFrom({ id, experimentId }: LoggedModelRecord): Promise<string | undefined> {
    const filter = `tags.\`${originTag}\` = '${id}'`;
    const message = { experiment_ids: [mapped('experiment', experimentId)], filter, max_results: 1 };
    const [found] = rowsOf((await post('logged-models/search', message)).models);
    return found && textOf(infoOf(found).model_id);
  }

  /** Its models, its end, and whether it is deleted: after all that only a live run takes. */
  async function finishRun(run: RunRecord): Promise<void> {
    progress('ends of runs');
    const run_id = mapped('run', run.id);
    await onActiveRun(run_id, async (there) => {
      const known = { inputs: idsIn(there.inputs, 'model_inputs'), outputs: idsIn(there.outputs, 'model_outputs') };
      const models = run.modelInputs.map((id) => mapped('logged-model', id)).filter((id) => !known.inputs.has(id));
      if (models.length > 0)
        await post('runs/log-inputs', { run_id, models: models.map((model_id) => ({ model_id })) });
      const outputs = run.modelOutputs
        .map(({ modelId, step }) => ({ model_id: mapped('logged-model', modelId), step }))
        .filter(({ model_id }) => !known.outputs.has(model_id));
      if (outputs.length > 0) await post('runs/outputs', { run_id, models: outputs });
      const end = run.endTime === undefined ? {} : { end_time: run.endTime };
      await post('runs/update', { run_id, status: run.status, ...end });
      if (run.lifecycle === 'deleted') await post('runs/delete', { run_id });
    });
  }

  /** What is deleted there already was finished by an earlier export. */
  async function onActiveRun(run_id: string, act: (run: Row) => Promise<unknown>): Promise<void> {
    const { run } = await target.json('GET', `${api}/runs/get`, { run_id });
    if (infoOf(run).lifecycle_stage !== 'deleted') await act(run as Row);
  }

  async function exportModel({ name, description, tags }: ModelRecord): Promise<void> {
    progress('registered models');
    try {
      const own = tagsThere(tags, name);
      await post('registered-models/create', {
        name,
        tags: own,
        ...(description === undefined ? {} : { description }),
      });
    } catch (error) {
      if (codeOf(error) !== 'RESOURCE_ALREADY_EXISTS') throw error;
      const { registered_model: there } = await target.json('GET', `${api}/registered-models/get`, { name });
      if (pairsOf((there as Row).tags).some(({ key, value }) => key === originTag && value === name)) return;
      throw new PlatformError('interop/collision', `registered model ${name}`, {
        message: `MLflow at ${target.address} has another model ${name} already.`,
        hint: 'rename one of the two, or export to an empty server',
      });
    }
  }

  /** Versions under their own numbers: what is missing in between is made and deleted. */
  async function exportVersions(versions: readonly VersionRecord[]): Promise<void> {
    for (const version of versions.toSorted((a, b) => a.version - b.version)) {
      progress('versions');
      const { model: name } = version;
      let last = await lastVersion(name);
      for (; last < version.version - 1; last += 1) await createGap(name);
      if (last < version.version && version.deleted) await createGap(name);
      if (version.deleted) continue;
      if (last < version.version) {
        const { model_version: made } = await post('model-versions/create', {
          name,
          source: sourceThere(version.source, mapped),
          run_id: version.runId && mapped('run', version.runId),
          run_link: version.runLink,
          description: version.description,
          tags: version.tags,
          model_id: version.loggedModelId && mapped('logged-model', version.loggedModelId),
        });
        if (Number((made as Row).version) !== version.version) {
          tally.note(
            'differences',
            `version ${version.version} of ${name} is number ${textOf((made as Row).version)} there`,
          );
        }
      }
      const at = { name, version: String(version.version) };
      if (version.stage !== 'None') {
        await post('model-versions/transition-stage', {
          ...at,
          stage: version.stage,
          archive_existing_versions: false,
        });
      }
      for (const alias of version.aliases) await post('registered-models/alias', { ...at, alias });
    }
  }

  async function lastVersion(name: string): Promise<number> {
    const found: number[] = [0];
    for await (const page of target.back.versions([{ kind: 'model', name, createdAt: 0, updatedAt: 0, tags: [] }])) {
      found.push(...page.map(({ version }) => version));
    }
    for await (const page of target.back.versions([
      { kind: 'model', name, createdAt: 0, updatedAt: 0, tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] },
    ])) {
      found.push(...page.map(({ version }) => version));
    }
    return Math.max(...found);
  }

  async function createGap(name: string): Promise<void> {
    const { model_version: made } = await post('model-versions/create', { name, source: 'dummy-source' });
    await target.json('DELETE', `${api}/model-versions/delete`, { name, version: textOf((made as Row).version) });
  }
}

const metricsOf = ({ key, steps, timestamps, values }: PointsRecord) =>
  steps.map((step, at) => ({ key, step, timestamp: timestamps[at], value: values[at] }));

function* parts<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

const rowsOf = (value: unknown): readonly Row[] => (Array.isArray(value) ? (value as Row[]) : []);
const pairsOf = (value: unknown) => rowsOf(value).map(({ key, value }) => ({ key: textOf(key), value: textOf(value) }));
const infoOf = (value: unknown): Row => ((value as Row | undefined)?.info ?? {}) as Row;
const idsIn = (value: unknown, name: string): ReadonlySet<string> =>
  new Set(rowsOf((value as Row | undefined)?.[name]).map(({ model_id }) => textOf(model_id)));

const codeOf = (error: unknown): unknown => (error instanceof PlatformError ? error.data?.code : undefined);
/** MLflow takes fewer names of files than we do: without `#`, for example. */
const isRefusedName = (error: unknown): error is PlatformError =>
  error instanceof PlatformError && error.code === 'interop/refused' && error.data?.status === 400;

const isMissing = (error: unknown): boolean => codeOf(error) === 'RESOURCE_DOES_NOT_EXIST';
