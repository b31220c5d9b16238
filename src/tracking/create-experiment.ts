import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import {
  defaultArtifactLocation,
  defaultExperiment,
  refuseMoreViews,
  validateArtifactLocation,
  validateExperimentName,
} from './experiment.ts';
import type { ExperimentStore } from './experiment-store.ts';
import { type Tag, validateTag } from './names.ts';
import { defaultProject, taggedProject } from './project-tag.ts';

export const maxExperimentTagLength = 20_000;

type Deps = { readonly experiments: ExperimentStore; readonly now: () => number };

/** @returns the new experiment's id  @throws PlatformError `tracking/experiment-exists`, also for the name of a deleted one */
export async function createExperiment(
  { experiments, events, now }: Deps & { readonly events: EventStore },
  input: {
    readonly name: string;
    /** Where no tag names another one. */
    readonly project: string;
    readonly actor: string;
    readonly artifactRoot: string;
    readonly artifactLocation?: string;
    readonly tags?: readonly Tag[];
  },
): Promise<string> {
  const { name, actor, artifactRoot, artifactLocation, tags = [] } = input;
  refuseMoreViews([], tags);
  validateExperimentName(name);
  if (artifactLocation) validateArtifactLocation(artifactLocation);
  for (const tag of tags) validateTag(tag, maxExperimentTagLength);
  const project = taggedProject(tags) ?? input.project;
  const at = now();
  const id = await experiments.insert(
    { name, project, lifecycle: 'active', createdAt: at, updatedAt: at, tags },
    (id) => artifactLocation || defaultArtifactLocation(artifactRoot, id),
  );
  if (id === undefined) {
    throw new PlatformError('tracking/experiment-exists', name, {
      hint: 'Take another name, or restore the experiment when it is a deleted one.',
    });
  }
  await events.append({
    type: 'tracking.experiment-created',
    subject: `experiment/${id}`,
    ...{ project, actor, at, data: { name } },
  });
  return id;
}

/** Makes the experiment of runs that name none, when it is not there yet. */
export async function ensureDefaultExperiment({ experiments, now }: Deps, artifactRoot: string): Promise<void> {
  const at = now();
  const { id, name } = defaultExperiment;
  await experiments.insertAs(
    BigInt(id),
    { name, project: defaultProject, lifecycle: 'active', createdAt: at, updatedAt: at, tags: [] },
    defaultArtifactLocation(artifactRoot, id),
  );
}
