/** The Merkle tree of RFC 6962 (and RFC 9162 §2.1): hashes of leaves and nodes, roots that grow, and proofs. */
import { hash } from 'node:crypto';

/** 32 bytes of SHA-256. */
export type Hash = Uint8Array;

export const emptyRoot: Hash = hash('sha256', new Uint8Array(), 'buffer');

/** The prefixes keep a leaf from passing for a node. */
export function leafHash(entry: Uint8Array): Hash {
  const bytes = new Uint8Array(entry.length + 1);
  bytes.set(entry, 1);
  return hash('sha256', bytes, 'buffer');
}

export function nodeHash(left: Hash, right: Hash): Hash {
  const bytes = new Uint8Array(1 + left.length + right.length);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return hash('sha256', bytes, 'buffer');
}

/**
 * The tree over the first `size` leaves as the roots of its complete subtrees, largest first: one for each bit of `size`. It is all
 * that is needed to add leaves and to know the root.
 */
export type CompactRange = { readonly size: number; readonly roots: readonly Hash[] };

export const emptyRange: CompactRange = { size: 0, roots: [] };

export function addLeaves(range: CompactRange, leaves: Iterable<Hash>): CompactRange {
  const roots = [...range.roots];
  let size = range.size;
  for (const leaf of leaves) {
    let node = leaf;
    // As in binary addition: each trailing 1 of the size is a subtree as large as the one carried.
    for (let carry = size; carry % 2 === 1; carry = Math.floor(carry / 2)) node = nodeHash(roots.pop()!, node);
    roots.push(node);
    size += 1;
  }
  return { size, roots };
}

export function rootOf({ roots }: CompactRange): Hash {
  return roots.length === 0 ? emptyRoot : roots.reduceRight((right, left) => nodeHash(left, right));
}
