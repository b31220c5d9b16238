/** The files a source means, below the project's folder and nowhere else. */
import { glob, lstat, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PlatformError } from '../errors.ts';

export type SourceFile = {
  readonly path: string;
  /** As it stands in the tree: relative to the source's folder, with `/`. */
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
};

/**
 * @param pattern a file, a folder (everything below it, without hidden files) or a glob
 * @returns sorted by name; the root is the folder that names are relative to
 * @throws PlatformError `datasets/link-refused` for links and devices: what they point to could change under the version, or lie outside
 */
export async function listSource(
  folder: string,
  pattern: string,
): Promise<{ root: string; files: readonly SourceFile[] }> {
  const base = await realpath(folder);
  const found = await lstat(join(base, pattern)).catch(() => undefined);
  const root = found?.isDirectory() ? join(base, pattern) : found ? join(base, pattern, '..') : globRoot(base, pattern);
  const files: SourceFile[] = [];
  if (found && !found.isDirectory()) files.push(await sourceFile(root, join(base, pattern)));
  else {
    const matches = found
      ? glob('**', { cwd: root, withFileTypes: true })
      : glob(pattern, { cwd: base, withFileTypes: true });
    for await (const entry of matches) {
      if (entry.isDirectory()) continue;
      const path = join(entry.parentPath, entry.name);
      if (
        relative(root, path)
          .split(sep)
          .some((part) => part.startsWith('.'))
      )
        continue;
      files.push(await sourceFile(root, path));
    }
  }
  if (files.length === 0) {
    throw new PlatformError('datasets/no-files', pattern, {
      hint: `The path is relative to the project folder ${folder}.`,
    });
  }
  // A link among the folders on the way would lead out as well as one at the end.
  for (const parent of new Set(files.map(({ path }) => join(path, '..')))) {
    if ((await realpath(parent)) !== parent) throw new PlatformError('datasets/link-refused', relative(base, parent));
  }
  return { root, files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

async function sourceFile(root: string, path: string): Promise<SourceFile> {
  const { size, mtimeMs, ino, ...stat } = await lstat(path).then((facts) => ({
    size: facts.size,
    mtimeMs: facts.mtimeMs,
    ino: facts.ino,
    isFile: facts.isFile(),
  }));
  if (!stat.isFile) throw new PlatformError('datasets/link-refused', path);
  return { path, name: relative(root, path).split(sep).join('/'), size, mtimeMs, ino };
}

/** The part of a glob before its first magic character. */
function globRoot(base: string, pattern: string): string {
  const parts = pattern.split('/');
  const magic = parts.findIndex((part) => /[*?[\]{}!()]/.test(part));
  return join(base, ...parts.slice(0, magic === -1 ? parts.length : magic));
}
