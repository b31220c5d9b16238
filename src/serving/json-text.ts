/** Request bodies: parsed plainly, and once more with long integers kept when one was met. */
import { isUtf8 } from 'node:buffer';
import { withBinaryInputs } from './binary-tensors.ts';
import { bad } from './open-inference.ts';

export type JsonText = { readonly value: unknown; readonly exact: () => unknown };

/** Depth is no danger here: parsing keeps no stack, and nothing walks deeper than the shape of a tensor. */
export function parseJsonText(bytes: Buffer): JsonText {
  if (!isUtf8(bytes)) throw bad('the body is not UTF-8');
  const text = bytes.toString('utf8');
  try {
    return { value: JSON.parse(text), exact: () => JSON.parse(text, keepIntegers) };
  } catch (cause) {
    throw bad(`the body is not JSON that can be read: ${cause instanceof Error ? cause.message : cause}`);
  }
}

/** JSON with tensors behind it. @param header `Inference-Header-Content-Length`: how much of the body is JSON */
export function parseBinaryBody(bytes: Buffer, header: string | undefined): JsonText {
  const length = header === undefined ? bytes.length : /^\d{1,9}$/.test(header) ? Number(header) : -1;
  if (length < 1 || length > bytes.length) {
    throw bad(`Inference-Header-Content-Length must be the length of the JSON, 1 to ${bytes.length}`);
  }
  const { value, exact } = parseJsonText(bytes.subarray(0, length));
  const binary = bytes.subarray(length);
  return { value: withBinaryInputs(value, binary), exact: () => withBinaryInputs(exact(), binary) };
}

/** 9007199254740993 is no number in JavaScript: its digits are. Costs eight times a plain parse. */
function keepIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return /^-?\d{1,40}$/.test(source) ? BigInt(source) : value;
}
