/** Purges what has been in the trash long enough, and frees the bytes that nothing needs. */
import { PlatformError } from '../errors.ts';
import type { Job } from '../jobs/job.ts';
import { jobStore } from '../jobs/job-store.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { digestsOfArtifacts } from '../storage/artifact-blobs.ts';
import { walkArtifacts } from '../storage/artifact-root.ts';
import type { BlobCount } from '../storage/blob-store.ts';
import { type CollectRequest, type Garbage, type Kept, nothingPurged, withItem } from './garbage.ts';
import { type PurgeDeps, purgeNow, servingEndpoint, settledBy, sweepAll } from './purge-adapter.ts';
import { neededKeys } from './settle-locations.ts';
import { isDefaultExperiment, positionOf, type TrashItem, type TrashPosition } from './trash.ts';
import { trashStore } from './trash-store.ts';

/** Whoever puts bytes writes down within this time what they are for, and whoever uploads in parts is done. */
const blobAgeMs = 24 * 3_600_000;

export async function collectGarbage(
  deps: PurgeDeps,
  { id, input, actor }: Job,
  signal: AbortSignal,
): Promise<Garbage> {
  const { database, artifacts, blobs, now } = deps;
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
      if (endpoint !== undefined || isDefaultExperiment(item)) {
        const why = endpoint === undefined ? 'it takes the runs that name no experiment' : `it serves on ${endpoint}`;
        kept.push({ what: `${item.kind} ${item.name}`, count: 1, why });
        continue;
      }
      const found = await filesOf(deps, item);
      if (!dryRun && !(await purgeIfThere(deps, item, actor))) continue;
      files = { gone: plus(files.gone, found.gone), needed: plus(files.needed, found.needed) };
      purged = withItem(purged, item);
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
  const uploads = signal.aborted ? noFiles : await removeUploads();
  return { dryRun, purged, files: files.gone, blobs: gone, uploads, kept };

  async function removeUploads(): Promise<BlobCount> {
    let removed = noFiles;
    for (const root of artifacts.roots) {
      try {
        const some = await root.removeUnfinished?.({ begunBefore: now() - blobAgeMs, dryRun });
        removed = plus(removed, some ?? noFiles);
      } catch (error) {
        // A bucket may let this server write and not look for uploads: all else is done.
        if (!(error instanceof PlatformError && error.code === 'storage/bucket-refused')) throw error;
        kept.push({ what: 'uploads that nobody completed', count: 1, why: error.message });
      }
    }
    return removed;
  }
}

/** @returns false for what was restored, or purged, since it was listed */
async function purgeIfThere(deps: PurgeDeps, item: TrashItem, actor: string): Promise<boolean> {
  try {
    await purgeNow(deps, item, actor);
    return true;
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'trash/not-found') return false;
    throw error;
  }
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
