/** Golden values: RFC 6962's reference leaves as in transparency-dev/merkle (testdata and rfc6962 hasher tests). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  consistencyProof,
  inclusionProof,
  rootOfLeaves,
  type SubtreeHash,
  verifyConsistency,
  verifyInclusion,
} from './merkle-proof.ts';
import { addLeaves, emptyRange, emptyRoot, type Hash, leafHash, nodeHash, rootOf } from './merkle-tree.ts';

const hex = (hash: Hash) => Buffer.from(hash).toString('hex');
const bytes = (text: string) => new TextEncoder().encode(text);

test('leaves and nodes hash as in RFC 6962', () => {
  assert.match(hex(leafHash(bytes(''))), /^6e340b9c.*a01d$/);
  assert.equal(hex(leafHash(bytes('L123456'))), '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
  // The vector joins two short texts, where real nodes join two hashes.
  assert.equal(
    hex(nodeHash(bytes('N123'), bytes('N456'))),
    'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
  );
});

test('the roots of the reference leaves are the published ones, for each size', () => {
  const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const leaves = entries.map((entry) => leafHash(Buffer.from(entry, 'hex')));
  const published = [
    /^e3b0c442.*b855$/,
    /^6e340b9c.*a01d$/,
    /^fac54203.*c125$/,
    /^aeb6bcfe.*e77$/,
    /^d37ee418.*14b7$/,
    /^4e3bbb1f.*64d4$/,
    /^76e67dad.*87ef$/,
    /^ddb89be4.*4c8c$/,
    /^5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328$/,
  ];
  for (const [size, root] of published.entries()) {
    assert.match(hex(rootOfLeaves(leaves.slice(0, size))), root);
    assert.match(hex(rootOf(addLeaves(emptyRange, leaves.slice(0, size)))), root);
  }
});

test('a range that grows in any steps has the root of the tree over all leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(70), { maxLength: 12 }), (steps) => {
      let range = emptyRange;
      const leaves: Hash[] = [];
      for (const step of steps) {
        const more = Array.from({ length: step }, (_, index) => leafHash(bytes(`${leaves.length + index}`)));
        leaves.push(...more);
        range = addLeaves(range, more);
        assert.deepEqual([range.size, hex(rootOf(range))], [leaves.length, hex(rootOfLeaves(leaves))]);
      }
    }),
  );
});

const tree = Array.from({ length: 130 }, (_, index) => leafHash(bytes(`entry ${index}`)));
const subtree: SubtreeHash = async (start, end) => rootOfLeaves(tree.slice(start, end));
const rootAt = (size: number) => rootOfLeaves(tree.slice(0, size));

test('every entry is proved in every tree that has it, with as many hashes as the tree is high', async () => {
  for (let size = 1; size <= 65; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const proof = await inclusionProof(subtree, index, size);
      assert.ok(proof.length <= Math.ceil(Math.log2(size)));
      assert.ok(verifyInclusion({ leaf: tree[index]!, index, size, root: rootAt(size), proof }));
    }
  }
});

test('every tree is proved to begin with every smaller one', async () => {
  for (let to = 1; to <= 65; to += 1) {
    for (let from = 1; from <= to; from += 1) {
      const proof = await consistencyProof(subtree, from, to);
      assert.ok(verifyConsistency({ from, fromRoot: rootAt(from), to, toRoot: rootAt(to), proof }), `${from} to ${to}`);
    }
  }
});

test('an inclusion proof holds for its own entry, tree and hashes only', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 130 }), fc.nat(), fc.nat(), async (size, anyIndex, where) => {
      const index = anyIndex % size;
      const proof = await inclusionProof(subtree, index, size);
      const claim = { leaf: tree[index]!, index, size, root: rootAt(size), proof };
      const wrong = [
        { ...claim, index: (index + 1) % size },
        { ...claim, index: size },
        { ...claim, index: -1 },
        { ...claim, size: 0 },
        { ...claim, leaf: leafHash(bytes('another')) },
        { ...claim, root: rootAt(size - 1) },
        ...mutations(proof, where).map((changed) => ({ ...claim, proof: changed })),
      ];
      for (const claimed of wrong) assert.ok(!verifyInclusion(claimed));
    }),
  );
});

test('a consistency proof holds for its own two trees and hashes only', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 130 }), fc.nat(), fc.nat(), async (to, anyFrom, where) => {
      const from = 1 + (anyFrom % (to - 1));
      const proof = await consistencyProof(subtree, from, to);
      const claim = { from, fromRoot: rootAt(from), to, toRoot: rootAt(to), proof };
      const wrong = [
        { ...claim, from: 0, fromRoot: emptyRoot },
        { ...claim, from: to + 1 },
        { ...claim, to: from },
        { ...claim, fromRoot: claim.toRoot, toRoot: claim.fromRoot },
        { ...claim, toRoot: leafHash(bytes('another')) },
        { ...claim, fromRoot: leafHash(bytes('another')) },
        ...mutations(proof, where).map((changed) => ({ ...claim, proof: changed })),
      ];
      for (const claimed of wrong) assert.ok(!verifyConsistency(claimed));
    }),
  );
});

test('there is no proof from the empty tree', async () => {
  await assert.rejects(consistencyProof(subtree, 0, 5), RangeError);
  await assert.rejects(inclusionProof(subtree, 5, 5), RangeError);
});

/** A flipped bit, an added hash at either end or inside, a removed one, none at all. */
function mutations(proof: readonly Hash[], where: number): Hash[][] {
  const garbage = leafHash(bytes('garbage'));
  const added = [[garbage, ...proof], [...proof, garbage], proof.toSpliced(where % (proof.length + 1), 0, garbage)];
  if (proof.length === 0) return added;
  const at = where % proof.length;
  const flipped = proof[at]!.with(where % 32, proof[at]!.at(where % 32)! ^ (1 << (where % 8)));
  return [...added, proof.with(at, flipped), proof.toSpliced(at, 1), []];
}
