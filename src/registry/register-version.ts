import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { validateModelName, validateRegistryTag } from './model-name.ts';
import type { ModelStore } from './model-store.ts';
import { type Lineage, loggedOrigin, type ModelVersion, type Tag, versionSubject } from './model-version.ts';
import type { VersionStore } from './version-store.ts';

export type RegisterVersionDeps = {
  readonly models: ModelStore;
  readonly versions: VersionStore;
  readonly events: EventStore;
  readonly now: () => number;
};

export type VersionToRegister = {
  readonly model: string;
  readonly source: string;
  /** Where the files lie; the source itself unless it is a `models:/` URI (see `resolve-source.ts`). */
  readonly storageLocation?: string;
  /** The project that the version belongs to; the model's own when absent. */
  readonly project?: string;
  readonly actor: string;
  readonly runId?: string;
  readonly runLink?: string;
  readonly loggedModelId?: string;
  readonly description?: string;
  readonly tags?: readonly Tag[];
  readonly lineage?: Lineage;
  readonly profileDigest?: string;
  readonly gateDataDigest?: string;
  readonly parityDigest?: string;
};

/** Adds the next version of a model. @throws PlatformError `registry/model-not-found` */
export async function registerVersion(
  { models, versions, events, now }: RegisterVersionDeps,
  input: VersionToRegister,
): Promise<ModelVersion> {
  const { model, actor, tags = [], project, storageLocation, ...rest } = input;
  validateModelName(model);
  for (const tag of tags) validateRegistryTag(tag);
  const createdAt = now();
  // The update locks the model's row, so that two versions registered at once get two numbers.
  if (!(await models.touch(model, createdAt))) throw new PlatformError('registry/model-not-found', model);
  const registered = await models.find(model);
  const version = await versions.insert({
    ...rest,
    model,
    project: project ?? registered?.project ?? 'default',
    storageLocation: storageLocation ?? input.source,
    tags,
    stage: 'None',
    status: 'READY',
    createdAt,
    lineage: input.lineage ?? { datasets: [] },
  });
  await events.append({
    type: 'registry.version-registered',
    project: version.project,
    subject: versionSubject(model, version.version),
    actor,
    at: createdAt,
    data: {
      model,
      version: version.version,
      source: version.source,
      ...(version.runId ? { run: version.runId } : {}),
      ...(version.loggedModelId ? { loggedModel: version.loggedModelId } : {}),
      ...loggedOrigin(version),
    },
  });
  return version;
}

/** @throws PlatformError `registry/version-not-found` */
export async function requireVersion(versions: VersionStore, model: string, version: number): Promise<ModelVersion> {
  validateModelName(model);
  const found = await versions.find(model, version);
  if (found) return found;
  throw new PlatformError('registry/version-not-found', `${model}@${version}`);
}
