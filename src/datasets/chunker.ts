/**
 * Content-defined chunking: a chunk ends where its own bytes say so, so that an insertion changes the chunks around it and no others.
 *
 * Gear hash (Xia et al. 2014) over the last 64 bytes with the sizes of Xet: 8 KiB at least, 64 KiB on average, 128 KiB at most; of
 * the sizes tried, these found most repetition in tables. Chunks do not help for what is compressed as a whole (JPEG, gz): there
 * one changed byte changes everything after it.
 */
import { createHash } from 'node:crypto';

export const chunkSizes = { least: 8 * 1024, target: 64 * 1024, most: 128 * 1024 } as const;

const pageBytes = 64 * 1024;
const windowBytes = 4 * 1024 * 1024;
/** The hash forgets a byte after 64 others: what lies further back than that before the least size need not be read. */
const memory = 64;

export type Chunker = {
  /** Where the bytes to be cut are put: file reads go straight into the memory of the hash. */
  readonly window: Uint8Array;
  /**
   * The end of the chunk that starts at `from`. Answers `to` when the bytes up to there hold no boundary: then more bytes are
   * needed, unless the file ends there or the chunk is as long as it may be.
   */
  endOf(from: number, to: number): number;
};

export function createChunker(): Chunker {
  const { memory: linear, find } = instantiate();
  new Uint8Array(linear.buffer, 0, gearTable.byteLength).set(gearTable);
  return {
    window: new Uint8Array(linear.buffer, pageBytes, windowBytes),
    endOf(from, to) {
      const start = from + chunkSizes.least - memory - 1;
      const limit = Math.min(to, from + chunkSizes.most);
      if (start >= limit) return limit;
      return find(pageBytes + start, pageBytes + limit) - pageBytes;
    },
  };
}

/** 256 numbers without structure: the first 8 bytes of sha256("rondo gear <i>"). Changing them would cut everything anew. */
export const gearTable: Uint8Array = Buffer.concat(
  Array.from({ length: 256 }, (_, byte) => createHash('sha256').update(`rondo gear ${byte}`).digest().subarray(0, 8)),
);

/** What is used of WebAssembly: TypeScript declares it together with the DOM only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};
type Loop = { readonly memory: { readonly buffer: ArrayBuffer }; find(at: number, end: number): number };

/**
 * The loop, in WebAssembly: JavaScript has no fast 64-bit integers (0.6 GB/s with two halves, 1.5 GB/s with this).
 *
 *   (func (export "find") (param $at i32) (param $end i32) (result i32) (local $h i64)
 *     (block $done (loop $next
 *       (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
 *       (local.set $h (i64.add (i64.shl (local.get $h) (i64.const 1))
 *                              (i64.load (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
 *       (local.set $at (i32.add (local.get $at) (i32.const 1)))
 *       (br_if $next (i64.ne (i64.shr_u (local.get $h) (i64.const 48)) (i64.const 0)))))
 *     (local.get $at))
 */
function instantiate(): Loop {
  const [i32, i64, nothing, at, end, h] = [0x7f, 0x7e, 0x40, 0, 1, 2] as const;
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const i64Const = (value: number) => [0x42, value];
  const i32Const = (value: number) => [0x41, value];
  const pages = 1 + windowBytes / pageBytes;
  const body = [
    ...[1, 1, i64], // one local: $h
    ...[0x02, nothing, 0x03, nothing], // block, loop
    ...[...get(at), ...get(end), 0x4f, 0x0d, 1], // i32.ge_u, br_if $done
    ...[...get(h), ...i64Const(1), 0x86], // i64.shl
    ...[...get(at), 0x2d, 0, 0, ...i32Const(3), 0x74, 0x29, 3, 0], // i32.load8_u, i32.shl, i64.load
    ...[0x7c, ...set(h)], // i64.add
    ...[...get(at), ...i32Const(1), 0x6a, ...set(at)], // i32.add
    ...[...get(h), ...i64Const(48), 0x88, ...i64Const(0), 0x52, 0x0d, 0], // i64.shr_u, i64.ne, br_if $next
    ...[0x0b, 0x0b, ...get(at), 0x0b], // end of loop, block and function
  ];
  const section = (id: number, content: readonly number[]) => [id, content.length, ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const module = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, i32, i32, 1, i32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 0x80 | (pages & 0x7f), pages >> 7]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('find'), 0, 0]),
    ...section(10, [1, body.length, ...body]),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  return exports as Loop; // named in section 7
}
