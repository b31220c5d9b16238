/** Files under keys like `3/ab12…/artifacts/model/model.onnx`. */
import type { Body, ByteRange } from './blob-store.ts';

export interface ArtifactRoot {
  /**
   * Stores a file, or replaces it. Resolves when it is durable.
   * @throws PlatformError storage/bad-key, storage/key-taken when a file stands where a folder is needed or the other way round
   */
  put(key: string, body: Body): Promise<{ readonly size: number; readonly digest?: string }>;
  /** @throws PlatformError storage/bad-key, storage/bad-range */
  open(key: string, range?: ByteRange): Promise<OpenArtifact | undefined>;
  /** What lies directly in the folder `prefix`, sorted by path; '' is the root. Nothing when there is no such folder. */
  list(prefix: string): Promise<readonly ArtifactEntry[]>;
  /** Removes a file, or a folder with all that is in it. */
  delete(key: string): Promise<void>;
}

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
