/** Tensors between the protocol and the runtime: datatypes by their Open Inference Protocol names. */

/** One input or output of a model; -1 is a free dimension. */
export type TensorSpec = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] };

/** Values as a request carries them, row-major; `null` stands for a missing float. */
export type RawValues = ArrayLike<number | bigint | string | boolean | null>;

export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;
export type TensorData = NumericArray | readonly string[];

/** `onnx` is onnxruntime's own name of the type. Strings have no array constructor, and FP16 has no JSON form. */
export const datatypes = {
  BOOL: { onnx: 'bool', array: Uint8Array },
  INT8: { onnx: 'int8', array: Int8Array, min: -128, max: 127 },
  INT16: { onnx: 'int16', array: Int16Array, min: -32768, max: 32767 },
  INT32: { onnx: 'int32', array: Int32Array, min: -2147483648, max: 2147483647 },
  INT64: { onnx: 'int64', array: BigInt64Array, min: -(2n ** 63n), max: 2n ** 63n - 1n },
  UINT8: { onnx: 'uint8', array: Uint8Array, min: 0, max: 255 },
  UINT16: { onnx: 'uint16', array: Uint16Array, min: 0, max: 65535 },
  UINT32: { onnx: 'uint32', array: Uint32Array, min: 0, max: 4294967295 },
  UINT64: { onnx: 'uint64', array: BigUint64Array, min: 0n, max: 2n ** 64n - 1n },
  FP32: { onnx: 'float32', array: Float32Array, max: 3.4028234663852886e38 },
  FP64: { onnx: 'float64', array: Float64Array, max: Number.MAX_VALUE },
  BYTES: { onnx: 'string' },
} as const;
export type Datatype = keyof typeof datatypes;

export const isDatatype = (name: string): name is Datatype => Object.hasOwn(datatypes, name);
export const isFloat = (datatype: string): boolean => datatype === 'FP32' || datatype === 'FP64';

/** Values per row of a tensor whose first dimension is the row; undefined while another dimension is free. */
export function rowSize({ shape }: TensorSpec): number | undefined {
  let size = 1;
  for (const dimension of shape.slice(1)) {
    if (dimension < 0) return undefined;
    size *= dimension;
  }
  return size;
}

/** Whether requests may share a batch: rows are the free first dimension of every input and output, and nothing else is free. */
export function isBatchable(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): boolean {
  const byRow = (spec: TensorSpec) => spec.shape[0] === -1;
  return (
    inputs.length > 0 && inputs.every((spec) => byRow(spec) && rowSize(spec) !== undefined) && outputs.every(byRow)
  );
}
