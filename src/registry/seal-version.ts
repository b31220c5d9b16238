/** Seals a version: fixes its bytes by digest, and has them examined. */
import { PlatformError } from '../errors.ts';
import type { Finding } from '../onnx/finding.ts';
import type { ArtifactPlace, ArtifactPlaces } from '../storage/artifact-places.ts';
import type { ArtifactEntry, ArtifactRoot } from '../storage/artifact-root.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { findOnnx, readFlavors } from './model-files.ts';
import { isServable, type ModelVersion, type SealedVersion, type VersionFile } from './model-version.ts';

/** Reads an ONNX file of the blob store and runs it once: whatever is wrong with it is a finding. Supplied by serving. */
export type ExamineModel = (model: {
  readonly digest: string;
  /** The version's other files, path below the model's folder to size. */
  readonly beside: ReadonlyMap<string, number>;
}) => Promise<Pick<SealedVersion, 'inputs' | 'outputs' | 'findings'>>;

export type SealDeps = {
  readonly artifacts: ArtifactPlaces;
  readonly blobs: BlobStore;
  readonly examine: ExamineModel;
  readonly now: () => number;
};

/** More than this is no model that is served from memory. */
const maxModelBytes = 4 * 1024 ** 3;
/** A longer one is no description, and says nothing. */
const maxMlmodelBytes = 1024 ** 2;

/**
 * Copies the files of a version into the blob store and says what they are. Whether it may be served is in the findings; the
 * caller saves the answer (`save-seal.ts`). A version that is sealed and servable is answered as it is: its bytes never change.
 * @param locations where the files may lie, most likely first
 * @throws PlatformError `registry/source-not-readable` when none of them is among this server's artifacts
 */
export async function sealVersion(
  { artifacts, blobs, examine, now }: SealDeps,
  version: ModelVersion,
  locations: readonly string[],
): Promise<SealedVersion> {
  if (version.sealed && isServable(version)) return version.sealed;
  const files = await copyFiles(blobs, await filesOf(artifacts, version, locations));
  const modelFile = files.find(({ path, size }) => path === 'MLmodel' && size <= maxMlmodelBytes);
  const flavors = readFlavors(modelFile && Buffer.from(await bytesOf(blobs, modelFile)).toString());
  const found = findOnnx(files, flavors);
  const none = { files, inputs: [], outputs: [], sealedAt: now() };
  if ('finding' in found) return { ...none, findings: [found.finding] };

  const onnx = files.find(({ path }) => path === found.path);
  if (!onnx || onnx.size > maxModelBytes) return { ...none, findings: [tooLarge(found.path)] };
  const folder = found.path.slice(0, found.path.lastIndexOf('/') + 1);
  const others = files.filter(({ path }) => path.startsWith(folder) && path !== found.path);
  const beside = new Map(others.map(({ path, size }) => [path.slice(folder.length), size]));
  const { inputs, outputs, findings } = await examine({ digest: onnx.digest, beside });
  return { onnxDigest: onnx.digest, files, inputs, outputs, findings, sealedAt: now() };
}

/**
 * How much there is to read when a version is sealed.
 * @returns undefined when no ONNX file is among its files
 * @throws PlatformError `registry/source-not-readable`
 */
export async function onnxVersionSize(
  artifacts: ArtifactPlaces,
  version: ModelVersion,
  locations: readonly string[],
): Promise<number | undefined> {
  const files = await filesOf(artifacts, version, locations);
  if (!files.some(({ path }) => path.toLowerCase().endsWith('.onnx'))) return undefined;
  return files.reduce((sum, { size }) => sum + size, 0);
}

type Source = ArtifactPlace & { readonly path: string; readonly size: number };

/** The first location that has files; a location may also be one file. */
async function filesOf(
  artifacts: ArtifactPlaces,
  { model, version }: ModelVersion,
  locations: readonly string[],
): Promise<readonly Source[]> {
  const places = locations.flatMap((location) => artifacts.find(location) ?? []);
  for (const { root, key } of places) {
    const files = await walk(root, key);
    if (files.length > 0)
      return files.map(({ path, size }) => ({ root, key: path, path: path.slice(key.length + 1), size }));
    const single = key === '' ? undefined : await root.open(key);
    if (!single) continue;
    await discard(single.body);
    return [{ root, key, path: key.slice(key.lastIndexOf('/') + 1), size: single.size }];
  }
  throw new PlatformError('registry/source-not-readable', `${model}, version ${version},`, {
    hint:
      places.length === 0
        ? `Its source (${locations.join(', ')}) is not kept by this server: log the model here, or start the server with --artifacts-destination above it.`
        : 'Log the model again: nothing was uploaded there.',
  });
}

async function walk(artifacts: ArtifactRoot, folder: string): Promise<readonly ArtifactEntry[]> {
  const entries = await artifacts.list(folder);
  const parts = await Promise.all(
    entries.map((entry) => (entry.isFolder ? walk(artifacts, entry.path) : Promise.resolve([entry]))),
  );
  return parts.flat();
}

/** Ends a body that nobody reads: one from a bucket holds a connection. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}

async function copyFiles(blobs: BlobStore, sources: readonly Source[]): Promise<readonly VersionFile[]> {
  const files: VersionFile[] = [];
  for (const { root, key, path } of sources) {
    const found = await root.open(key);
    if (!found) throw new PlatformError('registry/source-not-readable', path, { hint: 'It was deleted just now.' });
    const { digest, size } = await blobs.put(found.body);
    files.push({ path, digest, size });
  }
  return files;
}

async function bytesOf(blobs: BlobStore, { digest, path }: VersionFile): Promise<Uint8Array> {
  const body = await blobs.open(digest);
  if (!body) throw new PlatformError('registry/source-not-readable', path);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const tooLarge = (path: string): Finding => ({
  code: 'registry/too-large',
  severity: 'refuse',
  message: `${path} is larger than a model that is served from memory may be (4 GiB).`,
  fix: 'keep large tensors in external data files, or quantize the model',
});
