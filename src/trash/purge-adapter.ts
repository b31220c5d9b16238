/** The end of what was deleted: out of every list at once, then rows and files in portions that hold up nobody. */
import { setImmediate } from 'node:timers/promises';
import { eventStore } from '../events/event-store.ts';
import { modelStore } from '../registry/model-store.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { versionStore } from '../registry/version-store.ts';
import type { ArtifactPlaces } from '../storage/artifact-places.ts';
import { deleteExcept } from '../storage/artifact-root.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Database, Db } from '../storage/database.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { trackingTrashStore } from '../tracking/tracking-trash-store.ts';
import { type ChangeDeps, purgeItem } from './change-item.ts';
import { neededKeys, settleLocations } from './settle-locations.ts';
import { type TrashItem, versionOfId } from './trash.ts';
import { type Purge, purgeStore, trashStore } from './trash-store.ts';

export type PurgeDeps = {
  readonly database: Database;
  readonly artifacts: ArtifactPlaces;
  readonly blobs: BlobStore;
  /** The versions that endpoints serve, are about to serve, or go back to. Supplied by serving. */
  readonly served: () => Promise<readonly Served[]>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type Served = { readonly endpoint: string; readonly model: string; readonly version: number };

/** Rows that one transaction deletes. */
const portion = 2000;
const runsAtOnce = 200;

export const changeStores = (tx: Db, now: () => number): ChangeDeps => ({
  trash: trashStore(tx),
  purges: purgeStore(tx),
  experiments: experimentStore(tx),
  runs: runStore(tx),
  loggedModels: loggedModelStore(tx),
  models: modelStore(tx),
  events: eventStore(tx),
  now,
});

/** Purges one item, after the places of files that versions need were written down. */
export async function purgeNow(
  deps: Pick<PurgeDeps, 'database' | 'artifacts' | 'now'>,
  item: TrashItem,
  actor: string,
): Promise<void> {
  const { database, now } = deps;
  if (item.kind === 'run' || item.kind === 'logged-model') await settle(deps, [item.id]);
  await database.write((tx) => purgeItem(changeStores(tx, now), item, actor));
}

/** The endpoint that needs a model or a version, so that it cannot go. */
export async function servingEndpoint(
  { database, served }: Pick<PurgeDeps, 'database' | 'served'>,
  { kind, id, name }: TrashItem,
): Promise<string | undefined> {
  const { registry } = trashStore(database.read);
  const version = kind === 'version' ? versionOfId(id) : undefined;
  const of = version ?? (kind === 'model' ? { trashId: id } : undefined);
  if (!of) return undefined;
  const model = version?.model ?? name;
  const numbers = new Set((await registry.locationsOf(of)).map(({ row }) => row.version));
  for (const ref of await served()) {
    if (ref.model !== model || !numbers.has(ref.version)) continue;
    // A model that was deleted and made anew: what serves is the new one's.
    if (kind === 'version' || !(await versionStore(database.read).find(model, ref.version))) return ref.endpoint;
  }
  return undefined;
}

type Files = Pick<PurgeDeps, 'database' | 'artifacts'>;

/** Where versions have their files that name one of these runs or logged models. */
export async function settledBy({ database: { read }, artifacts }: Files, ids: readonly string[]) {
  const stores = { runs: runStore(read), loggedModels: loggedModelStore(read), registry: registryTrashStore(read) };
  const models = await Promise.all(ids.map((id) => stores.loggedModels.find(id)));
  const named = new Set([...ids, ...models.flatMap((model) => model?.sourceRunId ?? [])]);
  return settleLocations({ ...stores, artifacts }, named);
}

async function settle(deps: Files, ids: readonly string[]): Promise<void> {
  const settled = await settledBy(deps, ids);
  if (settled.length === 0) return;
  await deps.database.write(async (tx) => {
    for (const { row, location } of settled) await registryTrashStore(tx).setLocation(row, location);
  });
}

/** Everything in the queue, one after the other. After a crash it begins again where it was: each step can be repeated. */
export async function sweepAll(deps: PurgeDeps, signal: AbortSignal): Promise<void> {
  const { database } = deps;
  for (;;) {
    if (signal.aborted) return;
    const purge = await purgeStore(database.read).next();
    if (!purge) return;
    if (await sweepRows(deps, purge, signal)) {
      await sweepFiles(deps, purge);
      await database.write((tx) => purgeStore(tx).done(purge));
    }
  }
}

/** @returns false when it was told to stop before the end */
async function sweepRows(deps: PurgeDeps, { kind, id }: Purge, signal: AbortSignal): Promise<boolean> {
  const { database } = deps;
  switch (kind) {
    case 'experiment':
      while (await sweepRuns(deps, id)) if (signal.aborted) return false;
      await database.write((tx) => trackingTrashStore(tx).sweepExperiment(id));
      return true;
    case 'run':
      while (await database.write((tx) => trackingTrashStore(tx).sweepPoints(id, portion))) {
        if (signal.aborted) return false;
        await setImmediate(); // whoever waits for the writer comes in between
      }
      await database.write((tx) => trackingTrashStore(tx).sweepRun(id));
      return true;
    case 'logged-model':
      await database.write((tx) => trackingTrashStore(tx).sweepLoggedModel(id));
      return true;
    case 'version':
      return true;
  }
}

/** Puts some runs and logged models of an experiment into the queue. @returns false when there are none left */
async function sweepRuns(deps: PurgeDeps, experimentId: string): Promise<boolean> {
  const { database, now } = deps;
  const ids = await trackingTrashStore(database.read).someOf(experimentId, runsAtOnce);
  if (ids.runs.length + ids.loggedModels.length === 0) return false;
  await settle(deps, [...ids.runs, ...ids.loggedModels]);
  await database.write(async (tx) => {
    const tracking = trackingTrashStore(tx);
    const all = ['active', 'deleted'] as const;
    const purges: Purge[] = [];
    for (const id of ids.runs) {
      const removed = await tracking.removeRun(id, all);
      if (removed) purges.push({ kind: 'run', ...removed });
    }
    for (const id of ids.loggedModels) {
      const removed = await tracking.removeLoggedModel(id, all);
      if (removed) purges.push({ kind: 'logged-model', ...removed });
    }
    await purgeStore(tx).add(purges, now());
  });
  return true;
}

async function sweepFiles({ database, artifacts }: PurgeDeps, { kind, id, location }: Purge): Promise<void> {
  const place = location === undefined ? undefined : artifacts.find(location);
  if (!place || place.key === '') return; // files elsewhere are not this server's
  const { root, key } = place;
  const registry = registryTrashStore(database.read);
  if (kind !== 'version') return deleteExcept(root, key, await neededKeys({ registry, artifacts }, place, id));
  // The files belong to whoever wrote them, and go here only when that is gone.
  const writers = key.split('/').filter((segment) => /^(?:m-)?[0-9a-f]{32}$/.test(segment));
  if ((await trackingTrashStore(database.read).owners(writers)).length > 0) return;
  const needed = await Promise.all(writers.map((writer) => neededKeys({ registry, artifacts }, place, writer)));
  if (writers.length > 0) await deleteExcept(root, key, needed.flat());
}
