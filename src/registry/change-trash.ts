/** What may be done to a model or a version in the trash: brought back, or deleted for good. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import type { ModelStore } from './model-store.ts';
import { versionSubject } from './model-version.ts';
import type { DeletedModel, DeletedVersion, RegistryTrashStore } from './registry-trash-store.ts';

type Deps = {
  readonly trash: RegistryTrashStore;
  readonly models: ModelStore;
  readonly events: EventStore;
  readonly now: () => number;
};

/** @throws PlatformError `registry/model-exists` when another model has the name now */
export async function restoreModel(deps: Deps, model: DeletedModel, actor: string): Promise<void> {
  const { id, name } = model;
  if (!(await deps.trash.restoreModel(id, deps.now()))) {
    const hint = 'Rename that one first: this one comes back under its own name.';
    throw new PlatformError('registry/model-exists', name, { hint });
  }
  await appendModel(deps, model, actor, 'registry.model-restored');
}

export async function purgeModel(deps: Deps, model: DeletedModel, actor: string): Promise<void> {
  await deps.trash.purgeModel(model.id);
  await appendModel(deps, model, actor, 'registry.model-purged');
}

export async function restoreVersion(deps: Deps, deleted: DeletedVersion, actor: string): Promise<void> {
  const at = deps.now();
  await deps.models.touch(deleted.model, at); // holds the model's row: nobody takes one of the aliases meanwhile
  const aliases = await deps.trash.restoreVersion(deleted, at);
  await appendVersion(deps, deleted, actor, 'registry.version-restored', { aliases });
}

export async function purgeVersion(deps: Deps, deleted: DeletedVersion, actor: string): Promise<void> {
  await deps.trash.purgeVersion(deleted.model, deleted.version);
  await appendVersion(deps, deleted, actor, 'registry.version-purged', {});
}

const appendModel = (
  { events, now }: Deps,
  { id, name, project }: DeletedModel,
  actor: string,
  type: string,
): Promise<void> => events.append({ type, project, subject: `model/${name}`, actor, at: now(), data: { trash: id } });

const appendVersion = (
  { events, now }: Deps,
  { model, version, project }: DeletedVersion,
  actor: string,
  type: string,
  data: { readonly [key: string]: Json },
): Promise<void> => {
  const subject = versionSubject(model, version);
  return events.append({ type, project, subject, actor, at: now(), data: { model, version, ...data } });
};
