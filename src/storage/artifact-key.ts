/** Which keys an artifact may have: relative paths that mean the same everywhere. */
import { PlatformError } from '../errors.ts';

/**
 * Refuses what some system reads as something else: empty, `.` and `..` segments, backslashes, drive letters, control
 * characters, half surrogate pairs, names that Windows changes or that file systems cannot hold. Nothing is decoded or cleaned up: the
 * key that was checked is the key that is used.
 * @throws PlatformError storage/bad-key
 */
export function checkKey(key: string): void {
  const segments = key.split('/');
  const isGood = key.isWellFormed() && Buffer.byteLength(key) <= 4096 && segments.every(isGoodSegment);
  if (isGood) return;
  throw new PlatformError('storage/bad-key', JSON.stringify(key), {
    hint: 'Use names separated by single slashes, without "..", backslashes or control characters.',
  });
}

/** The key of a folder: '' is the root. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix);
}

export function isGoodSegment(segment: string): boolean {
  if (segment === '' || segment === '.' || segment === '..') return false;
  if (Buffer.byteLength(segment) > 255) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\\\u0000-\u001f\u007f]/.test(segment) || /^[A-Za-z]:/.test(segment)) return false;
  return !segment.startsWith(ownPrefix);
}

/** Names that start like this are ours: files that are still being written. */
export const ownPrefix = '.rondo-';
