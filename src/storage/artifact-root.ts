/** Files under keys like `3/ab12…/artifacts/model/model.onnx`. */
import type { BlobCount, Body, ByteRange, PutOptions } from './blob-store.ts';

export interface ArtifactRoot {
  /**
   * Stores a file, or replaces it. Resolves when it is durable.
   * @throws PlatformError storage/bad-key, storage/disk-full, storage/key-taken when a file stands where a folder is needed or the other way round
   */
  put(key: string, body: Body, options?: PutOptions): Promise<{ readonly size: number; readonly digest?: string }>;
  /** @throws PlatformError storage/bad-key, storage/bad-range */
  open(key: string, range?: ByteRange): Promise<OpenArtifact | undefined>;
  /** What lies directly in the folder `prefix`, sorted by path; '' is the root. Nothing when there is no such folder. */
  list(prefix: string): Promise<readonly ArtifactEntry[]>;
  /** Removes a file, or a folder with all that is in it. */
  delete(key: string): Promise<void>;
  /** Only where the store itself can be reached by clients. */
  readonly direct?: DirectTransfers;
  /** Only where an upload in parts outlives whoever began it. @returns what goes, or in a dry run would go */
  removeUnfinished?(of: { readonly begunBefore: number; readonly dryRun: boolean }): Promise<BlobCount>;
}

/** Transfers between a client and the store, past this server: by URLs that are a permission for a while. */
export interface DirectTransfers {
  /** Begins a file in parts. Nothing of it is there before `complete`. @throws PlatformError storage/bad-key, storage/key-taken */
  begin(key: string, parts: number): Promise<{ readonly uploadId: string; readonly urls: readonly string[] }>;
  /** @throws PlatformError storage/bad-upload when there is no such upload, or not these parts */
  complete(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void>;
  abort(key: string, uploadId: string): Promise<void>;
  uploadUrl(key: string, options: { readonly type: string; readonly seconds: number }): Promise<string>;
  /** @returns undefined when there is no such file */
  downloadUrl(
    key: string,
    options: { readonly disposition: string; readonly seconds: number },
  ): Promise<{ readonly url: string; readonly size: number } | undefined>;
}

/** `number` counts from 1; `etag` is what the store answered to the part. */
export type UploadedPart = { readonly number: number; readonly etag: string };

export type OpenArtifact = {
  readonly body: AsyncIterable<Uint8Array>;
  /** Of the whole file, also when a range was asked for. */
  readonly size: number;
  readonly digest?: string;
};

/** `path` is the whole key. A folder's size is 0. */
export type ArtifactEntry = { readonly path: string; readonly size: number; readonly isFolder: boolean };

/** All files below a folder, in the order of `list`, depth first. */
export async function* walkArtifacts(root: ArtifactRoot, prefix: string): AsyncGenerator<ArtifactEntry> {
  for (const entry of await root.list(prefix)) {
    if (entry.isFolder) yield* walkArtifacts(root, entry.path);
    else yield entry;
  }
}

/** Deletes a file or a folder, but nothing at or below the keys to keep. */
export async function deleteExcept(root: ArtifactRoot, key: string, keep: readonly string[]): Promise<void> {
  if (keep.some((kept) => kept === key || isBelow(key, kept))) return;
  if (!keep.some((kept) => isBelow(kept, key))) return root.delete(key);
  for (const { path } of await root.list(key)) await deleteExcept(root, path, keep);
}

const isBelow = (key: string, folder: string): boolean => key.startsWith(`${folder}/`);
