/** What may be done to a version: described, staged, tagged, named by an alias, deleted. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import { invalid, refuseReservedAlias, validateAlias, validateRegistryTag } from './model-name.ts';
import type { ModelStore } from './model-store.ts';
import { loggedTag, type ModelVersion, stageNamed, stages, type Tag, versionSubject } from './model-version.ts';
import { requireModel } from './register-model.ts';
import { requireVersion } from './register-version.ts';
import type { VersionStore } from './version-store.ts';

type Deps = {
  readonly models: ModelStore;
  readonly versions: VersionStore;
  readonly events: EventStore;
  readonly now: () => number;
};

export async function describeVersion(
  { versions, now }: Pick<Deps, 'versions' | 'now'>,
  model: string,
  { version, description }: { readonly version: number; readonly description: string | undefined },
): Promise<ModelVersion> {
  await requireVersion(versions, model, version);
  await versions.update(model, version, { description }, now());
  return requireVersion(versions, model, version);
}

/** Moves a version to a stage; with `archiveOthers`, those that are in it move to Archived. */
export async function setStage(
  deps: Deps,
  input: {
    readonly model: string;
    readonly version: number;
    readonly stage: string;
    readonly archiveOthers: boolean;
    readonly actor: string;
  },
): Promise<ModelVersion> {
  const { models, versions, now } = deps;
  const { model, version, actor } = input;
  const stage = stageNamed(input.stage);
  if (!stage) {
    const message = `Invalid Model Version stage: ${input.stage}. Value must be one of ${stages.join(', ')}.`;
    throw invalid('stage', message);
  }
  const active = stage === 'Staging' || stage === 'Production';
  if (input.archiveOthers && !active) {
    const message =
      'Model version transition cannot archive existing model versions because ' +
      `'${input.stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`;
    throw invalid('archive_existing_versions', message);
  }
  const at = now();
  await models.touch(model, at); // holds the model's row: two callers do not archive each other
  const before = await requireVersion(versions, model, version);
  const archived = input.archiveOthers ? await versions.archiveOthers(model, version, stage, at) : [];
  await versions.update(model, version, { stage }, at);
  await append(deps, before, actor, 'registry.stage-set', { stage, from: before.stage, archived });
  return requireVersion(versions, model, version);
}

export async function setAlias(
  deps: Deps,
  input: { readonly model: string; readonly alias: string; readonly version: number; readonly actor: string },
): Promise<void> {
  const { models, versions, now } = deps;
  const { model, alias, version, actor } = input;
  validateAlias(alias);
  refuseReservedAlias(alias);
  await models.touch(model, now()); // holds the model's row: the version cannot be deleted meanwhile
  const named = await requireVersion(versions, model, version);
  const before = await versions.findByAlias(model, alias);
  await versions.setAlias(model, alias, version);
  await append(deps, named, actor, 'registry.alias-set', { alias, from: before?.version ?? null });
}

/** Removing an alias that is not there is no error. */
export async function deleteAlias(
  deps: Deps,
  input: { readonly model: string; readonly alias: string; readonly actor: string },
): Promise<void> {
  const { models, versions, now } = deps;
  const { model, alias, actor } = input;
  validateAlias(alias);
  await requireModel(models, model);
  const before = await versions.findByAlias(model, alias);
  if (!before) return;
  await versions.deleteAlias(model, alias);
  await models.touch(model, now());
  const named = await versions.find(model, before.version);
  if (named) await append(deps, named, actor, 'registry.alias-deleted', { alias });
}

/** `latest`, which nobody can set, is the highest version. @throws PlatformError `registry/alias-not-found` */
export async function versionByAlias(
  { models, versions }: Pick<Deps, 'models' | 'versions'>,
  model: string,
  alias: string,
): Promise<ModelVersion> {
  validateAlias(alias);
  await requireModel(models, model);
  if (alias.toLowerCase() === 'latest') {
    const newest = await versions.latestPerStage([model]);
    const latest = newest.toSorted((a, b) => b.version - a.version)[0];
    if (latest) return latest;
    const message = `Latest version not found for model ${model}.`;
    throw new PlatformError('registry/version-not-found', `${model}@latest`, { message });
  }
  const found = await versions.findByAlias(model, alias);
  if (!found) throw new PlatformError('registry/alias-not-found', alias);
  return requireVersion(versions, model, found.version);
}

export async function tagVersion(
  deps: Pick<Deps, 'versions' | 'events' | 'now'>,
  { model, version, tag, actor }: { model: string; version: number; tag: Tag; actor: string },
): Promise<void> {
  validateRegistryTag(tag);
  const tagged = await requireVersion(deps.versions, model, version);
  await deps.versions.setTag(model, version, tag);
  await append(deps, tagged, actor, 'registry.version-tag-set', loggedTag(tag));
}

/** Removing a tag that is not there is no error. */
export async function untagVersion(
  deps: Pick<Deps, 'versions' | 'events' | 'now'>,
  { model, version, key, actor }: { model: string; version: number; key: string; actor: string },
): Promise<void> {
  const before = await requireVersion(deps.versions, model, version);
  if (!before.tags.some((tag) => tag.key === key)) return;
  await deps.versions.deleteTag(model, version, key);
  await append(deps, before, actor, 'registry.version-tag-deleted', { key });
}

/** Moves a version to the trash, and takes its aliases away; its number is not given again. */
export async function deleteVersion(
  deps: Deps,
  input: { readonly model: string; readonly version: number; readonly actor: string },
): Promise<void> {
  const { models, versions, now } = deps;
  const { model, version, actor } = input;
  const at = now();
  await models.touch(model, at);
  const before = await requireVersion(versions, model, version);
  const aliases = await versions.trash(model, version, at);
  await append(deps, before, actor, 'registry.version-deleted', { source: before.source, aliases });
}

const append = (
  { events, now }: Pick<Deps, 'events' | 'now'>,
  { model, version, project }: ModelVersion,
  actor: string,
  type: string,
  data: { readonly [key: string]: Json },
): Promise<void> => {
  const subject = versionSubject(model, version);
  return events.append({ type, project, subject, actor, at: now(), data: { model, version, ...data } });
};
