/** Whole objects under their SHA-256. Names come from here only: no caller's text is ever joined to a path. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { syncFolder } from './sync-folder.ts';

export type Body = AsyncIterable<Uint8Array> | Uint8Array;

/** How many bytes the sender said that the body has: a store without room refuses it at once. */
export type PutOptions = { readonly announced?: number | undefined };

/** Bytes from `start` up to, not including, `end`; `end` beyond the object means to its end. */
export type ByteRange = { readonly start: number; readonly end: number };

export interface BlobStore {
  /** Resolves when the bytes are durable. Bytes that are there already are stored once. */
  put(body: Body, options?: PutOptions): Promise<{ readonly digest: string; readonly size: number }>;
  /** @param digest SHA-256 in lower-case hex @throws PlatformError storage/bad-range */
  open(digest: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined>;
  size(digest: string): Promise<number | undefined>;
  /** Where the object lies on this machine, for worker processes that read it themselves. */
  path(digest: string): string;
  /** Reads all bytes again. @throws PlatformError storage/blob-changed when they are not what they were, or are gone */
  verify(digest: string): Promise<void>;
  /** Deletes what nobody needs. Bytes that are put while it runs are never touched, whatever `needed` says. */
  sweep(options: SweepOptions): Promise<Sweep>;
}

export type SweepOptions = {
  /** Which of these are needed; asked about some at a time. */
  readonly needed: (digests: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Milliseconds since 1970: what was put later is kept, because whoever put it may not have written down yet what for. */
  readonly putBefore: number;
  /** Counts only. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal;
};

/** Objects that nobody needs: those that went, or would go, and those that are too young to tell. */
export type Sweep = { readonly gone: BlobCount; readonly young: BlobCount };
export type BlobCount = { readonly count: number; readonly bytes: number };

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
  // A sweep and a put of the same bytes: the put waits for a removal that has begun, and stops one that has not.
  const sweeps = new Set<Set<string>>();
  const removals = new Map<string, Promise<void>>();

  return {
    put: async (body, options) => {
      const written = await writeHashed(join(incoming, randomUUID()), body, options);
      const target = path(written.digest);
      await mkdir(dirname(target), { recursive: true });
      for (const fresh of sweeps) fresh.add(written.digest);
      await removals.get(written.digest);
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
    sweep: async ({ needed, putBefore, dryRun, signal }) => {
      const fresh = new Set<string>();
      sweeps.add(fresh);
      using _ = { [Symbol.dispose]: () => void sweeps.delete(fresh) };
      const sweep = { gone: noBlobs, young: noBlobs };
      for (const folderName of await readdir(folder)) {
        if (!/^[0-9a-f]{2}$/.test(folderName)) continue;
        signal?.throwIfAborted();
        const names = (await readdir(join(folder, folderName))).filter((name) => /^[0-9a-f]{64}$/.test(name));
        const kept = await needed(names);
        for (const digest of names) {
          if (kept.has(digest)) continue;
          const found = await statFile(path(digest));
          if (!found || fresh.has(digest)) continue;
          const isYoung = found.mtimeMs >= putBefore;
          sweep[isYoung ? 'young' : 'gone'] = plus(sweep[isYoung ? 'young' : 'gone'], found.size);
          if (isYoung || dryRun) continue;
          const removal = rm(path(digest), { force: true });
          removals.set(digest, removal);
          await removal.finally(() => removals.delete(digest));
        }
      }
      return sweep;
    },
  };
}

const noBlobs: BlobCount = { count: 0, bytes: 0 };
const plus = ({ count, bytes }: BlobCount, size: number): BlobCount => ({ count: count + 1, bytes: bytes + size });

/** Writes a new file through to the disk; removes it when the body breaks off. @throws PlatformError storage/disk-full */
export async function writeHashed(
  path: string,
  body: Body,
  { announced = 0 }: PutOptions = {},
): Promise<{ path: string; digest: string; size: number }> {
  // A body that cannot fit is refused before it has taken the room that everybody else needs meanwhile.
  if (announced > 0 && announced > (await roomAt(dirname(path)))) throw full(`a file of ${announced} bytes`);
  const digester = createHash('sha256');
  let size = 0;
  try {
    await using file = await open(path, 'wx');
    const seen = (chunk: Uint8Array) => {
      digester.update(chunk);
      size += chunk.length;
    };
    await writeAll(file, body instanceof Uint8Array ? [body] : body, seen);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw isFull(error) ? full('the rest of the file', error) : error;
  }
  return { path, digest: digester.digest('hex'), size };
}

/** As much as this is written while the next of it arrives: each write is a trip to another thread, and chunks are small. */
const writtenAtOnce = 2 ** 20;
/** As much as this goes to the disk while more arrives, or the disk would only begin when everything is there. */
const syncedAtOnce = 2 ** 24;

async function writeAll(
  file: FileHandle,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  seen: (chunk: Uint8Array) => void,
): Promise<void> {
  let chunks: Uint8Array[] = [];
  let gathered = 0;
  let writing: Promise<void> | undefined;
  let unsynced = 0;
  let syncing: Promise<void> | undefined;
  for await (const chunk of body) {
    seen(chunk);
    chunks.push(chunk);
    gathered += chunk.length;
    if (gathered < writtenAtOnce) continue;
    await writing;
    writing = writeChunks(file, chunks);
    writing.catch(() => undefined); // it is awaited before the next write; the body may break off before
    unsynced += gathered;
    chunks = [];
    gathered = 0;
    if (unsynced < syncedAtOnce) continue;
    await syncing;
    syncing = file.datasync();
    syncing.catch(() => undefined); // awaited likewise
    unsynced = 0;
  }
  await writing;
  if (gathered > 0) await writeChunks(file, chunks);
  await syncing;
}

/** One call may write less than it is given. */
async function writeChunks(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let left: readonly Uint8Array[] = chunks;
  let missing = chunks.reduce((sum, { length }) => sum + length, 0);
  while (missing > 0) {
    const { bytesWritten } = await file.writev(left);
    missing -= bytesWritten;
    if (missing > 0) left = [Buffer.concat(left).subarray(bytesWritten)];
  }
}

async function roomAt(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const full = (what: string, cause?: unknown): PlatformError => new PlatformError('storage/disk-full', what, { cause });

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

/** @param size of the file, so that an impossible range is refused before anything is sent */
export function readBytes(path: string, size: number, range: ByteRange | undefined): AsyncIterable<Uint8Array> {
  return fileBytes(path, range === undefined ? { start: 0, end: size } : checkRange(range, size));
}

/** @returns the part of the range that is there @throws PlatformError storage/bad-range */
export function checkRange({ start, end }: ByteRange, size: number): ByteRange {
  if (!(Number.isSafeInteger(start) && start >= 0 && start < end && start < size)) {
    throw new PlatformError('storage/bad-range', `${start}–${end} of ${size}`);
  }
  return { start, end: Math.min(end, size) };
}

const readAtOnce = 2 ** 18;

/** Opens the file when it is first read: a body that nobody reads holds nothing. */
async function* fileBytes(path: string, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  if (start < end) yield* createReadStream(path, { start, end: end - 1, highWaterMark: readAtOnce });
}

export async function statFile(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
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
