import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunkSizes, createChunker, gearTable } from './chunker.ts';

const chunker = createChunker();

/** Lengths of the chunks of a whole buffer, at most one window long. */
function cut(bytes: Uint8Array): readonly number[] {
  chunker.window.set(bytes);
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = chunker.endOf(at, bytes.length);
    lengths.push(end - at);
    at = end;
  }
  return lengths;
}

/** Cheap bytes without structure (xorshift). */
function noise(length: number, seed: number): Uint8Array {
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

const contents = (lengths: readonly number[], bytes: Uint8Array) => {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return Buffer.from(bytes.subarray(at - length, at)).toString('latin1');
  });
};

test('the loop in WebAssembly cuts where the definition says', () => {
  const table = Array.from({ length: 256 }, (_, byte) => Buffer.from(gearTable).readBigUInt64LE(byte * 8));
  const bytes = noise(600_000, 7);
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let h = 0n;
    let end = Math.min(bytes.length, at + chunkSizes.most);
    for (let i = at + chunkSizes.least - 65; i < end; i++) {
      h = BigInt.asUintN(64, (h << 1n) + (table[bytes[i] ?? 0] ?? 0n));
      if (h >> 48n === 0n) end = i + 1;
    }
    lengths.push(end - at);
    at = end;
  }
  assert.deepEqual(cut(bytes), lengths);
});

test('chunks are as long as they may be, cover everything, and average near 64 KiB', () => {
  const bytes = noise(4_000_000, 3);
  const lengths = cut(bytes);
  assert.equal(
    lengths.reduce((sum, length) => sum + length, 0),
    bytes.length,
  );
  assert.ok(lengths.slice(0, -1).every((length) => length >= chunkSizes.least - 64 && length <= chunkSizes.most));
  const mean = bytes.length / lengths.length;
  assert.ok(mean > 45_000 && mean < 90_000, `${mean}`);
  assert.deepEqual(new Set(cut(new Uint8Array(chunkSizes.most * 3))), new Set([chunkSizes.most]));
});

test('an insertion changes the chunks around it and no others', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 900_000 }),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      (at, inserted, seed) => {
        const before = noise(900_000, seed);
        const after = Buffer.concat([before.subarray(0, at), inserted, before.subarray(at)]);
        const old = new Set(contents(cut(before), before));
        const fresh = contents(cut(after), after).filter((chunk) => !old.has(chunk));
        const bytes = fresh.reduce((sum, chunk) => sum + chunk.length, 0);
        assert.ok(bytes <= 6 * chunkSizes.most, `${bytes} bytes are new`);
      },
    ),
    { numRuns: 25, seed: 1 },
  );
});

test('where the bytes arrive in pieces does not matter', () => {
  const bytes = noise(700_000, 11);
  const whole = cut(bytes);
  chunker.window.set(bytes);
  const lengths: number[] = [];
  for (let from = 0, filled = 10_000; from < bytes.length; ) {
    const to = chunker.endOf(from, filled);
    if (to === filled && filled < bytes.length && to - from < chunkSizes.most)
      filled = Math.min(bytes.length, filled + 10_000);
    else {
      lengths.push(to - from);
      from = to;
    }
  }
  assert.deepEqual(lengths, whole);
});
