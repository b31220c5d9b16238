/** What keys and values may look like, with the messages that MLflow's clients print. */
import { PlatformError } from '../errors.ts';

export type Tag = { readonly key: string; readonly value: string };
export type Param = { readonly key: string; readonly value: string };

export const maxKeyLength = 250;
export const maxParamLength = 6000;
export const maxTagLength = 8000;

export const invalid = (subject: string, message: string): PlatformError =>
  new PlatformError('tracking/invalid', subject, { message });

/** `Invalid value <json> for parameter '<path>' supplied[: why]`, as MLflow says it. */
export function invalidValue(path: string, value: unknown, why?: string): PlatformError {
  const shown = typeof value === 'bigint' ? String(value) : asciiJson(value);
  return invalid(path, `Invalid value ${shown} for parameter '${path}' supplied${why ? `: ${why}` : '.'}`);
}

export function validateLength(entity: string, limit: number, value: string): void {
  if (lengthOf(value) > limit) throw invalid(entity, `'${entity}' exceeds the maximum length of ${limit} characters`);
}

/** Cuts to `limit` characters, and never through a surrogate pair. */
export function truncate(value: string, limit: number): string {
  return value.length <= limit || lengthOf(value) <= limit ? value : [...value].slice(0, limit).join('');
}

/** Keys of metrics, params and tags; `place` is where the key stands in the request. */
export function validateKey(key: string, place: () => string): void {
  if (/^[\w\- :]+$/.test(key)) return; // nearly all: nothing that could be a path
  // Word characters are Python's: any letter or digit of any script.
  if (!/^[/\p{L}\p{N}_.\- :]*$/u.test(key)) {
    throw invalidValue(
      place(),
      key,
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).',
    );
  }
  const normal = normalPath(key);
  if (normal !== key || normal === '.' || normal.startsWith('..') || normal.startsWith('/')) {
    const why =
      'Names may be treated as files in certain cases, and must not resolve to other names when treated as such.' +
      ` This name would resolve to ${pythonString(normal)}`;
    throw invalidValue(place(), key, why);
  }
}

/** A param as it is kept: its key checked, its value cut to what fits. */
export function validParam({ key, value }: Param, path = ''): Param {
  validateKey(key, () => append(path, 'key'));
  validateLength('Param key', maxKeyLength, key);
  return { key, value: truncate(value, maxParamLength) };
}

/** A run's tag as it is kept: its key checked, its value cut to what fits. */
export function validTag({ key, value }: Tag, path = ''): Tag {
  validateKey(key, () => append(path, 'key'));
  validateLength(append(path, 'key'), maxKeyLength, key);
  return { key, value: truncate(value, maxTagLength) };
}

export function validateTag({ key, value }: Tag, maxValueLength: number): void {
  validateKey(key, () => 'key');
  validateLength('key', maxKeyLength, key);
  validateLength('value', maxValueLength, value);
}

/**
 * By key, one of a key, the last. Rows are locked in the order in which they are written: two callers with the same keys in different
 * orders would wait for each other.
 */
export const inLockOrder = <T extends { readonly key: string }>(items: readonly T[]): readonly T[] =>
  [...new Map(items.map((item) => [item.key, item])).values()].sort((a, b) =>
    a.key < b.key ? -1 : a.key > b.key ? 1 : 0,
  );

export const append = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** Text as Python's repr() shows it. */
export const pythonString = (text: string): string => {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
};

/** Python counts code points, JavaScript UTF-16 units; they differ only where surrogates are. */
export function lengthOf(value: string): number {
  if (!/[\ud800-\udfff]/.test(value)) return value.length;
  let count = 0;
  for (const _ of value) count++;
  return count;
}

/** Python's posixpath.normpath. */
function normalPath(path: string): string {
  if (path === '') return '.';
  const slashes = path.startsWith('//') && !path.startsWith('///') ? '//' : path.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || (slashes === '' && parts.length === 0) || parts.at(-1) === '..') parts.push(part);
    else parts.pop();
  }
  return slashes + parts.join('/') || '.';
}

const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
