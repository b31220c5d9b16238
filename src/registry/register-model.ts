import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { pythonString } from '../tracking/names.ts';
import { taggedProject } from '../tracking/project-tag.ts';
import { validateModelName, validateRegistryTag } from './model-name.ts';
import type { ModelStore } from './model-store.ts';
import { loggedOrigin, type RegisteredModel, type Tag } from './model-version.ts';
import { isPrompt } from './prompt.ts';

type Deps = { readonly models: ModelStore; readonly events: EventStore; readonly now: () => number };

/** @throws PlatformError `registry/model-exists` */
export async function registerModel(
  { models, events, now }: Deps,
  input: {
    readonly name: string;
    /** Where no tag names another one. */
    readonly project: string;
    readonly actor: string;
    readonly description?: string;
    readonly tags?: readonly Tag[];
  },
): Promise<RegisteredModel> {
  const { name, actor, description, tags = [] } = input;
  validateModelName(name);
  for (const tag of tags) validateRegistryTag(tag);
  const project = taggedProject(tags) ?? input.project;
  const createdAt = now();
  const added = await models.insert({
    name,
    project,
    ...(description === undefined ? {} : { description }),
    createdAt,
    tags,
  });
  const model = await models.find(name);
  if (!added || !model) throw nameTaken(name, isPrompt(tags), isPrompt(model?.tags ?? []));
  await events.append({
    type: isPrompt(tags) ? 'registry.prompt-created' : 'registry.model-created',
    project,
    subject: `model/${name}`,
    actor,
    at: createdAt,
    data: loggedOrigin({ tags, description }),
  });
  return model;
}

function nameTaken(name: string, asPrompt: boolean, byPrompt: boolean): PlatformError {
  const kind = (prompt: boolean) => (prompt ? 'Prompt' : 'Registered Model');
  const message =
    asPrompt === byPrompt
      ? `${kind(asPrompt)} (name=${name}) already exists.`
      : `Tried to create a ${kind(asPrompt).toLowerCase()} with name ${pythonString(name)}, but the name is already taken by a` +
        ` ${kind(byPrompt).toLowerCase()}. MLflow does not allow creating a model and a prompt with the same name.`;
  return new PlatformError('registry/model-exists', name, { message });
}

export async function requireModel(models: ModelStore, name: string): Promise<RegisteredModel> {
  validateModelName(name);
  const model = await models.find(name);
  if (!model) throw new PlatformError('registry/model-not-found', name);
  return model;
}
