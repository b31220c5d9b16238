/** An artifact root over a plain folder, where others may put files too. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { PlatformError } from '../errors.ts';
import { checkKey, checkPrefix, isGoodSegment, ownPrefix } from './artifact-key.ts';
import type { ArtifactEntry, ArtifactRoot } from './artifact-root.ts';
import { isMissing, readBytes, statFile, writeHashed } from './blob-store.ts';
import { byBytes } from './by-bytes.ts';
import { syncFolder } from './sync-folder.ts';

/** Where files are while they are being written: on the same disk, and nobody's name. */
const incomingName = `${ownPrefix}incoming`;
/** Silence of a day: whoever wrote it is gone. Another server may write into the same folder. */
const abandonedMs = 86_400_000;

/**
 * Every path is resolved, symbolic links included, and has to lie strictly below the root.
 * Somebody who changes links in the folder while a request runs can write there anyway; this guards against clients of ours.
 * @throws PlatformError storage/no-folder for a file, and where nothing may be made or read
 */
export async function openArtifactFolder(folder: string): Promise<ArtifactRoot> {
  const root = await makeRoot(folder);
  const incoming = join(root, incomingName);

  /** The real path of what is there, or undefined. */
  async function find(key: string): Promise<string | undefined> {
    try {
      const found = await realpath(join(root, ...key.split('/')));
      if (!found.startsWith(`${root}${sep}`)) throw new PlatformError('storage/outside-root', JSON.stringify(key));
      return found;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The real path of the deepest folder of the key that is there; the rest is free of links because it is not there. */
  async function folderFor(key: string): Promise<string> {
    const segments = key.split('/').slice(0, -1);
    for (let depth = segments.length; depth > 0; depth -= 1) {
      const found = await find(segments.slice(0, depth).join('/'));
      if (found !== undefined) return join(found, ...segments.slice(depth));
    }
    return join(root, ...segments);
  }

  return {
    put: async (key, body, options) => {
      checkKey(key);
      const target = join(await folderFor(key), key.split('/').at(-1) ?? '');
      try {
        await makeFolders(dirname(target), root);
        await mkdir(incoming, { recursive: true }); // here, because a folder that is only read stays as it is
        const written = await writeHashed(join(incoming, randomUUID()), body, options);
        await rename(written.path, target).catch(async (error: unknown) => {
          await rm(written.path, { force: true });
          throw error;
        });
        await syncFolder(dirname(target));
        return { size: written.size, digest: written.digest };
      } catch (error) {
        if (isTaken(error)) throw new PlatformError('storage/key-taken', key, { cause: error });
        throw error;
      }
    },
    open: async (key, range) => {
      checkKey(key);
      const path = await find(key);
      const file = path === undefined ? undefined : await statFile(path);
      if (path === undefined || file === undefined) return undefined;
      return { body: readBytes(path, file.size, range), size: file.size };
    },
    list: async (prefix) => {
      checkPrefix(prefix);
      const path = prefix === '' ? root : await find(prefix);
      const names = path === undefined ? [] : await namesIn(path);
      const entries = await Promise.all(names.map((name) => entryOf(prefix === '' ? name : `${prefix}/${name}`)));
      return entries.filter((entry) => entry !== undefined);
    },
    delete: async (key) => {
      checkKey(key);
      const parent = await folderFor(key);
      // Of a link, the link goes and not what it points to.
      await rm(join(parent, key.split('/').at(-1) ?? ''), { recursive: true, force: true });
    },
  };

  /** Undefined for links that lead out or nowhere, and for what is neither file nor folder. */
  async function entryOf(key: string): Promise<ArtifactEntry | undefined> {
    try {
      const path = await find(key);
      if (path === undefined) return undefined;
      const file = await statFile(path);
      if (file) return { path: key, size: file.size, isFolder: false };
      await readdir(path);
      return { path: key, size: 0, isFolder: true };
    } catch (error) {
      if (error instanceof PlatformError || isMissing(error)) return undefined;
      throw error;
    }
  }
}

/** The real path of the folder, without what a crash left in it. */
async function makeRoot(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    const root = await realpath(folder);
    await removeAbandoned(join(root, incomingName));
    return root;
  } catch (cause) {
    throw new PlatformError('storage/no-folder', folder, { cause });
  }
}

/** What a crash left half written. */
async function removeAbandoned(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names) {
    const file = await statFile(join(folder, name));
    if (file && file.mtimeMs < Date.now() - abandonedMs) await rm(join(folder, name), { force: true });
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    const names = await readdir(path);
    return names.filter(isGoodSegment).sort(byBytes);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Makes the missing folders, and makes them durable: mkdir says which was the first. */
async function makeFolders(folder: string, root: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let path = folder; path !== root; path = resolve(path, '..')) {
    await syncFolder(resolve(path, '..'));
    if (path === resolve(first)) return;
  }
}

function isTaken(error: unknown): boolean {
  const codes = ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
