/** The Open Inference Protocol, version 2, in JSON: requests to values by a model's signature, and answers to text. */
import { PlatformError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { type Extra, extraNames, type ModelSignature } from './model-signature.ts';
import { type Datatype, datatypes, isDatatype, type RawValues, type TensorData, type TensorSpec } from './tensor.ts';

/** Rows of one request: more belong into several, since a request is answered as a whole. */
export const maxRequestRows = 8_192;

/** What a model gets: per input, in the signature's order, its values in row-major order and its shape. */
export type InferRequest = {
  readonly id: string | undefined;
  readonly rows: number;
  readonly values: readonly RawValues[];
  readonly shapes: readonly (readonly number[])[];
  /** One value per row of each named column that the model may lack. */
  readonly extras: { readonly [extra in Extra]?: RawValues };
  /** Indices of the outputs to return, in this order. */
  readonly outputs: readonly number[] | undefined;
};

/** @param body the parsed JSON  @param exact parses the same text again with long integers kept, called only when one is met */
export function decodeInferRequest(
  body: unknown,
  { signature, endpoint, exact }: { signature: ModelSignature; endpoint: Endpoint; exact?: () => unknown },
): InferRequest {
  if (!isObject(body)) throw bad('the body must be a JSON object');
  const { id, inputs: tensors, outputs } = body;
  if (id !== undefined && typeof id !== 'string') throw bad(`'id' must be a string`);
  if (!Array.isArray(tensors)) throw bad(`'inputs' must be an array`);

  const { inputs, inputIndex, batchable } = signature;
  const values = new Array<RawValues | undefined>(inputs.length).fill(undefined);
  const shapes = new Array<readonly number[]>(inputs.length);
  const extras: { [extra in Extra]?: RawValues } = {};
  const logged: { name: string; data: RawValues }[] = [];
  let rows = -1;
  let rowsFrom = '';
  for (const tensor of tensors) {
    if (!isObject(tensor) || typeof tensor['name'] !== 'string') throw bad('every input needs a name');
    const name = tensor['name'];
    const index = inputIndex.get(name);
    if (index === undefined && !isExtra(endpoint, name)) {
      throw bad(
        `unexpected input '${clip(name)}'; the model takes ${inputs.map((spec) => `'${spec.name}'`).join(', ')}`,
      );
    }
    const shape = shapeOf(tensor['shape'], name);
    const spec = index === undefined ? undefined : inputs[index];
    if (spec) checkShape(shape, spec);
    const data = flatten(tensor['data'], shape, name);
    if (index === undefined) logged.push({ name, data });
    else {
      if (values[index]) throw bad(`input '${name}' is given twice`);
      const declared = tensor['datatype'];
      // Known to be an input of the model: `spec` is there.
      if (checkValues(data, spec as TensorSpec, declared) === 'inexact') {
        if (exact) return decodeInferRequest(exact(), { signature, endpoint });
        throw bad(`input '${name}' holds an integer beyond 2^53`);
      }
      values[index] = data;
      shapes[index] = shape;
      const count = batchable ? (shape[0] ?? 0) : 1;
      if (rows >= 0 && rows !== count) {
        throw bad(`input '${name}' has ${count} rows, '${rowsFrom}' has ${rows}`);
      }
      rows = count;
      rowsFrom = name;
    }
  }
  for (const [index, spec] of inputs.entries()) {
    if (!values[index]) throw bad(`input '${spec.name}' is missing`);
  }
  if (rows < 1) throw bad('the request has no rows');
  if (rows > maxRequestRows) throw bad(`${rows} rows are more than the ${maxRequestRows} that one request may have`);
  for (const extra of extraNames) {
    const name = endpoint[extra];
    if (name === undefined) continue;
    const index = inputIndex.get(name);
    const data = index === undefined ? logged.find((one) => one.name === name)?.data : values[index];
    if (data && data.length !== rows)
      throw bad(`input '${name}' has ${data.length} values, the request has ${rows} rows`);
    if (data) extras[extra] = data;
  }
  return {
    id,
    rows,
    // Every slot was checked above.
    values: values as RawValues[],
    shapes,
    extras,
    outputs: outputs === undefined ? undefined : wantedOutputs(outputs, signature),
  };
}

export type InferAnswer = {
  readonly model: string;
  readonly version: number;
  readonly id: string;
  readonly variant: string;
  readonly predictionIds: readonly string[];
  readonly outputs: readonly {
    readonly spec: TensorSpec;
    readonly shape: readonly number[];
    readonly data: TensorData;
  }[];
};

/** The answer as text: built by hand, since the general way costs more than the model. Floats are finite by then. */
export function encodeInferAnswer({ model, version, id, variant, predictionIds, outputs }: InferAnswer): string {
  let text = `{"model_name":${JSON.stringify(model)},"model_version":"${version}","id":${JSON.stringify(id)},`;
  text += `"parameters":{"variant":"${variant}","prediction_ids":"${predictionIds.join(',')}"},"outputs":[`;
  for (let index = 0; index < outputs.length; index++) {
    const { spec, shape, data } = outputs[index] as InferAnswer['outputs'][number]; // index < length
    if (index > 0) text += ',';
    text += `{"name":${JSON.stringify(spec.name)},"shape":[${shape.join(',')}],"datatype":"${spec.datatype}","data":[`;
    text += `${joinValues(spec.datatype, data)}]}`;
  }
  return `${text}]}`;
}

export function joinValues(datatype: string, data: TensorData): string {
  if (datatype === 'BYTES') return (data as readonly string[]).map((value) => JSON.stringify(value)).join(',');
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (value) => value !== 0).join(',');
  return data.join(',');
}

/** Metadata of a model: `GET /v2/models/{m}`. */
export const describeModel = (
  name: string,
  versions: readonly number[],
  { inputs, outputs }: { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] },
) => ({ name, versions: versions.map(String), platform: 'onnx_onnxv1', inputs, outputs });

const isExtra = (endpoint: Endpoint, name: string): boolean => extraNames.some((extra) => endpoint[extra] === name);

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const bad = (message: string): PlatformError => new PlatformError('serving/bad-request', message);
// What a client wrote comes back cut: an answer is no place for a megabyte of its own words.
const clip = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text);

function shapeOf(shape: unknown, name: string): readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0 || shape.length > 16) {
    throw bad(`input '${name}' needs a shape: an array of 1 to 16 sizes`);
  }
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw bad(`the shape of input '${name}' holds ${shown(size)}; sizes are whole and not negative`);
    }
  }
  return shape as readonly number[]; // every entry was checked
}

function checkShape(shape: readonly number[], spec: TensorSpec): void {
  const fits =
    shape.length === spec.shape.length && spec.shape.every((size, axis) => size === -1 || size === shape[axis]);
  if (!fits) throw bad(`input '${spec.name}' has shape [${shape}], the model takes [${spec.shape}]`);
}

/** Nested or flat, both are allowed; nested arrays must have the shape that the request claims. */
function flatten(data: unknown, shape: readonly number[], name: string): RawValues {
  if (data === undefined) throw bad(`input '${name}' has no data`);
  const isBinary = ArrayBuffer.isView(data);
  if (!Array.isArray(data) && !isBinary) throw bad(`the data of input '${name}' must be an array`);
  // Sizes are safe integers, yet a product may pass 2^53: it then cannot equal the length of an array that exists.
  const size = shape.reduce((product, one) => product * one, 1);
  const values = data as RawValues; // an array of something: the values are checked by their datatype
  if (isBinary || !Array.isArray(data[0])) {
    if (values.length !== size)
      throw bad(`input '${name}' has ${values.length} values, its shape [${shape}] holds ${size}`);
    return values;
  }
  const flat: RawValues[number][] = [];
  const walk = (part: unknown, axis: number): void => {
    if (!Array.isArray(part) || part.length !== shape[axis]) {
      throw bad(`the nested data of input '${name}' do not have its shape [${shape}]`);
    }
    if (axis === shape.length - 1) for (const value of part) flat.push(value);
    else for (const inner of part) walk(inner, axis + 1);
  };
  walk(data, 0);
  return flat;
}

/** @returns `inexact` when an integer has lost digits in plain parsing */
function checkValues(data: RawValues, { name, datatype }: TensorSpec, declared: unknown): 'exact' | 'inexact' {
  if (!isDatatype(datatype)) throw bad(`input '${name}' is ${datatype}, which has no JSON form`);
  if (declared !== datatype) {
    throw bad(`input '${name}' is sent as ${shown(declared)}, the model takes ${datatype}`);
  }
  const wrong = (index: number): PlatformError =>
    bad(`value ${index} of input '${name}' is ${shown(data[index])}; the model takes ${expectation[datatype]}`);
  const isBinary = ArrayBuffer.isView(data);
  switch (datatype) {
    case 'FP32':
    case 'FP64': {
      const { max } = datatypes[datatype];
      for (let index = 0; index < data.length; index++) {
        const value = data[index];
        if (typeof value === 'number' && value <= max && value >= -max) continue;
        // JSON writes a missing value as null, bytes write it as NaN.
        if (value !== null && !(isBinary && Number.isNaN(value))) throw wrong(index);
      }
      return 'exact';
    }
    case 'BYTES':
      for (let index = 0; index < data.length; index++) if (typeof data[index] !== 'string') throw wrong(index);
      return 'exact';
    case 'BOOL':
      for (let index = 0; index < data.length; index++) {
        const value = data[index];
        if (value !== true && value !== false && value !== 0 && value !== 1) throw wrong(index);
      }
      return 'exact';
    default: {
      const { min, max } = datatypes[datatype];
      for (let index = 0; index < data.length; index++) {
        const value = data[index];
        if (typeof value === 'number' ? !Number.isInteger(value) : typeof value !== 'bigint') throw wrong(index);
        const integer = value as number | bigint; // the line above left nothing else
        if (typeof integer === 'number' && typeof min === 'bigint' && !Number.isSafeInteger(integer)) return 'inexact';
        if (integer < min || integer > max) throw wrong(index);
      }
      return 'exact';
    }
  }
}

const expectation: Readonly<Record<Datatype, string>> = {
  BOOL: 'true or false',
  INT8: 'whole numbers of 8 bits',
  INT16: 'whole numbers of 16 bits',
  INT32: 'whole numbers of 32 bits',
  INT64: 'whole numbers of 64 bits',
  UINT8: 'whole numbers of 8 bits, not negative',
  UINT16: 'whole numbers of 16 bits, not negative',
  UINT32: 'whole numbers of 32 bits, not negative',
  UINT64: 'whole numbers of 64 bits, not negative',
  FP32: 'finite numbers that fit 32 bits, or null for a missing one',
  FP64: 'finite numbers, or null for a missing one',
  BYTES: 'strings',
};

// Never the inside of an object: writing out what is nested a hundred thousand deep would overflow the stack.
function shown(value: unknown): string {
  if (typeof value === 'string') return clip(JSON.stringify(value));
  return typeof value === 'object' && value !== null ? 'no single value' : String(value);
}

function wantedOutputs(
  outputs: unknown,
  { outputIndex, outputs: specs }: ModelSignature,
): readonly number[] | undefined {
  if (!Array.isArray(outputs)) throw bad(`'outputs' must be an array`);
  if (outputs.length === 0) return undefined;
  const wanted = outputs.map((output: unknown) => {
    const name = isObject(output) ? output['name'] : undefined;
    const index = typeof name === 'string' ? outputIndex.get(name) : undefined;
    if (index === undefined) {
      const all = specs.map((spec) => `'${spec.name}'`).join(', ');
      throw bad(`unexpected output ${name === undefined ? 'without a name' : shown(name)}; the model gives ${all}`);
    }
    return index;
  });
  if (new Set(wanted).size < wanted.length) throw bad('an output is asked for twice');
  return wanted;
}
