/** A step's outputs: into the chunk store after it ran, back into the folder when it need not run. Worker process only. */
import { cp, lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ChunkStore, openChunkStore } from '../datasets/chunk-store-adapter.ts';
import { createChunker } from '../datasets/chunker.ts';
import { listSource } from '../datasets/source-adapter.ts';
import { checkoutTree, storeTree, writeTree } from '../datasets/tree-adapter.ts';
import { PlatformError } from '../errors.ts';
import type { JobContext } from '../jobs/job.ts';
import type { Outputs } from './execution.ts';

/** Where content is kept: the datasets' folder, so that equal content is kept once. */
export type ContentFolders = { readonly folder: string; readonly tempFolder: string };

/** Keeps each output as a tree. @throws PlatformError `pipelines/missing-output` */
export async function storeOutputs(
  { folder }: ContentFolders,
  { projectFolder, writes }: { projectFolder: string; writes: readonly string[] },
  context: JobContext,
): Promise<Outputs> {
  await using chunks = await openChunkStore(join(folder, 'chunks'));
  const outputs: Record<string, string> = {};
  for (const path of writes) {
    const tree = await storeOne(chunks, { projectFolder, path }, context);
    if (!tree) {
      throw new PlatformError('pipelines/missing-output', path, {
        hint: 'The step must write what it declares under `writes` and `model`.',
      });
    }
    await writeTree(folder, tree);
    outputs[path] = tree.root;
  }
  await chunks.commit();
  return outputs;
}

/** Content digests of what lies in the folder under these paths now, without keeping anything. */
export async function digestOutputs(
  projectFolder: string,
  writes: readonly string[],
  context: JobContext,
): Promise<Outputs> {
  const nothing: ChunkStore = {
    put: () => 0,
    commit: async () => {},
    read: (digest) => {
      throw new PlatformError('datasets/damaged', digest);
    },
    has: () => false,
  };
  const outputs: Record<string, string> = {};
  for (const path of writes) {
    const tree = await storeOne(nothing, { projectFolder, path }, context);
    if (tree) outputs[path] = tree.root;
  }
  return outputs;
}

/** Writes kept outputs back, in place of whatever is there. */
export async function restoreOutputs(
  { folder, tempFolder }: ContentFolders,
  { projectFolder, outputs, id }: { projectFolder: string; outputs: Outputs; id: string },
  signal: AbortSignal,
): Promise<void> {
  await using chunks = await openChunkStore(join(folder, 'chunks'));
  const staging = join(tempFolder, `restore-${id}`);
  await mkdir(tempFolder, { recursive: true, mode: 0o700 });
  for (const [path, root] of Object.entries(outputs)) {
    await rm(staging, { recursive: true, force: true });
    const entries = await checkoutTree({ chunks, folder }, { root, target: staging, mode: 0o600 }, signal);
    const target = await removeOutput(projectFolder, path);
    const [only] = entries;
    // The tree of a file has one entry, named like the file; a folder's names are relative to it.
    const file = only && entries.length === 1 && only.path === path.split('/').at(-1) ? only.path : '';
    await cp(join(staging, file), target, { recursive: true });
  }
  await rm(staging, { recursive: true, force: true });
}

/** Old outputs go before a step runs: what it fails to write must not look as if it had. @returns where the output belongs */
export async function removeOutput(projectFolder: string, path: string): Promise<string> {
  const base = await realpath(projectFolder);
  const target = join(base, path);
  await mkdir(dirname(target), { recursive: true });
  // A link on the way would make this delete, or write, somewhere else.
  if ((await realpath(dirname(target))) !== dirname(target))
    throw new PlatformError('datasets/link-refused', dirname(path));
  await rm(target, { recursive: true, force: true });
  return target;
}

async function storeOne(
  chunks: ChunkStore,
  { projectFolder, path }: { projectFolder: string; path: string },
  context: JobContext,
) {
  const found = await lstat(join(projectFolder, path)).catch(() => undefined);
  if (!found) return undefined;
  const { files } = listSource(projectFolder, path);
  return storeTree({ chunker: createChunker(), chunks }, files, context);
}
