/** Proofs of RFC 9162 §2.1.3 and §2.1.4: that an entry is in a tree, and that a tree is the beginning of a larger one. */
import { emptyRoot, type Hash, nodeHash } from './merkle-tree.ts';

/** The root over the leaves from index `start` up to, not including, `end`. */
export type SubtreeHash = (start: number, end: number) => Promise<Hash>;

/** @param index of the entry, from 0 @throws RangeError when the tree has no such entry */
export async function inclusionProof(subtree: SubtreeHash, index: number, size: number): Promise<Hash[]> {
  if (!isCount(index) || !isCount(size) || index >= size)
    throw new RangeError(`no entry ${index} in a tree of ${size}`);
  const proof: Hash[] = [];
  for (let start = 0, end = size; end - start > 1; ) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      proof.unshift(await subtree(middle, end));
      end = middle;
    } else {
      proof.unshift(await subtree(start, middle));
      start = middle;
    }
  }
  return proof;
}

/** @throws RangeError unless 0 < from ≤ to: every tree begins with the empty one, so there is nothing to prove */
export async function consistencyProof(subtree: SubtreeHash, from: number, to: number): Promise<Hash[]> {
  if (!isCount(from) || !isCount(to) || from === 0 || from > to) throw new RangeError(`no proof from ${from} to ${to}`);
  const proof: Hash[] = [];
  let start = 0;
  let end = to;
  while (from !== end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      proof.unshift(await subtree(middle, end));
      end = middle;
    } else {
      proof.unshift(await subtree(start, middle));
      start = middle;
    }
  }
  if (start > 0) proof.unshift(await subtree(start, end)); // at 0 it is the old root, which the verifier has
  return proof;
}

export function verifyInclusion(claim: {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly root: Hash;
  readonly proof: readonly Hash[];
}): boolean {
  const { index, size } = claim;
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  let node = index;
  let last = size - 1;
  let hash = claim.leaf;
  for (const sibling of claim.proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else hash = nodeHash(hash, sibling);
    node = half(node);
    last = half(last);
  }
  return last === 0 && isSame(hash, claim.root);
}

export function verifyConsistency(claim: {
  readonly from: number;
  readonly fromRoot: Hash;
  readonly to: number;
  readonly toRoot: Hash;
  readonly proof: readonly Hash[];
}): boolean {
  const { from, to } = claim;
  if (!isCount(from) || !isCount(to) || from === 0 || from > to) return false;
  if (from === to) return claim.proof.length === 0 && isSame(claim.fromRoot, claim.toRoot);
  // A complete old tree is a node of the new one, and the proof leaves it out.
  const path = isPowerOfTwo(from) ? [claim.fromRoot, ...claim.proof] : [...claim.proof];
  const first = path.shift();
  if (!first) return false;
  let node = from - 1;
  let last = to - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let oldHash = first;
  let newHash = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else newHash = nodeHash(newHash, sibling);
    node = half(node);
    last = half(last);
  }
  return last === 0 && isSame(oldHash, claim.fromRoot) && isSame(newHash, claim.toRoot);
}

/** The largest power of two below `size`. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** RFC 6962 §2.1, from the leaves themselves. */
export function rootOfLeaves(leaves: readonly Hash[]): Hash {
  const [only] = leaves;
  if (only === undefined) return emptyRoot;
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return nodeHash(rootOfLeaves(leaves.slice(0, split)), rootOfLeaves(leaves.slice(split)));
}

export function isSame(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0;
}

const half = (value: number) => Math.floor(value / 2);
const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
const isPowerOfTwo = (value: number) => 2 ** Math.round(Math.log2(value)) === value;
