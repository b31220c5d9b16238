/** From files to a tree and back. Worker process only: it hashes and copies on its thread. */
import { hash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { PlatformError } from '../errors.ts';
import type { JobContext } from '../jobs/job.ts';
import { type ChunkStore, writeDurably } from './chunk-store-adapter.ts';
import { type Chunker, chunkSizes } from './chunker.ts';
import { fileDigest, rootDigest, sortTree, type TreeEntry } from './dataset.ts';
import type { FileMemory } from './file-memory-adapter.ts';
import type { SourceFile } from './source-adapter.ts';

export type StoredTree = {
  readonly root: string;
  readonly entries: readonly TreeEntry[];
  readonly bytes: number;
  readonly newBytes: number;
};

/** Files are read at once, so that an abort and a sign of life get their turn in between. */
const breatheEveryMs = 50;

/** Cuts, hashes and keeps the files. @throws PlatformError `datasets/source-changed` when one changes meanwhile */
export async function storeTree(
  { chunker, chunks, memory }: { chunker: Chunker; chunks: ChunkStore; memory?: FileMemory },
  files: readonly SourceFile[],
  { signal, progress }: Pick<JobContext, 'signal' | 'progress'>,
): Promise<StoredTree> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const entries: TreeEntry[] = [];
  const state = { done: 0, newBytes: 0, breathed: performance.now() };
  const pause = async (): Promise<void> => {
    if (performance.now() - state.breathed < breatheEveryMs) return;
    await breathe();
    signal.throwIfAborted();
    progress(total === 0 ? undefined : state.done / total, 'storing the files');
    state.breathed = performance.now();
  };

  for (const file of files) {
    const seen = memory?.recall(file);
    if (seen) state.done += file.size;
    const digests = seen ?? (await cutFile(file));
    entries.push({ path: file.name, size: file.size, digest: fileDigest(digests), chunks: digests });
    if (!seen) memory?.learn(file, digests);
    await pause();
  }
  const sorted = sortTree(entries);
  return { root: rootDigest(sorted), entries: sorted, bytes: total, newBytes: state.newBytes };

  async function cutFile(file: SourceFile): Promise<readonly string[]> {
    const { window } = chunker;
    const digests: string[] = [];
    const descriptor = openSync(file.path, 'r');
    try {
      let [filled, length, ended] = [0, 0, file.size === 0];
      while (filled > 0 || !ended) {
        if (!ended) {
          const read = readSync(descriptor, window, filled, window.length - filled, null);
          filled += read;
          length += read;
          ended = read === 0 || length >= file.size;
        }
        let from = 0;
        while (from < filled) {
          const to = chunker.endOf(from, filled);
          if (to === filled && !ended && to - from < chunkSizes.most) break;
          const bytes = window.subarray(from, to);
          const digest = hash('sha256', bytes);
          digests.push(digest);
          const kept = chunks.put(digest, bytes);
          state.newBytes += typeof kept === 'number' ? kept : await kept;
          state.done += to - from;
          from = to;
        }
        window.copyWithin(0, from, filled);
        filled -= from;
        await pause();
      }
      const { size, ctimeMs, ino } = fstatSync(descriptor);
      if (length !== size || size !== file.size || ctimeMs !== file.ctimeMs || ino !== file.ino) {
        throw new PlatformError('datasets/source-changed', file.name, {
          hint: 'Add it again when it is no longer written to.',
        });
      }
    } finally {
      closeSync(descriptor);
    }
    return digests;
  }
}

const treePath = (folder: string, root: string) => join(folder, 'trees', `${root}.jsonl`);

/** One entry a line, named by the root digest. */
export async function writeTree(folder: string, { root, entries }: StoredTree): Promise<void> {
  const path = treePath(folder, root);
  if (await exists(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeDurably(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

/** @throws PlatformError `datasets/damaged` when it is missing or is not what its name says */
export async function readTree(folder: string, root: string): Promise<readonly TreeEntry[]> {
  const text = await readFile(treePath(folder, root), 'utf8').catch(() => undefined);
  if (text === undefined) throw new PlatformError('datasets/damaged', `tree ${root} is missing`);
  const entries: readonly TreeEntry[] = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  if (rootDigest(entries) !== root) throw new PlatformError('datasets/damaged', `tree ${root} was changed`);
  return entries;
}

/**
 * Writes a tree's files into a folder, checked chunk by chunk. @param target must not exist; it appears whole or not at all
 * @param mode of the files; read-only when absent: what steps read must not be written to
 */
export async function checkoutTree(
  { chunks, folder }: { chunks: ChunkStore; folder: string },
  { root, target, mode = 0o400 }: { root: string; target: string; mode?: number },
  signal: AbortSignal,
): Promise<readonly TreeEntry[]> {
  const half = `${target}.half`;
  await rm(half, { recursive: true, force: true });
  const made = new Set<string>();
  const entries = await readTree(folder, root);
  let breathed = performance.now();
  mkdirSync(half, { recursive: true, mode: 0o700 });
  for (const entry of entries) {
    const path = safeJoin(half, entry.path);
    const parent = dirname(path);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true, mode: 0o700 });
    made.add(parent);
    const descriptor = openSync(path, 'wx', mode);
    try {
      for (const digest of entry.chunks) {
        const bytes = await chunks.read(digest);
        if (hash('sha256', bytes) !== digest)
          throw new PlatformError('datasets/damaged', `chunk ${digest} was changed`);
        writeSync(descriptor, bytes);
      }
    } finally {
      closeSync(descriptor);
    }
    if (performance.now() - breathed < breatheEveryMs) continue;
    await breathe();
    signal.throwIfAborted();
    breathed = performance.now();
  }
  await rename(half, target);
  return entries;
}

/**
 * The path a step reads a version from: one checkout per version, kept and shared. The single file of a one-file version, the
 * folder otherwise.
 */
export async function versionPath(
  store: { chunks: ChunkStore; folder: string },
  root: string,
  signal: AbortSignal,
): Promise<string> {
  const target = join(store.folder, 'checkouts', root);
  if (!(await exists(target))) {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await checkoutTree(store, { root, target }, signal);
    await chmod(target, 0o700);
  }
  const entries = await readTree(store.folder, root);
  const [only, second] = entries;
  return only && !second ? safeJoin(target, only.path) : target;
}

/** Names in a tree come from our own listing; but the tree is a file, and files can be changed. */
function safeJoin(folder: string, path: string): string {
  const joined = join(folder, path);
  if (!joined.startsWith(folder + sep)) throw new PlatformError('datasets/damaged', `the tree names ${path}`);
  return joined;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
