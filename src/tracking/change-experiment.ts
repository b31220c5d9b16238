/** What may be done to an experiment after it was made. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { maxExperimentTagLength } from './create-experiment.ts';
import {
  type Experiment,
  experimentNotFound,
  type Lifecycle,
  parseExperimentId,
  refuseMoreViews,
  requireActiveExperiment,
  validateExperimentName,
} from './experiment.ts';
import type { ExperimentStore } from './experiment-store.ts';
import { type Tag, validateTag } from './names.ts';
import { defaultProject, projectTag, taggedProject } from './project-tag.ts';
import type { RunStore } from './run-store.ts';

type Deps = { readonly experiments: ExperimentStore; readonly now: () => number };
type LifecycleDeps = Deps & { readonly runs: RunStore; readonly events: EventStore };

export async function requireExperiment(experiments: ExperimentStore, id: string): Promise<Experiment> {
  const experiment = await experiments.find(id);
  if (!experiment) throw experimentNotFound(String(parseExperimentId(id)));
  return experiment;
}

/** Deletes an experiment with all its runs. */
export const deleteExperiment = (deps: LifecycleDeps, id: string, actor: string): Promise<void> =>
  setLifecycle(deps, { id, actor, from: 'active', to: 'deleted' });

/** Restores an experiment with all its runs, those too that were deleted one by one before: MLflow does the same. */
export const restoreExperiment = (deps: LifecycleDeps, id: string, actor: string): Promise<void> =>
  setLifecycle(deps, { id, actor, from: 'deleted', to: 'active' });

async function setLifecycle(
  { experiments, runs, events, now }: LifecycleDeps,
  {
    id,
    actor,
    from,
    to,
  }: { readonly id: string; readonly actor: string; readonly from: Lifecycle; readonly to: Lifecycle },
): Promise<void> {
  await experiments.hold(id);
  const experiment = await requireExperiment(experiments, id);
  if (experiment.lifecycle !== from) throw experimentNotFound(experiment.id);
  const at = now();
  await experiments.setLifecycle(experiment.id, to, at);
  const changed = await runs.setLifecycleOfAll(experiment.id, to, at);
  await events.append({
    type: to === 'deleted' ? 'tracking.experiment-deleted' : 'tracking.experiment-restored',
    project: experiment.project,
    subject: `experiment/${experiment.id}`,
    actor,
    at,
    data: { name: experiment.name, runs: changed },
  });
}

export async function renameExperiment({ experiments, now }: Deps, id: string, name: string): Promise<void> {
  validateExperimentName(name);
  const experiment = await requireExperiment(experiments, id);
  if (experiment.lifecycle !== 'active') {
    const message = 'Cannot rename a non-active experiment.';
    throw new PlatformError('tracking/not-active', `experiment/${id}`, { message, hint: 'Restore it first.' });
  }
  if (!(await experiments.rename(experiment.id, name, now()))) throw new PlatformError('tracking/name-taken', name);
}

export async function tagExperiment({ experiments }: Pick<Deps, 'experiments'>, id: string, tag: Tag): Promise<void> {
  validateTag(tag, maxExperimentTagLength);
  const project = taggedProject([tag]);
  const experiment = await requireExperiment(experiments, id);
  requireActiveExperiment(experiment);
  refuseMoreViews(experiment.tags, [tag], experiment.id);
  await experiments.setTag(id, tag);
  if (project !== undefined) await experiments.setProject(id, project);
}

export async function untagExperiment(
  { experiments }: Pick<Deps, 'experiments'>,
  id: string,
  key: string,
): Promise<void> {
  requireActiveExperiment(await requireExperiment(experiments, id));
  if (await experiments.deleteTag(id, key)) {
    if (key === projectTag) await experiments.setProject(id, defaultProject);
    return;
  }
  const message = `No tag with name: ${key} in experiment with id ${id}`;
  throw new PlatformError('tracking/tag-not-found', key, { message });
}
