/** Request bodies: parsed plainly, and once more with long integers kept when one was met. */
import { isUtf8 } from 'node:buffer';
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

/** 9007199254740993 is no number in JavaScript: its digits are. Costs eight times a plain parse. */
function keepIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return /^-?\d{1,40}$/.test(source) ? BigInt(source) : value;
}
