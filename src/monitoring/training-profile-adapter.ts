/** Makes the reference profile of a version from its training rows, keeps it as a blob, and reads it again. */
import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobHandlers, RunJob } from '../jobs/job.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { ProfileInput, ProfileOutput } from './profile-reference-adapter.ts';
import { profileReference } from './profile-reference-adapter.ts';
import type { ReferenceProfile } from './reference-profile.ts';

/** Handlers for `runWorker`. */
export const monitoringHandlers = (): JobHandlers => ({ 'monitoring.profile-reference': profileReference });

/** @returns the digest that belongs into the version's `profileDigest` */
export async function storeTrainingProfile(
  { run, blobs, tempFolder, newId }: { run: RunJob; blobs: BlobStore; tempFolder: string; newId: () => string },
  input: Omit<ProfileInput, 'tempFolder' | 'output'>,
): Promise<string> {
  const output = join(tempFolder, `profile-${newId()}.json`);
  try {
    await run<ProfileOutput>('monitoring.profile-reference', { ...input, tempFolder, output });
    return (await blobs.put(createReadStream(output))).digest;
  } finally {
    await rm(output, { force: true });
  }
}

/** Profiles by digest; they never change, so the last few stay in memory. */
export function profileReader(blobs: BlobStore): (digest: string) => Promise<ReferenceProfile | undefined> {
  const known = new Map<string, ReferenceProfile>();
  return async (digest) => {
    const before = known.get(digest);
    if (before) return before;
    if ((await blobs.size(digest)) === undefined) return undefined;
    const profile = JSON.parse(await readFile(blobs.path(digest), 'utf8')) as ReferenceProfile; // written by the job above
    known.set(digest, profile);
    for (const oldest of known.keys()) if (known.size > 8) known.delete(oldest);
    return profile;
  };
}
