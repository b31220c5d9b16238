/** Artifacts in folders of this machine. */
import { createReadStream } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { placeOf } from './artifact-place.ts';
import type { ArtifactListing, ArtifactOwner, SourceFile } from './mlflow-source.ts';

/** The folder that an owner's files lie in, or why there is none. */
export type FindLocal = (owner: ArtifactOwner) => Promise<{ readonly folder: string } | { readonly reason: string }>;

/** A folder that is not there holds nothing: MLflow makes it with the first file. */
export async function localArtifacts(owner: ArtifactOwner, findLocal: FindLocal): Promise<ArtifactListing> {
  if (placeOf(owner.location).kind === 'elsewhere') return { kind: 'stays' };
  const found = await findLocal(owner);
  if ('reason' in found) return { kind: 'unreachable', reason: found.reason };
  return { kind: 'files', files: filesBelow(found.folder, '') };
}

async function* filesBelow(folder: string, prefix: string): AsyncGenerator<SourceFile> {
  for (const name of await namesIn(folder)) {
    const full = join(folder, name);
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const found = await stat(full).catch(() => undefined); // a link to nothing
    if (found?.isDirectory()) yield* filesBelow(full, path);
    else if (found?.isFile()) yield { path, size: found.size, open: async () => createReadStream(full) };
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names: string[] = [];
    for await (const { name } of await opendir(folder)) names.push(name);
    return names.sort();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/**
 * Where an MLflow on this machine keeps files.
 * @param options.base what relative paths are relative to: where the server ran
 * @param options.proxied the folder behind `mlflow-artifacts:/`, where there is one
 */
export function localFinder({
  base,
  proxied,
}: {
  readonly base: string;
  readonly proxied: string | undefined;
}): FindLocal {
  return async ({ location }) => {
    const place = placeOf(location);
    if (place.kind === 'local') return { folder: join(place.path.startsWith('/') ? '/' : base, place.path) };
    if (place.kind !== 'proxied') return { reason: `${location} is not on this machine` };
    if (proxied !== undefined) return { folder: join(proxied, place.key) };
    return { reason: 'mlflow-artifacts:/ is a folder that only the server knew: name it with --artifacts' };
  };
}
