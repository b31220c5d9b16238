/** Proofs over the log in the database. */
import { PlatformError } from '../errors.ts';
import type { Db } from '../storage/database.ts';
import { lastPosition } from './event-store.ts';
import { readLeaves } from './log-leaf-store.ts';
import { consistencyProof, inclusionProof, rootOfLeaves, splitOf } from './merkle-proof.ts';
import { emptyRoot, type Hash, nodeHash } from './merkle-tree.ts';

export type LogProofs = ReturnType<typeof logProofs>;

/** Keep it for as long as the database is open: it remembers the parts of the tree that can never change. */
export function logProofs(db: Db) {
  const complete = new Map<number, Hash>();

  async function subtree(start: number, end: number): Promise<Hash> {
    const size = end - start;
    if (size > blockSize) {
      const middle = start + splitOf(size);
      return nodeHash(await subtree(start, middle), await subtree(middle, end));
    }
    // Every subtree that a proof asks for starts at a multiple of its size rounded up to a power of two.
    const known = size === blockSize ? complete.get(start) : undefined;
    if (known) return known;
    const root = rootOfLeaves(await readLeaves(db, { start, end }));
    if (size === blockSize) complete.set(start, root);
    return root;
  }

  async function requireSize(size: number): Promise<void> {
    const last = await lastPosition(db);
    if (size > last) throw new PlatformError('events/no-entry', String(last + 1));
  }

  return {
    /** That the event at this position is in the log of this size. @throws RangeError, PlatformError events/no-entry */
    inclusion: async (position: number, size: number): Promise<Hash[]> => {
      await requireSize(size);
      return inclusionProof(subtree, position - 1, size);
    },
    /** That the log of size `to` begins with the log of size `from`. @throws RangeError, PlatformError events/no-entry */
    consistency: async (from: number, to: number): Promise<Hash[]> => {
      await requireSize(to);
      return consistencyProof(subtree, from, to);
    },
    root: async (size: number): Promise<Hash> => {
      await requireSize(size);
      return size === 0 ? emptyRoot : subtree(0, size);
    },
  };
}

/** 32 bytes kept for so many entries: 4 MB for 33 million. */
const blockSize = 256;
