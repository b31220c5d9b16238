/**
 * The protocol's binary extension: JSON first, then the tensors one after the other, little-endian and packed. Most clients of this
 * protocol send and ask for it unless told otherwise. @see Triton's extension_binary_data.md
 */
import { bad, type InferAnswer, isObject, joinValues } from './open-inference.ts';
import { type Datatype, datatypes, isDatatype, type NumericArray, type RawValues, type TensorData } from './tensor.ts';

/** Puts the bytes where their inputs are, as values. @param body the parsed JSON; a new one is returned */
export function withBinaryInputs(body: unknown, binary: Buffer): unknown {
  if (!isObject(body) || !Array.isArray(body['inputs'])) return body;
  let offset = 0;
  const inputs = body['inputs'].map((tensor: unknown) => {
    const parameters = isObject(tensor) ? tensor['parameters'] : undefined;
    const size = isObject(parameters) ? parameters['binary_data_size'] : undefined;
    if (!isObject(tensor) || size === undefined) return tensor;
    const name = typeof tensor['name'] === 'string' ? tensor['name'].slice(0, 64) : '';
    if (!Number.isSafeInteger(size) || (size as number) < 0 || (size as number) > binary.length - offset) {
      throw bad(`'binary_data_size' of input '${name}' is not the size of bytes that follow`);
    }
    if (tensor['data'] !== undefined) throw bad(`input '${name}' has data and bytes`);
    const bytes = binary.subarray(offset, offset + (size as number)); // checked above
    offset += bytes.length;
    return { ...tensor, data: readTensor(bytes, tensor['datatype'], name) };
  });
  if (offset !== binary.length) throw bad(`${binary.length - offset} bytes follow the last tensor`);
  return { ...body, inputs };
}

function readTensor(bytes: Buffer, datatype: unknown, name: string): RawValues {
  if (typeof datatype !== 'string' || !isDatatype(datatype)) {
    throw bad(`input '${name}' has a datatype that is not served`);
  }
  const type = datatypes[datatype];
  if (!('array' in type)) return readStrings(bytes, name);
  if (bytes.length % type.array.BYTES_PER_ELEMENT !== 0) {
    throw bad(`the ${bytes.length} bytes of input '${name}' are no whole number of ${datatype} values`);
  }
  // A copy, because tensors begin wherever the one before ends, and typed arrays only at multiples of their size.
  const { buffer } = Uint8Array.from(bytes);
  return new type.array(buffer);
}

function readStrings(bytes: Buffer, name: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + 4;
    const length = start <= bytes.length ? bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (length > bytes.length - start) throw bad(`a string of input '${name}' is longer than its bytes`);
    values.push(bytes.toString('utf8', start, start + length));
    at = start + length;
  }
  return values;
}

/** Which of the wanted outputs shall be bytes: what an output says wins over what the request says. */
export function binaryOutputs(body: unknown, count: number): readonly boolean[] | undefined {
  if (!isObject(body)) return undefined;
  const parameters = body['parameters'];
  if (parameters === undefined && body['outputs'] === undefined) return undefined;
  const all = isObject(parameters) && parameters['binary_data_output'] === true;
  const outputs: readonly unknown[] = Array.isArray(body['outputs']) ? body['outputs'] : [];
  const wanted = Array.from({ length: count }, (_, index) => {
    const output = outputs[index];
    const own = isObject(output) && isObject(output['parameters']) ? output['parameters']['binary_data'] : undefined;
    return typeof own === 'boolean' ? own : all;
  });
  return wanted.includes(true) ? wanted : undefined;
}

/** @returns the body, and how much of it is JSON: `Inference-Header-Content-Length` */
export function encodeBinaryAnswer(
  { model, version, id, variant, predictionIds, outputs }: InferAnswer,
  binary: readonly boolean[],
): { readonly body: Buffer; readonly headerLength: number } {
  const tensors: Buffer[] = [];
  const described = outputs.map(({ spec, shape, data }, index) => {
    const head = `{"name":${JSON.stringify(spec.name)},"shape":[${shape.join(',')}],"datatype":"${spec.datatype}"`;
    if (!binary[index]) return `${head},"data":[${joinValues(spec.datatype, data)}]}`;
    const bytes = writeTensor(spec.datatype as Datatype, data); // a version with others is not loaded
    tensors.push(bytes);
    return `${head},"parameters":{"binary_data_size":${bytes.length}}}`;
  });
  const parameters = { variant, prediction_ids: predictionIds.join(',') };
  const header = Buffer.from(
    `{"model_name":${JSON.stringify(model)},"model_version":"${version}","id":${JSON.stringify(id)},"parameters":${JSON.stringify(parameters)},"outputs":[${described.join(',')}]}`,
  );
  return { body: Buffer.concat([header, ...tensors]), headerLength: header.length };
}

function writeTensor(datatype: Datatype, data: TensorData): Buffer {
  if (datatype !== 'BYTES') {
    const { buffer, byteOffset, byteLength } = data as NumericArray; // every other type has an array
    return Buffer.from(buffer, byteOffset, byteLength);
  }
  return Buffer.concat(
    (data as readonly string[]).map((value) => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}
