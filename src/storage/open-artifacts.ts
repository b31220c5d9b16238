/** Opens the artifact roots that the operator named. */
import { blobArtifactRoot } from './artifact-blobs.ts';
import { openArtifactFolder } from './artifact-folder.ts';
import { type ArtifactPlaces, artifactPlaces, localFolderOf, type NamedRoot, partsOf } from './artifact-places.ts';
import type { ArtifactRoot } from './artifact-root.ts';
import type { BlobStore } from './blob-store.ts';
import type { Database } from './database.ts';

export type ArtifactSettings = {
  /** A folder or a bucket; without it the blob store has them. */
  readonly artifactsDestination: string | undefined;
  readonly defaultArtifactRoot: string;
  readonly s3: { readonly endpoint: string | undefined; readonly region: string | undefined };
};

export async function openArtifacts(
  { artifactsDestination, defaultArtifactRoot, s3 }: ArtifactSettings,
  stores: { readonly database: Database; readonly blobs: BlobStore },
): Promise<ArtifactPlaces> {
  const destination = artifactsDestination === undefined ? undefined : await openRoot(artifactsDestination, s3);
  const proxied = destination?.root ?? blobArtifactRoot(stores);
  const places = artifactPlaces(proxied, destination && [destination]);
  if (places.find(defaultArtifactRoot)) return places;
  const clients = await openRoot(defaultArtifactRoot, s3);
  return clients ? artifactPlaces(proxied, [clients, ...(destination ? [destination] : [])]) : places;
}

/** @returns undefined for stores that this server does not speak to */
async function openRoot(uri: string, s3: ArtifactSettings['s3']): Promise<NamedRoot | undefined> {
  const root = await open(uri, s3);
  return root && { uri, root };
}

async function open(uri: string, s3: ArtifactSettings['s3']): Promise<ArtifactRoot | undefined> {
  const folder = localFolderOf(uri);
  if (folder !== undefined) return openArtifactFolder(folder);
  if (partsOf(uri).scheme !== 's3') return undefined;
  const { artifactBucket } = await import('./artifact-bucket.ts'); // a tenth of a second that most starts do without
  return artifactBucket({ uri, ...s3 });
}
