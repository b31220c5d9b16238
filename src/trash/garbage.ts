/** Collecting garbage: what goes, what stays, and why. */
import type { BlobCount } from '../storage/blob-store.ts';
import type { TrashItem, TrashKind } from './trash.ts';

export const collectKind = 'trash.collect';

/** The input of the operation. */
export type CollectRequest = {
  /** Items that were deleted at least so long ago are purged. */
  readonly olderThanMs: number;
  readonly dryRun: boolean;
};

export type Garbage = {
  readonly dryRun: boolean;
  /** Items of the trash by kind; those that go with an experiment or a model are counted with it. */
  readonly purged: Readonly<Record<TrashKind, number>>;
  /** Their artifacts. */
  readonly files: BlobCount;
  /** Stored bytes that nothing needs any more; in a dry run, those of today. */
  readonly blobs: BlobCount;
  /** Uploads in parts that nobody completed: of a client or a server that died. */
  readonly uploads: BlobCount;
  readonly kept: readonly Kept[];
};

export type Kept = { readonly what: string; readonly count: number; readonly bytes?: number; readonly why: string };

export const nothingPurged: Readonly<Record<TrashKind, number>> = {
  experiment: 0,
  run: 0,
  'logged-model': 0,
  model: 0,
  version: 0,
};

/** Counts an item with what goes with it. */
export function withItem(
  purged: Garbage['purged'],
  { kind, holds = 0 }: Pick<TrashItem, 'kind' | 'holds'>,
): Garbage['purged'] {
  const counted = { ...purged, [kind]: purged[kind] + 1 };
  if (kind === 'experiment') return { ...counted, run: counted.run + holds };
  if (kind === 'model') return { ...counted, version: counted.version + holds };
  return counted;
}
