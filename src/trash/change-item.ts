/** Brings an item of the trash back, or deletes it for good. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import { purgeModel, purgeVersion, restoreModel, restoreVersion } from '../registry/change-trash.ts';
import type { ModelStore } from '../registry/model-store.ts';
import { restoreExperiment } from '../tracking/change-experiment.ts';
import { restoreLoggedModel } from '../tracking/change-logged-model.ts';
import { restoreRun } from '../tracking/change-run.ts';
import { requireActiveExperiment } from '../tracking/experiment.ts';
import type { ExperimentStore } from '../tracking/experiment-store.ts';
import type { LoggedModelStore } from '../tracking/logged-model-store.ts';
import type { RunStore } from '../tracking/run-store.ts';
import { isDefaultExperiment, type TrashItem, versionOfId } from './trash.ts';
import type { Purge, PurgeStore, TrashStore } from './trash-store.ts';

export type ChangeDeps = {
  readonly trash: TrashStore;
  readonly purges: PurgeStore;
  readonly experiments: ExperimentStore;
  readonly runs: RunStore;
  readonly loggedModels: LoggedModelStore;
  readonly models: ModelStore;
  readonly events: EventStore;
  readonly now: () => number;
};

/** @throws PlatformError `tracking/not-active` for a run of a deleted experiment, `registry/model-exists` for a name that is taken */
export async function restoreItem(deps: ChangeDeps, item: TrashItem, actor: string): Promise<void> {
  const { trash, experiments } = deps;
  const { kind, id } = item;
  if (item.experimentId !== undefined) {
    const experiment = await experiments.find(item.experimentId);
    if (experiment) requireActiveExperiment(experiment);
  }
  const registryDeps = { ...deps, trash: trash.registry };
  switch (kind) {
    case 'experiment':
      return restoreExperiment(deps, id, actor);
    case 'run':
      return restoreRun(deps, id, actor);
    case 'logged-model':
      return restoreLoggedModel(deps, id, actor);
    case 'model': {
      const model = await trash.registry.findModel(id);
      if (!model) throw notInTrash(kind, id);
      return restoreModel(registryDeps, model, actor);
    }
    case 'version': {
      const version = await deletedVersion(trash, id);
      if (!version) throw notInTrash(kind, id);
      return restoreVersion(registryDeps, version, actor);
    }
  }
}

/**
 * Takes an item out of every list and frees its name; its rows and files go afterwards, in portions (`purge-adapter.ts`). Nothing
 * brings it back.
 * @throws PlatformError `trash/default-experiment`
 */
export async function purgeItem(deps: ChangeDeps, item: TrashItem, actor: string): Promise<void> {
  const { trash, purges, now } = deps;
  const { kind, id, name } = item;
  const registryDeps = { ...deps, trash: trash.registry };
  switch (kind) {
    case 'experiment':
      if (isDefaultExperiment(item)) throw new PlatformError('trash/default-experiment', `${kind} ${name}`);
      if (!(await trash.tracking.removeExperiment(id))) throw notInTrash(kind, id);
      await purges.add([{ kind, id }], now());
      return append(deps, 'tracking.experiment-purged', item, actor, { name, runs: item.holds ?? 0 });
    case 'run':
    case 'logged-model': {
      const { tracking } = trash;
      const removed = await (kind === 'run'
        ? tracking.removeRun(id, ['deleted'])
        : tracking.removeLoggedModel(id, ['deleted']));
      if (!removed) throw notInTrash(kind, id);
      await purges.add([{ kind, ...removed }], now());
      return append(deps, `tracking.${kind}-purged`, item, actor, { name, experiment: item.experimentId ?? null });
    }
    case 'model': {
      const model = await trash.registry.findModel(id);
      if (!model) throw notInTrash(kind, id);
      await purges.add(await leftBehind(trash, { trashId: id }), now());
      return purgeModel(registryDeps, model, actor);
    }
    case 'version': {
      const version = await deletedVersion(trash, id);
      if (!version) throw notInTrash(kind, id);
      await purges.add(await leftBehind(trash, version), now());
      return purgeVersion(registryDeps, version, actor);
    }
  }
}

/** The files of versions: they may have outlived the run that wrote them. */
async function leftBehind(
  { registry }: TrashStore,
  of: { readonly trashId: string } | { readonly model: string; readonly version: number },
): Promise<readonly Purge[]> {
  const places = await registry.locationsOf(of);
  return places.map(({ row, storageLocation }) => ({
    kind: 'version',
    id: `${row.name}@${row.version}`,
    location: storageLocation,
  }));
}

async function deletedVersion({ registry }: TrashStore, id: string) {
  const ref = versionOfId(id);
  return ref && (await registry.findVersion(ref.model, ref.version));
}

const append = (
  { events, now }: ChangeDeps,
  type: string,
  { kind, id, project }: TrashItem,
  actor: string,
  data: { readonly [key: string]: Json },
): Promise<void> => events.append({ type, project, subject: `${kind}/${id}`, actor, at: now(), data });

export const notInTrash = (kind: string, id: string): PlatformError =>
  new PlatformError('trash/not-found', `${kind}/${id}`);
