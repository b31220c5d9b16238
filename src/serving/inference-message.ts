/** What the main thread and an inference thread say to each other, and how tensors are packed for the way. */
import { type Datatype, datatypes, type NumericArray, type RawValues, type TensorSpec } from './tensor.ts';

export type ToInference =
  | {
      readonly kind: 'load';
      readonly key: string;
      readonly path: string;
      readonly inputs: readonly TensorSpec[];
      readonly outputs: readonly TensorSpec[];
    }
  | { readonly kind: 'unload'; readonly key: string }
  /** The last message: the thread ends when everything before it is done. */
  | { readonly kind: 'close' }
  | {
      readonly kind: 'run';
      readonly key: string;
      /** Shape of each input. */
      readonly shapes: readonly (readonly number[])[];
      readonly tensors: PackedTensors;
    };

/** A thread does one thing after another, so answers need no id: they come in the order of the orders. */
export type FromInference =
  | {
      readonly kind: 'loaded';
      readonly key: string;
      /** What a row costs in a batch; absent where the warm-up failed. */
      readonly msPerRow?: number;
      readonly warmUpError?: string;
    }
  | { readonly kind: 'refused'; readonly key: string; readonly message: string }
  | {
      readonly kind: 'ran';
      readonly shapes: readonly (readonly number[])[];
      readonly tensors: PackedTensors;
      readonly ms: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** All numbers in one buffer, each tensor at a multiple of 8 bytes: one transfer, whatever the number of inputs. */
export type PackedTensors = { readonly numbers: ArrayBuffer; readonly strings: readonly (readonly string[])[] };

/** @param sizes values per tensor  @returns views to fill, `undefined` where the tensor holds strings */
export function allocate(
  specs: readonly TensorSpec[],
  sizes: readonly number[],
): { readonly numbers: ArrayBuffer; readonly views: readonly (NumericArray | undefined)[] } {
  const numbers = new ArrayBuffer(layout(specs, sizes).bytes);
  return { numbers, views: viewsOf(numbers, specs, sizes) };
}

export function viewsOf(
  numbers: ArrayBuffer,
  specs: readonly TensorSpec[],
  sizes: readonly number[],
): readonly (NumericArray | undefined)[] {
  const { offsets } = layout(specs, sizes);
  return specs.map((spec, index) => {
    const type = datatypes[spec.datatype as Datatype]; // signatures were checked when the version was sealed
    // Both lists are as long as `specs`.
    return 'array' in type ? new type.array(numbers, offsets[index] as number, sizes[index] as number) : undefined;
  });
}

function layout(specs: readonly TensorSpec[], sizes: readonly number[]) {
  let bytes = 0;
  const offsets = specs.map((spec, index) => {
    const offset = bytes;
    const type = datatypes[spec.datatype as Datatype]; // as above
    if ('array' in type) bytes += Math.ceil((type.array.BYTES_PER_ELEMENT * (sizes[index] ?? 0)) / 8) * 8;
    return offset;
  });
  return { bytes, offsets };
}

/** Writes checked JSON values where the runtime wants them; a missing float becomes NaN. */
export function fill(view: NumericArray, offset: number, values: RawValues): void {
  if (values.constructor === view.constructor) (view as Float32Array).set(values as Float32Array, offset);
  else if (view instanceof BigInt64Array || view instanceof BigUint64Array) {
    for (let i = 0; i < values.length; i++) view[offset + i] = BigInt(values[i] as number | bigint); // checked integers
  } else {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      view[offset + i] = value === null ? Number.NaN : Number(value);
    }
  }
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, one) => size * one, 1);
