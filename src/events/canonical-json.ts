/** RFC 8785: one text for one value, so that its hash means the value. */
import type { Json } from './event.ts';

/** @throws TypeError for what JSON cannot say: NaN, infinities, half of a surrogate pair */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (typeof value === 'string') return canonicalString(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  // sort() without an argument compares UTF-16 code units, which is the order of RFC 8785 §3.2.3.
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${canonicalString(key)}:${canonicalJson(value[key]!)}`);
  return `{${fields.join(',')}}`;
}

/** Array.isArray does not narrow readonly arrays. */
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** RFC 8785 takes over ECMAScript's own way to write numbers. */
function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`);
  return JSON.stringify(value);
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('JSON text holds half of a surrogate pair');
  return JSON.stringify(value);
}
