/** A pipeline step's model becomes a registered version: under the run that the program made, with what gates and monitors need later. */
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { eventStore } from '../events/event-store.ts';
import { inspectOnnx } from '../onnx/inspect-onnx.ts';
import type { ModelRequest, RegisterModel } from '../pipelines/registration-worker.ts';
import { modelStore } from '../registry/model-store.ts';
import type { Lineage, ModelVersion } from '../registry/model-version.ts';
import { registerModel } from '../registry/register-model.ts';
import { registerVersion } from '../registry/register-version.ts';
import { versionStore } from '../registry/version-store.ts';
import type { ArtifactPlaces } from '../storage/artifact-places.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Database } from '../storage/database.ts';
import { updateRun } from '../tracking/change-run.ts';
import { createExperiment } from '../tracking/create-experiment.ts';
import { createRun } from '../tracking/create-run.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { metricStore } from '../tracking/metric-store.ts';
import type { RunInfo } from '../tracking/run.ts';
import { runStore } from '../tracking/run-store.ts';
import type { ReadCurrentProject } from './current-project-adapter.ts';
import { runsOfExecution } from './execution-run-store.ts';
import type { ProjectConfig } from './project-schema.ts';
import { trainingFileOf } from './training-file.ts';

export type TrainedModelDeps = {
  readonly database: Database;
  readonly artifacts: ArtifactPlaces;
  readonly blobs: BlobStore;
  readonly readProject: ReadCurrentProject;
  /** Counts the training rows, for monitors to compare with. @returns the digest of the profile */
  readonly profileTraining?: ProfileTraining;
  readonly onRegistered: (version: ModelVersion) => Promise<ModelVersion>;
  /** The start of a new experiment's artifact location. */
  readonly artifactRoot: string;
  readonly now: () => number;
  readonly newId: () => string;
  readonly random: () => number;
};

export type ProfileTraining = (rows: {
  readonly file: string;
  readonly time?: string;
  /** The model's inputs; absent where the file is no ONNX: then every column but those left out. */
  readonly features?: readonly string[];
  /** Columns that are no features. */
  readonly leaveOut: readonly string[];
}) => Promise<string>;

/** Names the step execution that a version came from, so that a second call finds the first one's version. */
const keyTag = 'rondo.key';
/** Below the run's artifacts: beside what the program itself has logged. */
const modelFolder = 'rondo-model';

export function trainedModels(deps: TrainedModelDeps): RegisterModel {
  const { database } = deps;
  return async (request) => {
    const known = await versionOfKey(deps, request);
    if (known) return refOf(known);
    const { folder, config } = await deps.readProject(request.project);
    const run =
      (await runsOfExecution(database.read, request.lineage.execution)).at(-1) ?? (await makeRun(deps, request));
    const source = await storeFiles(deps, request, run);
    const digests = await storeEvidence(deps, folder, config, await inputsOf(request));
    const version = await database.write(async (tx) => {
      const stores = { models: modelStore(tx), versions: versionStore(tx), events: eventStore(tx), now: deps.now };
      const { model, project, actor } = request;
      if (!(await stores.models.find(model))) await registerModel(stores, { name: model, project, actor });
      return registerVersion(stores, {
        ...{ model, project, actor, source, storageLocation: source, runId: run.id },
        tags: [{ key: keyTag, value: request.key }],
        lineage: lineageOf(request),
        ...digests,
      });
    });
    return refOf(await deps.onRegistered(version));
  };
}

async function versionOfKey(
  { database }: TrainedModelDeps,
  { model, key }: ModelRequest,
): Promise<ModelVersion | undefined> {
  const versions = await versionStore(database.read).list(model);
  return versions.find(({ tags }) => tags.some((tag) => tag.key === keyTag && tag.value === key));
}

/** For a program that has not logged a run itself. */
async function makeRun(deps: TrainedModelDeps, request: ModelRequest): Promise<RunInfo> {
  const { database, now, newId, random, artifactRoot } = deps;
  const { project, actor, lineage, startedAt, endedAt } = request;
  return database.write(async (tx) => {
    const experiments = experimentStore(tx);
    const runs = runStore(tx);
    const events = eventStore(tx);
    const experimentId =
      (await experiments.findByName(project))?.id ??
      (await createExperiment({ experiments, events, now }, { name: project, project, actor, artifactRoot }));
    const run = await createRun(
      { experiments, runs, events, now, newId, random },
      { experimentId, actor, startTime: startedAt, tags: [{ key: 'rondo.execution', value: lineage.execution }] },
    );
    await runs.insertParams(
      run.id,
      Object.entries(lineage.params).map(([key, value]) => ({ key, value: String(value) })),
    );
    await updateRun(
      { experiments, runs, events, now, metrics: metricStore(tx) },
      { runId: run.id, status: 'FINISHED', endTime: endedAt, actor },
    );
    return run;
  });
}

/** @returns the source that the registry keeps */
async function storeFiles(
  { artifacts }: TrainedModelDeps,
  { path, name }: ModelRequest,
  run: RunInfo,
): Promise<string> {
  const beside = artifacts.find(run.artifactUri);
  const { root, key } = beside ?? { root: artifacts.proxied, key: `models/${run.id}` };
  for (const file of await filesBelow(path, basename(name))) {
    await root.put(`${key}/${modelFolder}/${file.name}`, createReadStream(file.path));
  }
  return `${beside ? run.artifactUri : `mlflow-artifacts:/${key}`}/${modelFolder}`;
}

async function filesBelow(
  path: string,
  name: string,
): Promise<readonly { readonly path: string; readonly name: string }[]> {
  if ((await stat(path)).isFile()) return [{ path, name }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file, name: relative(path, file) }));
}

/** The rows and expected answers that the gates need, as they are now: later runs write over these files. */
async function storeEvidence(
  { blobs, profileTraining }: TrainedModelDeps,
  folder: string,
  config: ProjectConfig,
  features: readonly string[] | undefined,
): Promise<{ gateDataDigest?: string; parityDigest?: string; profileDigest?: string }> {
  const { gates, endpoint, model } = config;
  const parity = gates?.tests.find((test) => 'parity' in test);
  const put = async (path: string | undefined) =>
    path === undefined ? undefined : (await blobs.put(createReadStream(join(folder, path)))).digest;
  const gateDataDigest = await put(gates?.data);
  const parityDigest = await put(parity && 'parity' in parity ? parity.parity : undefined);
  const training = trainingFileOf(config);
  const leaveOut = [endpoint?.key, endpoint?.assign, model?.target].filter((name) => name !== undefined);
  const time = endpoint?.time;
  const profileDigest =
    training &&
    (await profileTraining?.({
      file: join(folder, training),
      leaveOut,
      ...(features && { features }),
      ...(time !== undefined && { time }),
    }));
  return {
    ...(gateDataDigest && { gateDataDigest }),
    ...(parityDigest && { parityDigest }),
    ...(profileDigest && { profileDigest }),
  };
}

/** Training rows hold more than the model is asked: only its inputs can drift. */
async function inputsOf({ path, name }: ModelRequest): Promise<readonly string[] | undefined> {
  if (!name.endsWith('.onnx') || !(await stat(path)).isFile()) return undefined;
  const { inputs } = inspectOnnx(await readFile(path), new Map());
  return inputs.length > 0 ? inputs.map(({ name }) => name) : undefined;
}

function lineageOf({ lineage }: ModelRequest): Lineage {
  const { datasets, code, environment, seed, execution } = lineage;
  return {
    datasets: datasets.map(({ name, version, context }) => ({ name, version: String(version), context })),
    code,
    environment: JSON.stringify(environment),
    ...(seed !== undefined && { seed }),
    execution,
  };
}

const refOf = ({ model, version, runId }: ModelVersion) => ({ model, version, ...(runId !== undefined && { runId }) });
