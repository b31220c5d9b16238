/** JSON as MLflow speaks it: 64-bit integers are exact numbers, NaN and infinities are strings. */
import type { Int64 } from '../storage/int64.ts';

/**
 * Integers that a double cannot hold come out as bigints. The careful way costs eight times as much, so it is taken only where a
 * whole number of 16 or more digits stands in the text: most fractions have as many digits, and need no care.
 */
export function parseJson(text: string): unknown {
  if (!/[[:,\s]-?\d{16,}(?![\d.eE])/.test(text)) return JSON.parse(text);
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source;
    const unsafe = typeof value === 'number' && !Number.isSafeInteger(value);
    return unsafe && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, exact);
}

/** A 64-bit integer as a JSON number with all its digits. */
export const int64 = (value: Int64): unknown => (typeof value === 'bigint' ? rawJson(String(value)) : value);

/** A double as protobuf's JSON has it. */
export const double = (value: number): number | string => (Number.isFinite(value) ? value : doubleText(value));

/** JSON with the spaces of Python's `json.dumps`: in tags, clients compare it as text. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pythonJson(one)}`);
  return `{${members.join(', ')}}`;
}

const doubleText = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity');

type WithRawJson = typeof JSON & { rawJSON(text: string): unknown };
const { rawJSON: rawJson } = JSON as WithRawJson; // in the language since ES2025, not yet in TypeScript's library
