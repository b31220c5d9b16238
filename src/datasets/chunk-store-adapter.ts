/**
 * Chunks on disk, in packs of up to 64 MiB with an index beside each: a folder of 64 KiB files would be slow to write, to list and to
 * delete. A pack counts once its index is there, and the index is written after the pack is synced; so a crash leaves at most a
 * pack without an index, which the next writer removes.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../errors.ts';

const packBytes = 64 * 2 ** 20;
const stagingBytes = 4 * 2 ** 20;
/** digest, offset, size. */
const recordBytes = 32 + 4 + 4;
/** A pack without an index may still be being written. */
const orphanAfterMs = 24 * 3_600_000;

type Location = { readonly pack: string; readonly offset: number; readonly size: number };

export interface ChunkStore {
  /** Keeps a chunk unless it is there. The bytes are copied before it returns. @returns how many bytes were new */
  put(digest: string, bytes: Uint8Array): number | Promise<number>;
  /** Makes everything put so far durable and findable. Until then nothing of it counts. */
  commit(): Promise<void>;
  /** @throws PlatformError `datasets/damaged` when the chunk is missing */
  read(digest: string): Uint8Array | Promise<Uint8Array>;
  has(digest: string): boolean;
}

/** @param folder made when it is not there. One writer per process; several processes may share the folder. */
export async function openChunkStore(folder: string): Promise<ChunkStore & AsyncDisposable> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // About 200 bytes a chunk in memory: 100 GiB of distinct data are 1.6 million chunks.
  const known = new Map<string, Location>();
  const loaded = new Set<string>();
  const readers = new Map<string, number>();
  const staging = Buffer.allocUnsafe(stagingBytes);
  let pack:
    | { readonly id: string; readonly file: FileHandle; readonly records: Buffer[]; written: number; staged: number }
    | undefined;
  let sealing: Promise<void>[] = [];

  const load = async (): Promise<void> => {
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.idx') || loaded.has(name)) continue;
      const index = await readFile(join(folder, name));
      const id = name.slice(0, -'.idx'.length);
      for (let at = 0; at + recordBytes <= index.length; at += recordBytes) {
        known.set(index.toString('hex', at, at + 32), {
          pack: id,
          offset: index.readUInt32LE(at + 32),
          size: index.readUInt32LE(at + 36),
        });
      }
      loaded.add(name);
    }
  };

  const flush = async (): Promise<void> => {
    if (!pack || pack.staged === 0) return;
    await pack.file.write(staging, 0, pack.staged);
    pack.written += pack.staged;
    pack.staged = 0;
  };

  const seal = async (): Promise<void> => {
    await flush();
    if (!pack) return;
    const { id, file, records } = pack;
    pack = undefined;
    // Syncing overlaps with hashing what comes next; `commit` waits for all of it.
    sealing.push(finishPack(folder, { id, file, records }).then(() => void loaded.add(`${id}.idx`)));
  };

  await removeOrphans(folder);
  await load();
  return {
    put(digest, bytes) {
      if (known.has(digest)) return 0;
      return keep(digest, bytes);
    },
    async commit() {
      await seal();
      const pending = sealing;
      sealing = [];
      await Promise.all(pending);
      if (pending.length > 0) await syncFolder(folder);
    },
    read(digest) {
      const location = known.get(digest);
      // Another process may have kept it since this one looked.
      return location ? readAt(location) : load().then(() => readAt(known.get(digest) ?? missing(digest)));
    },
    has: (digest) => known.has(digest),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(sealing);
      if (pack) await abandon(folder, pack);
      for (const reader of readers.values()) closeSync(reader);
    },
  };

  function readAt({ pack: id, offset, size }: Location): Uint8Array {
    const reader = readers.get(id) ?? openSync(join(folder, `${id}.pack`), 'r');
    readers.set(id, reader);
    const bytes = Buffer.allocUnsafe(size);
    if (readSync(reader, bytes, 0, size, offset) !== size)
      throw new PlatformError('datasets/damaged', `pack ${id} is cut short`);
    return bytes;
  }

  async function keep(digest: string, bytes: Uint8Array): Promise<number> {
    if (pack && pack.written + pack.staged + bytes.length > packBytes) await seal();
    if (pack && pack.staged + bytes.length > stagingBytes) await flush();
    if (!pack) {
      const id = randomUUID();
      const file = await open(join(folder, `${id}.pack`), 'wx', 0o600);
      pack = { id, file, records: [], written: 0, staged: 0 };
    }
    staging.set(bytes, pack.staged);
    const offset = pack.written + pack.staged;
    pack.staged += bytes.length;
    const record = Buffer.allocUnsafe(recordBytes);
    record.write(digest, 0, 'hex');
    record.writeUInt32LE(offset, 32);
    record.writeUInt32LE(bytes.length, 36);
    pack.records.push(record);
    known.set(digest, { pack: pack.id, offset, size: bytes.length });
    return bytes.length;
  }
}

function missing(digest: string): never {
  throw new PlatformError('datasets/damaged', `chunk ${digest} is missing`);
}

async function finishPack(
  folder: string,
  { id, file, records }: { id: string; file: FileHandle; records: Buffer[] },
): Promise<void> {
  await file.datasync();
  await file.close();
  await writeDurably(join(folder, `${id}.idx`), Buffer.concat(records));
}

/** Writes a whole file so that it is either there and complete, or not there. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const half = `${path}.${randomUUID()}.tmp`;
  const file = await open(half, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    fdatasyncSync(file.fd);
  } finally {
    await file.close();
  }
  await rename(half, path);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function abandon(folder: string, { id, file }: { id: string; file: FileHandle }): Promise<void> {
  await file.close();
  await rm(join(folder, `${id}.pack`), { force: true });
}

async function removeOrphans(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of names) {
    const unfinished = name.endsWith('.tmp') || (name.endsWith('.pack') && !names.has(name.replace(/pack$/, 'idx')));
    if (!unfinished) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - orphanAfterMs) await rm(path, { force: true });
  }
}
