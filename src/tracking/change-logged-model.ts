/** What may be done with a logged model: made, finished, tagged, deleted. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { requireExperiment } from './change-experiment.ts';
import { appendToLocation, type Lifecycle, requireActiveExperiment } from './experiment.ts';
import type { ExperimentStore } from './experiment-store.ts';
import {
  type LoggedModel,
  type LoggedModelStatus,
  loggedModelNotFound,
  validateLoggedModelName,
} from './logged-model.ts';
import type { LoggedModelStore } from './logged-model-store.ts';
import { type Param, pythonString, type Tag } from './names.ts';
import { randomName } from './run.ts';

type Deps = { readonly loggedModels: LoggedModelStore; readonly now: () => number };
type LifecycleDeps = Deps & { readonly experiments: ExperimentStore; readonly events: EventStore };

export async function createLoggedModel(
  deps: Deps & {
    readonly experiments: ExperimentStore;
    /** 32 hexadecimal digits. */
    readonly newId: () => string;
    readonly random: () => number;
  },
  input: {
    readonly experimentId: string;
    readonly name?: string;
    readonly modelType?: string;
    readonly sourceRunId?: string;
    readonly params?: readonly Param[];
    readonly tags?: readonly Tag[];
  },
): Promise<LoggedModel> {
  const { loggedModels, experiments, now, newId, random } = deps;
  validateLoggedModelName(input.name);
  const experiment = await requireExperiment(experiments, input.experimentId);
  requireActiveExperiment(experiment);
  const id = `m-${newId()}`;
  const at = now();
  const model: LoggedModel = {
    id,
    experimentId: experiment.id,
    name: input.name ?? randomName(random),
    artifactLocation: appendToLocation(experiment.artifactLocation, 'models', id, 'artifacts'),
    status: 'LOGGED_MODEL_PENDING',
    lifecycle: 'active',
    ...(input.modelType === undefined ? {} : { modelType: input.modelType }),
    ...(input.sourceRunId === undefined ? {} : { sourceRunId: input.sourceRunId }),
    createdAt: at,
    updatedAt: at,
    params: input.params ?? [],
    tags: input.tags ?? [],
    metrics: [],
  };
  await loggedModels.insert(model);
  return model;
}

/** @throws PlatformError `tracking/model-not-found`, for a deleted one too */
export async function requireLoggedModel(loggedModels: LoggedModelStore, id: string): Promise<LoggedModel> {
  const model = await loggedModels.find(id);
  if (model?.lifecycle !== 'active') throw loggedModelNotFound(id);
  return model;
}

/** Deleted or not: like MLflow, what is in the trash can still be finished and tagged. */
async function requireKept(loggedModels: LoggedModelStore, id: string): Promise<LoggedModel> {
  const model = await loggedModels.find(id);
  if (!model) throw loggedModelNotFound(id);
  return model;
}

export async function finalizeLoggedModel(
  { loggedModels, now }: Deps,
  id: string,
  status: LoggedModelStatus,
): Promise<LoggedModel> {
  const model = await requireKept(loggedModels, id);
  const updatedAt = now();
  await loggedModels.setStatus(id, status, updatedAt);
  return { ...model, status, updatedAt };
}

export async function deleteLoggedModel(deps: LifecycleDeps, id: string, actor: string): Promise<void> {
  await deps.loggedModels.hold(id);
  const model = await requireKept(deps.loggedModels, id);
  if (model.lifecycle === 'active') await setLifecycle(deps, model, { to: 'deleted', actor });
}

/** @throws PlatformError `tracking/model-not-found`; one that is not deleted stays as it is */
export async function restoreLoggedModel(deps: LifecycleDeps, id: string, actor: string): Promise<void> {
  await deps.loggedModels.hold(id);
  const model = await requireKept(deps.loggedModels, id);
  if (model.lifecycle === 'deleted') await setLifecycle(deps, model, { to: 'active', actor });
}

async function setLifecycle(
  { loggedModels, experiments, events, now }: LifecycleDeps,
  { id, name, experimentId }: LoggedModel,
  { to, actor }: { readonly to: Lifecycle; readonly actor: string },
): Promise<void> {
  const at = now();
  await loggedModels.setLifecycle(id, to, at);
  const experiment = await experiments.find(experimentId);
  await events.append({
    type: to === 'deleted' ? 'tracking.logged-model-deleted' : 'tracking.logged-model-restored',
    project: experiment?.project ?? 'default',
    subject: `logged-model/${id}`,
    actor,
    at,
    data: { experiment: experimentId, name },
  });
}

export async function tagLoggedModel(
  { loggedModels }: Pick<Deps, 'loggedModels'>,
  id: string,
  tags: readonly Tag[],
): Promise<void> {
  await requireKept(loggedModels, id);
  await loggedModels.setTags(id, tags);
}

export async function untagLoggedModel(
  { loggedModels }: Pick<Deps, 'loggedModels'>,
  id: string,
  key: string,
): Promise<void> {
  await requireKept(loggedModels, id);
  if (await loggedModels.deleteTag(id, key)) return;
  const message = `No tag with key ${pythonString(key)} found for model with ID ${pythonString(id)}.`;
  throw new PlatformError('tracking/tag-not-found', key, { message });
}

export async function addLoggedModelParams(
  { loggedModels }: Pick<Deps, 'loggedModels'>,
  id: string,
  params: readonly Param[],
): Promise<void> {
  await requireKept(loggedModels, id);
  await loggedModels.addParams(id, params);
  const stored = new Map((await requireKept(loggedModels, id)).params.map(({ key, value }) => [key, value]));
  const changed = params.find(({ key, value }) => stored.get(key) !== value);
  if (changed) throw new PlatformError('tracking/param-changed', changed.key);
}
