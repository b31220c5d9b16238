/** Whole objects under their SHA-256. Names come from here only: no caller's text is ever joined to a path. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { syncFolder } from './sync-folder.ts';

export type Body = AsyncIterable<Uint8Array> | Uint8Array;

/** Bytes from `start` up to, not including, `end`; `end` beyond the object means to its end. */
export type ByteRange = { readonly start: number; readonly end: number };

export interface BlobStore {
  /** Resolves when the bytes are durable. Bytes that are there already are stored once. */
  put(body: Body): Promise<{ readonly digest: string; readonly size: number }>;
  /** @param digest SHA-256 in lower-case hex @throws PlatformError storage/bad-range */
  open(digest: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined>;
  size(digest: string): Promise<number | undefined>;
  /** Where the object lies on this machine, for worker processes that read it themselves. */
  path(digest: string): string;
  /** Reads all bytes again. @throws PlatformError storage/blob-changed when they are not what they were, or are gone */
  verify(digest: string): Promise<void>;
  /** For the collector of what nothing refers to any more. */
  delete(digest: string): Promise<void>;
}

export async function openBlobFolder(folder: string): Promise<BlobStore> {
  const incoming = join(folder, 'incoming');
  await mkdir(incoming, { recursive: true });
  // What a crash left half written: nobody was told that it is there.
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });

  const path = (digest: string): string => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError(`not a SHA-256 in hex: ${JSON.stringify(digest)}`);
    return join(folder, digest.slice(0, 2), digest);
  };
  const size = async (digest: string) => (await statFile(path(digest)))?.size;

  return {
    put: async (body) => {
      const written = await writeHashed(join(incoming, randomUUID()), body);
      const target = path(written.digest);
      await mkdir(dirname(target), { recursive: true });
      await rename(written.path, target);
      await syncFolder(dirname(target));
      await syncFolder(folder); // the folder of the first two digits may be new
      return { digest: written.digest, size: written.size };
    },
    open: async (digest, range) => {
      const found = await size(digest);
      return found === undefined ? undefined : readBytes(path(digest), found, range);
    },
    size,
    path,
    verify: async (digest) => {
      const digester = createHash('sha256');
      try {
        for await (const chunk of createReadStream(path(digest))) digester.update(chunk);
      } catch (cause) {
        throw new PlatformError('storage/blob-changed', digest, { cause });
      }
      if (digester.digest('hex') !== digest) throw new PlatformError('storage/blob-changed', digest);
    },
    delete: (digest) => rm(path(digest), { force: true }),
  };
}

/** Writes a new file through to the disk; removes it when the body breaks off. */
export async function writeHashed(path: string, body: Body): Promise<{ path: string; digest: string; size: number }> {
  const digester = createHash('sha256');
  let size = 0;
  try {
    await using file = await open(path, 'wx');
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      digester.update(chunk);
      await file.writeFile(chunk);
      size += chunk.length;
    }
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, digest: digester.digest('hex'), size };
}

/** @param size of the file, so that an impossible range is refused before anything is sent */
export function readBytes(path: string, size: number, range: ByteRange | undefined): AsyncIterable<Uint8Array> {
  if (range === undefined) return fileBytes(path, { start: 0, end: size });
  const { start, end } = range;
  if (!(Number.isSafeInteger(start) && start >= 0 && start < end && start < size)) {
    throw new PlatformError('storage/bad-range', `${start}–${end} of ${size}`);
  }
  return fileBytes(path, { start, end: Math.min(end, size) });
}

/** Opens the file when it is first read: a body that nobody reads holds nothing. */
async function* fileBytes(path: string, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  if (start < end) yield* createReadStream(path, { start, end: end - 1 });
}

export async function statFile(path: string): Promise<{ readonly size: number } | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
