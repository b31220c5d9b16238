/** What may be done to a registered model: described, renamed, tagged, deleted. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import { defaultProject, projectTag, taggedProject } from '../tracking/project-tag.ts';
import { validateModelName, validateRegistryTag } from './model-name.ts';
import type { ModelStore } from './model-store.ts';
import { loggedTag, type RegisteredModel, type Tag } from './model-version.ts';
import { requireModel } from './register-model.ts';
import type { RegistryTrashStore } from './registry-trash-store.ts';

type Deps = { readonly models: ModelStore; readonly events: EventStore; readonly now: () => number };

export async function describeModel(
  { models, now }: Pick<Deps, 'models' | 'now'>,
  name: string,
  description: string,
): Promise<RegisteredModel> {
  const model = await requireModel(models, name);
  const updatedAt = now();
  await models.describe(name, description, updatedAt);
  return { ...model, description, updatedAt };
}

/** Renames a model and with it all its versions. @throws PlatformError `registry/model-exists` */
export async function renameModel(
  deps: Deps,
  name: string,
  { newName, actor }: { readonly newName: string; readonly actor: string },
): Promise<RegisteredModel> {
  if (newName.trim() === '') validateModelName(newName, 'new_name');
  validateModelName(newName);
  const { models, now } = deps;
  const model = await requireModel(models, name);
  if (!(await models.rename(name, newName, now()))) throw new PlatformError('registry/model-exists', newName);
  await append(deps, model, actor, 'registry.model-renamed', { to: newName });
  return requireModel(models, newName);
}

/** Moves a model with its versions to the trash; its name is free from then on. @param id what it is called there */
export async function deleteModel(
  deps: Deps & { readonly trash: RegistryTrashStore },
  name: string,
  { id, actor }: { readonly id: string; readonly actor: string },
): Promise<void> {
  const at = deps.now();
  await deps.models.touch(name, at); // holds the model's row: of two callers, the second finds no model
  const model = await requireModel(deps.models, name);
  await deps.trash.trashModel(name, { id, at });
  await append(deps, model, actor, 'registry.model-deleted', { trash: id });
}

export async function tagModel(
  deps: Deps,
  name: string,
  { tag, actor }: { readonly tag: Tag; readonly actor: string },
): Promise<void> {
  validateModelName(name);
  validateRegistryTag(tag);
  const project = taggedProject([tag]);
  const model = await requireModel(deps.models, name);
  await deps.models.setTag(name, tag);
  if (project !== undefined) await deps.models.setProject(model, project);
  await append(deps, model, actor, 'registry.model-tag-set', loggedTag(tag));
}

/** Removing a tag that is not there is no error. */
export async function untagModel(
  deps: Deps,
  name: string,
  { key, actor }: { readonly key: string; readonly actor: string },
): Promise<void> {
  const model = await requireModel(deps.models, name);
  if (!model.tags.some((tag) => tag.key === key)) return;
  await deps.models.deleteTag(name, key);
  if (key === projectTag) await deps.models.setProject(model, defaultProject);
  await append(deps, model, actor, 'registry.model-tag-deleted', { key });
}

const append = (
  { events, now }: Deps,
  { name, project }: RegisteredModel,
  actor: string,
  type: string,
  data: { readonly [key: string]: Json },
): Promise<void> => events.append({ type, project, subject: `model/${name}`, actor, at: now(), data });
