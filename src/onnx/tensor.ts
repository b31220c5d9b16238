/** A tensor's description, without its numbers: they stay where they are in the file. */
import { byteSize } from './element-type.ts';
import {
  countVarints,
  eachField,
  inner,
  integerAt,
  MalformedMessage,
  type Message,
  shapeOf,
  textAt,
  wireTypes,
} from './protobuf-reader.ts';

export type Tensor = {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly bigint[];
  /** Elements that the file holds itself, however they are stored. */
  readonly elements: StoredElements;
  /** Key and value as they stand, in order, repeated keys included. */
  readonly externalData: readonly (readonly [key: string, value: string])[];
  readonly isExternal: boolean;
  /** The values of a short list of 64-bit integers: shapes and repeat counts are given so. */
  readonly shortIntegers: readonly bigint[] | undefined;
};

type StoredElements = { readonly rawBytes: number | undefined; readonly typed: number };

const dims = 1;
const dataType = 2;
const rawData = 9;
const externalData = 13;
const dataLocation = 14;
const shape = shapeOf({
  lengthDelimited: [3, 6, 8, rawData, 12, externalData, 16],
  varint: [dataType, dataLocation],
  once: [dataType, 8, rawData, dataLocation],
});
/** Fields of numbers, packed or one by one: `width` 0 means varints. */
const typedFields: Readonly<Record<number, number>> = { 4: 4, 5: 0, 7: 0, 10: 8, 11: 0 };
const mostShortIntegers = 64;
const mostDims = 1024;
const mostEntries = 64;

export function readTensor(message: Message): Tensor {
  let name = '';
  let type = 0;
  let location = 0n;
  let rawBytes: number | undefined;
  let typed = 0;
  const sizes: bigint[] = [];
  const external: (readonly [string, string])[] = [];
  let raw: readonly [number, number] | undefined;
  const int64s: bigint[] = [];
  eachField(message, shape, (field, start, end, wire) => {
    if (field === dims) readIntegers(message, start, end, wire, sizes, mostDims);
    else if (field === dataType) type = Number(integerAt(message.bytes, start, end));
    else if (field === 8) name = textAt(message, start, end);
    else if (field === rawData) {
      rawBytes = end - start;
      raw = [start, end];
    } else if (field === externalData) addEntry(external, readEntry(inner(message, start, end)));
    else if (field === dataLocation) location = integerAt(message.bytes, start, end);
    else if (field === 6) typed++;
    else if (typedFields[field] !== undefined) {
      typed += countNumbers(message, { start, end, wire, width: typedFields[field] });
      if (field === 7 && int64s.length < mostShortIntegers) readIntegers(message, start, end, wire, int64s);
    }
  });
  if (location !== 0n && location !== 1n)
    throw new MalformedMessage(`the tensor '${name}' lies at the unknown location ${location}`);
  return {
    name,
    type,
    dims: sizes,
    elements: { rawBytes, typed },
    externalData: external,
    isExternal: location === 1n,
    shortIntegers: type === 7 ? (raw ? rawIntegers(message, raw) : int64s) : undefined,
  };
}

export const elementCount = (sizes: readonly bigint[]): bigint => sizes.reduce((count, size) => count * size, 1n);

/** Whether what the file holds fits what it says it holds. */
export function isComplete({ type, dims: sizes, elements }: Tensor): boolean {
  const wanted = elementCount(sizes);
  if (elements.rawBytes !== undefined)
    return elements.typed === 0 && byteSize(type, wanted) === BigInt(elements.rawBytes);
  // Complex numbers are two floats, and types below a byte are packed into integers in ways that differ by version.
  const isComplex = type === 14 || type === 15;
  const isNarrow = type >= 21 && type !== 24;
  return isNarrow || BigInt(elements.typed) === (isComplex ? 2n * wanted : wanted);
}

function addEntry(entries: (readonly [string, string])[], entry: readonly [string, string]): void {
  if (entries.length >= mostEntries)
    throw new MalformedMessage(`a tensor has more than ${mostEntries} entries of external data`);
  entries.push(entry);
}

const entryShape = shapeOf({ lengthDelimited: [1, 2], once: [1, 2] });

function readEntry(message: Message): readonly [string, string] {
  let key = '';
  let value = '';
  eachField(message, entryShape, (field, start, end) => {
    if (field === 1) key = textAt(message, start, end);
    else if (field === 2) value = textAt(message, start, end);
  });
  return [key, value];
}

function countNumbers(
  message: Message,
  { start, end, wire, width }: { start: number; end: number; wire: number; width: number },
): number {
  if (wire !== wireTypes.lengthDelimited) return 1;
  if (width === 0) return countVarints(message, start, end);
  if ((end - start) % width !== 0) throw new MalformedMessage(`the numbers at byte ${start} end within a number`);
  return (end - start) / width;
}

/** @param most more are refused for dimensions, and left out for values */
export function readIntegers(
  message: Message,
  start: number,
  end: number,
  wire: number,
  into: bigint[],
  most?: number,
): void {
  const { bytes } = message;
  const add = (from: number, to: number) => {
    if (most !== undefined && into.length >= most)
      throw new MalformedMessage(`a tensor has more than ${most} dimensions`);
    into.push(integerAt(bytes, from, to));
  };
  if (wire === wireTypes.varint) {
    add(start, end);
    return;
  }
  if (wire !== wireTypes.lengthDelimited)
    throw new MalformedMessage(`the integers at byte ${start} are stored as floats`);
  countVarints(message, start, end); // refuses a last number without an end
  const limit = most ?? mostShortIntegers;
  for (let from = start; from < end && into.length <= limit; ) {
    let to = from;
    while ((bytes[to] ?? 0) >= 128) to++;
    add(from, to + 1);
    from = to + 1;
  }
}

function rawIntegers({ bytes }: Message, [start, end]: readonly [number, number]): readonly bigint[] | undefined {
  if ((end - start) % 8 !== 0 || end - start > 8 * mostShortIntegers) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  return Array.from({ length: (end - start) / 8 }, (_, at) => view.getBigInt64(at * 8, true));
}
