/** The type of an input or output: a tensor, or something that no tensor protocol can carry. */
import { eachField, inner, integerAt, type Message, shapeOf } from './protobuf-reader.ts';

export type ValueType =
  /** `dims` is undefined when not even the number of dimensions is known; a free dimension is undefined. */
  | { readonly kind: 'tensor'; readonly element: number; readonly dims: readonly (bigint | undefined)[] | undefined }
  | { readonly kind: 'sequence' | 'map' | 'sparse tensor' | 'optional' | 'opaque' | 'none' };

const typeShape = shapeOf({ lengthDelimited: [1, 4, 5, 6, 7, 8, 9], once: [1, 4, 5, 6, 7, 8, 9] });
const tensorShape = shapeOf({ lengthDelimited: [2], varint: [1], once: [1, 2] });
const dimsShape = shapeOf({ lengthDelimited: [1] });
const dimShape = shapeOf({ lengthDelimited: [2, 3], varint: [1], once: [1, 2, 3] });

const kinds = { 4: 'sequence', 5: 'map', 7: 'opaque', 8: 'sparse tensor', 9: 'optional' } as const;

export function readType(message: Message): ValueType {
  let type: ValueType = { kind: 'none' };
  eachField(message, typeShape, (field, start, end) => {
    if (field === 1) type = readTensorType(inner(message, start, end));
    else if (field in kinds) type = { kind: kinds[field as keyof typeof kinds] }; // just looked up
  });
  return type;
}

function readTensorType(message: Message): ValueType {
  let element = 0;
  let dims: (bigint | undefined)[] | undefined;
  eachField(message, tensorShape, (field, start, end) => {
    if (field === 1) element = Number(integerAt(message.bytes, start, end));
    else if (field === 2) dims = readDims(inner(message, start, end));
  });
  return { kind: 'tensor', element, dims };
}

function readDims(message: Message): (bigint | undefined)[] {
  const dims: (bigint | undefined)[] = [];
  eachField(message, dimsShape, (field, start, end) => {
    if (field === 1) dims.push(readDim(inner(message, start, end)));
  });
  return dims;
}

function readDim(message: Message): bigint | undefined {
  let size: bigint | undefined;
  eachField(message, dimShape, (field, start, end) => {
    if (field === 1) size = integerAt(message.bytes, start, end);
  });
  return size;
}
