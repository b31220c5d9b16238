/** What is left of purged items goes here, in portions that hold up nobody; and the operation that collects garbage. */
import { setImmediate } from 'node:timers/promises';
import { eventStore } from '../events/event-store.ts';
import { type Loop, startLoop } from '../events/loop-worker.ts';
import type { Job } from '../jobs/job.ts';
import { describeError } from '../jobs/job-message.ts';
import { jobStore } from '../jobs/job-store.ts';
import { submitJob } from '../jobs/submit-job.ts';
import { modelStore } from '../registry/model-store.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { versionStore } from '../registry/version-store.ts';
import { digestsOfArtifacts } from '../storage/artifact-blobs.ts';
import type { ArtifactPlaces } from '../storage/artifact-places.ts';
import { deleteExcept, walkArtifacts } from '../storage/artifact-root.ts';
import type { BlobCount, BlobStore } from '../storage/blob-store.ts';
import type { Database, Db } from '../storage/database.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { trackingTrashStore } from '../tracking/tracking-trash-store.ts';
import { type ChangeDeps, purgeItem } from './change-item.ts';
import { type CollectRequest, collectKind, type Garbage, type Kept, nothingPurged, withItem } from './garbage.ts';
import { neededKeys, settleLocations } from './settle-locations.ts';
import { positionOf, type TrashItem, type TrashPosition, versionOfId } from './trash.ts';
import { type Purge, purgedTopic, purgeStore, trashStore } from './trash-store.ts';

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

export type PurgeWorker = AsyncDisposable & {
  /** @returns the operation's id */
  collect(request: CollectRequest, actor: string): Promise<string>;
};

/** Rows that one transaction deletes. */
const portion = 2000;
const runsAtOnce = 200;
/** Whoever puts bytes writes down within this time what they are for. */
const blobAgeMs = 24 * 3_600_000;

export function startPurgeWorker(deps: PurgeDeps): PurgeWorker {
  const { database, now, newId, onError } = deps;
  const loop: Loop = startLoop({
    everyMs: 60_000,
    onError,
    pass: async (signal) => {
      await sweepAll(deps, signal);
      for (const operation of await jobStore(database.read).open(collectKind)) {
        if (signal.aborted) return false;
        await runCollection(deps, operation, signal);
      }
      return false;
    },
  });
  const listening = database.onCommit(purgedTopic, loop.wake);
  return {
    collect: async (request, actor) => {
      const submit = (tx: Db) => ({ jobs: jobStore(tx), now, newId });
      const operation = await database.write((tx) =>
        submitJob(submit(tx), { kind: collectKind, lane: 'none', input: request, actor }),
      );
      loop.wake();
      return operation.id;
    },
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}

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
async function settledBy({ database: { read }, artifacts }: Files, ids: readonly string[]) {
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
async function sweepAll(deps: PurgeDeps, signal: AbortSignal): Promise<void> {
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

async function runCollection(deps: PurgeDeps, operation: Job, signal: AbortSignal): Promise<void> {
  const { database, now } = deps;
  try {
    const result = await collect(deps, operation, signal);
    if (signal.aborted) return; // the next start goes on
    await database.write((tx) => jobStore(tx).end(operation.id, { state: 'done', result }, now()));
  } catch (error) {
    if (signal.aborted) return;
    const end = { state: 'failed', error: describeError(error) } as const;
    await database.write((tx) => jobStore(tx).end(operation.id, end, now()));
  }
}

async function collect(deps: PurgeDeps, { id, input, actor }: Job, signal: AbortSignal): Promise<Garbage> {
  const { database, blobs, now } = deps;
  const { olderThanMs, dryRun } = input as CollectRequest; // written by `collect` of the worker
  const kept: Kept[] = [];
  let purged = nothingPurged;
  let files: ItemFiles = { gone: noFiles, needed: noFiles };
  const say = (note: string) => database.write((tx) => jobStore(tx).setProgress(id, { note }));

  let from: number | TrashPosition = now() - olderThanMs;
  for (;;) {
    const page = await trashStore(database.read).list({ from, limit: 100 });
    const last = page.at(-1);
    if (!last || signal.aborted) break;
    from = positionOf(last);
    for (const item of page) {
      const endpoint = await servingEndpoint(deps, item);
      if (endpoint !== undefined) {
        kept.push({ what: `${item.kind} ${item.name}`, count: 1, why: `it serves on ${endpoint}` });
        continue;
      }
      const found = await filesOf(deps, item);
      files = { gone: plus(files.gone, found.gone), needed: plus(files.needed, found.needed) };
      purged = withItem(purged, item);
      if (!dryRun) await purgeNow(deps, item, actor);
    }
    await say('purging what has been in the trash long enough');
  }
  const younger = await trashStore(database.read).count({ after: now() - olderThanMs });
  if (files.needed.count > 0)
    kept.push({ what: 'their artifacts', ...files.needed, why: 'registered versions need them' });
  if (younger > 0) kept.push({ what: 'deleted items', count: younger, why: 'they were deleted later than that' });

  if (!dryRun) await sweepAll(deps, signal);
  if (!signal.aborted) await say('looking for bytes that nothing needs');
  const ofVersions = await registryTrashStore(database.read).digests();
  const { gone, young } = await blobs.sweep({
    needed: async (digests) => {
      const ofArtifacts = await digestsOfArtifacts(database.read, digests);
      return new Set([...ofArtifacts, ...digests.filter((digest) => ofVersions.has(digest))]);
    },
    putBefore: now() - blobAgeMs,
    dryRun,
    signal,
  });
  if (young.count > 0) {
    kept.push({
      what: 'stored files',
      ...young,
      why: 'they were stored in the last 24 hours, and may still be in use',
    });
  }
  return { dryRun, purged, files: files.gone, blobs: gone, kept };
}

/** The artifacts of an item: those that go with it, and those that versions need. */
type ItemFiles = { readonly gone: BlobCount; readonly needed: BlobCount };

const noFiles: BlobCount = { count: 0, bytes: 0 };
const plus = (a: BlobCount, b: BlobCount): BlobCount => ({ count: a.count + b.count, bytes: a.bytes + b.bytes });

async function filesOf(deps: PurgeDeps, { kind, id }: TrashItem): Promise<ItemFiles> {
  const { database, artifacts } = deps;
  const { tracking, registry } = trashStore(database.read);
  const files = { gone: noFiles, needed: noFiles };
  const places = kind === 'experiment' ? await tracking.placesOf(id) : await placesOfItem();
  for (const { id: owner, location } of places) {
    const place = artifacts.find(location);
    if (!place || place.key === '') continue;
    const settled = (await settledBy(deps, [owner])).map((one) => artifacts.find(one.location)?.key ?? '');
    const needed = [...(await neededKeys({ registry, artifacts }, place, owner)), ...settled];
    for await (const { path, size } of walkArtifacts(place.root, place.key)) {
      const isNeeded = needed.some((one) => path === one || path.startsWith(`${one}/`));
      files[isNeeded ? 'needed' : 'gone'] = plus(files[isNeeded ? 'needed' : 'gone'], { count: 1, bytes: size });
    }
  }
  return files;

  async function placesOfItem() {
    const found =
      kind === 'run' ? await tracking.findRun(id) : kind === 'logged-model' && (await tracking.findLoggedModel(id));
    return found ? [found] : [];
  }
}
