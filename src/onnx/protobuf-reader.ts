/** Protocol buffers, the reading half, for bytes that nobody vouches for: no schema of the sender, no copying, bounded work. */

/** A stretch of the file that holds one message. */
export type Message = {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  /** Fields that may still be read in the whole file. */
  readonly budget: { fields: number };
};

/**
 * What is known of a message's fields, as bit masks over field numbers below 32. A known field with another wire type, or a single one that
 * stands twice, is refused: a runtime would skip the first and merge the second, and so see another model than the one inspected here.
 */
export type Shape = { readonly lengthDelimited: number; readonly varint: number; readonly once: number };

/** The bytes are no protocol buffer, or one that no honest tool writes. */
export class MalformedMessage extends Error {}

const mostDepth = 32;
// A forest of 800 MB, one field a number; seconds of reading.
const mostFields = 256_000_000;

export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

export const messageOf = (bytes: Uint8Array): Message => ({
  bytes,
  start: 0,
  end: bytes.length,
  depth: 0,
  budget: { fields: mostFields },
});

/** The message that a length-delimited field holds. */
export function inner({ bytes, depth, budget }: Message, start: number, end: number): Message {
  if (depth >= mostDepth) throw new MalformedMessage(`messages are nested deeper than ${mostDepth}`);
  return { bytes, start, end, depth: depth + 1, budget };
}

export const shapeOf = (fields: {
  readonly lengthDelimited?: readonly number[];
  readonly varint?: readonly number[];
  readonly once?: readonly number[];
}): Shape => ({
  lengthDelimited: maskOf(fields.lengthDelimited),
  varint: maskOf(fields.varint),
  once: maskOf(fields.once),
});

/** @param visit gets each field with the stretch of its value: the varint, the four or eight bytes, or the content */
export function eachField(
  message: Message,
  shape: Shape,
  visit: (field: number, start: number, end: number, wire: number) => void,
): void {
  const { bytes, end, budget } = message;
  let at = message.start;
  let seen = 0;
  while (at < end) {
    if (--budget.fields < 0) throw new MalformedMessage(`the file has more than ${mostFields} fields`);
    const tagEnd = varintEnd(bytes, at, end);
    if (tagEnd - at > 5) throw new MalformedMessage(`a field at byte ${at} has no valid number`);
    const tag = smallVarint(bytes, at, tagEnd);
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (field === 0 || field > 0x1fff_ffff) throw new MalformedMessage(`a field at byte ${at} has the number ${field}`);
    let start = tagEnd;
    let stop: number;
    if (wire === wireTypes.varint) stop = varintEnd(bytes, start, end);
    else if (wire === wireTypes.fixed64) stop = start + 8;
    else if (wire === wireTypes.fixed32) stop = start + 4;
    else if (wire === wireTypes.lengthDelimited) {
      start = varintEnd(bytes, tagEnd, end);
      stop = start + smallVarint(bytes, tagEnd, start);
    } else throw new MalformedMessage(`a field at byte ${at} has the wire type ${wire}`);
    if (stop > end) throw new MalformedMessage(`the field at byte ${at} ends ${stop - end} bytes behind its message`);
    if (field < 32) {
      const bit = 1 << field;
      const isWrong =
        (shape.lengthDelimited & bit && wire !== wireTypes.lengthDelimited) ||
        (shape.varint & bit && wire !== wireTypes.varint);
      if (isWrong) throw new MalformedMessage(`the field ${field} at byte ${at} has the wire type ${wire}`);
      if (seen & shape.once & bit) throw new MalformedMessage(`the field ${field} stands twice, again at byte ${at}`);
      seen |= bit;
    }
    visit(field, start, stop, wire);
    at = stop;
  }
}

/** A signed 64-bit integer. */
export function integerAt(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let at = end - 1; at >= start; at--) value = (value << 7n) | BigInt((bytes[at] ?? 0) & 127);
  return BigInt.asIntN(64, value);
}

/** How many varints lie in the stretch, without reading them. */
export function countVarints({ bytes }: Message, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at = varintEnd(bytes, at, end)) count++;
  return count;
}

const decoder = new TextDecoder();
export const textAt = ({ bytes }: Message, start: number, end: number): string =>
  decoder.decode(bytes.subarray(start, end));

function varintEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end && at < start + 10; at++) if ((bytes[at] ?? 0) < 128) return at + 1;
  throw new MalformedMessage(`the number at byte ${start} has no end`);
}

/** Exact up to 2^53; more than any length in a file, so that what is longer is refused as too long. */
function smallVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = value * 128 + ((bytes[at] ?? 0) & 127);
  return value;
}

function maskOf(fields: readonly number[] = []): number {
  return fields.reduce((mask, field) => mask | (1 << field), 0);
}
