/** ONNX's element types by their number. @see TensorProto.DataType of onnx.proto */

export type ElementType = {
  readonly onnx: string;
  /** Its name in the Open Inference Protocol; absent where that has none. */
  readonly datatype?: string;
  /** Size of one element; absent for strings. */
  readonly bits?: number;
};

const types: Readonly<Record<number, ElementType>> = {
  1: { onnx: 'float', datatype: 'FP32', bits: 32 },
  2: { onnx: 'uint8', datatype: 'UINT8', bits: 8 },
  3: { onnx: 'int8', datatype: 'INT8', bits: 8 },
  4: { onnx: 'uint16', datatype: 'UINT16', bits: 16 },
  5: { onnx: 'int16', datatype: 'INT16', bits: 16 },
  6: { onnx: 'int32', datatype: 'INT32', bits: 32 },
  7: { onnx: 'int64', datatype: 'INT64', bits: 64 },
  8: { onnx: 'string', datatype: 'BYTES' },
  9: { onnx: 'bool', datatype: 'BOOL', bits: 8 },
  10: { onnx: 'float16', datatype: 'FP16', bits: 16 },
  11: { onnx: 'double', datatype: 'FP64', bits: 64 },
  12: { onnx: 'uint32', datatype: 'UINT32', bits: 32 },
  13: { onnx: 'uint64', datatype: 'UINT64', bits: 64 },
  14: { onnx: 'complex64', bits: 64 },
  15: { onnx: 'complex128', bits: 128 },
  16: { onnx: 'bfloat16', bits: 16 },
  17: { onnx: 'float8e4m3fn', bits: 8 },
  18: { onnx: 'float8e4m3fnuz', bits: 8 },
  19: { onnx: 'float8e5m2', bits: 8 },
  20: { onnx: 'float8e5m2fnuz', bits: 8 },
  21: { onnx: 'uint4', bits: 4 },
  22: { onnx: 'int4', bits: 4 },
  23: { onnx: 'float4e2m1', bits: 4 },
  24: { onnx: 'float8e8m0', bits: 8 },
  25: { onnx: 'uint2', bits: 2 },
  26: { onnx: 'int2', bits: 2 },
};

export const elementType = (code: number): ElementType | undefined => types[code];

/** Bytes that so many elements take in a file; undefined for strings and unknown types. */
export function byteSize(code: number, elements: bigint): bigint | undefined {
  const bits = types[code]?.bits;
  return bits === undefined ? undefined : (elements * BigInt(bits) + 7n) / 8n;
}
