/** The files a source means, below the project's folder and nowhere else. Worker process only: it walks without giving way. */
import { globSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { PlatformError } from '../errors.ts';

export type SourceFile = {
  readonly path: string;
  /** As it stands in the tree: relative to the source's folder, with `/`. */
  readonly name: string;
  readonly size: number;
  readonly ino: number;
  /** Of the last change to content or metadata; unlike the time of modification it cannot be set back. */
  readonly ctimeMs: number;
};

/**
 * @param pattern a file, a folder (everything below it, without hidden files) or a glob
 * @returns sorted by name; the root is the folder that names are relative to
 * @throws PlatformError `datasets/link-refused` for links and devices: what they point to could change under the version, or lie outside
 */
export function listSource(
  folder: string,
  pattern: string,
): { readonly root: string; readonly files: readonly SourceFile[] } {
  const base = realpathSync(folder);
  const found = lstatSync(join(base, pattern), { throwIfNoEntry: false });
  const root = found?.isDirectory()
    ? join(base, pattern)
    : found
      ? dirname(join(base, pattern))
      : globRoot(base, pattern);
  const paths = found?.isDirectory() ? below(root) : found ? [join(base, pattern)] : globbed(base, pattern);
  const files = paths.map((path) => sourceFile(root, path)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (files.length === 0) {
    throw new PlatformError('datasets/no-files', pattern, {
      hint: `The path is relative to the project folder ${folder}.`,
    });
  }
  // A link among the folders on the way would lead out as well as one at the end.
  for (const parent of new Set(files.map(({ path }) => dirname(path)))) {
    if (realpathSync(parent) !== parent) throw new PlatformError('datasets/link-refused', relative(base, parent));
  }
  return { root, files };
}

function below(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? below(path) : [path];
  });
}

function globbed(base: string, pattern: string): readonly string[] {
  return globSync(pattern, { cwd: base, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !relative(base, path)
          .split(sep)
          .some((part) => part.startsWith('.')),
    );
}

function sourceFile(root: string, path: string): SourceFile {
  const facts = lstatSync(path);
  if (!facts.isFile()) throw new PlatformError('datasets/link-refused', path);
  const { size, ino, ctimeMs } = facts;
  return { path, name: path.slice(root.length + 1).replaceAll(sep, '/'), size, ino, ctimeMs };
}

/** The part of a glob before its first magic character. */
function globRoot(base: string, pattern: string): string {
  const parts = pattern.split('/');
  const magic = parts.findIndex((part) => /[*?[\]{}!()]/.test(part));
  return join(base, ...parts.slice(0, magic === -1 ? parts.length : magic));
}
