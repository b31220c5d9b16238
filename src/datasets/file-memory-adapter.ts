/** Which chunks a file had when it was last read, so that adding a folder again reads only what is new. Worker process only. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeDurably } from './chunk-store-adapter.ts';
import type { SourceFile } from './source-adapter.ts';

export interface FileMemory {
  /** The chunks of a file that is certainly the same as when it was learnt. */
  recall(file: SourceFile): readonly string[] | undefined;
  learn(file: SourceFile, chunks: readonly string[]): void;
  /** Writes down what was learnt. */
  save(): Promise<void>;
}

type Seen = Readonly<Record<string, readonly [size: number, ino: number, ctimeMs: number, chunks: readonly string[]]>>;

/** A file system's clock may be this coarse: a file changed twice within it looks unchanged the second time. */
const racyMs = 2_000;

/** @param root the folder that is added @param has whether a chunk is still kept */
export async function openFileMemory(
  folder: string,
  { root, has, now }: { root: string; has: (chunk: string) => boolean; now: () => number },
): Promise<FileMemory> {
  const path = join(folder, 'seen', `${createHash('sha256').update(root).digest('hex')}.json`);
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const seen: Seen = JSON.parse(text);
  const fresh: Record<string, Seen[string]> = {};
  let learnt = false;
  return {
    recall({ name, size, ino, ctimeMs }) {
      const known = Object.hasOwn(seen, name) ? seen[name] : undefined;
      if (!known || known[0] !== size || known[1] !== ino || known[2] !== ctimeMs || !known[3].every(has))
        return undefined;
      fresh[name] = known;
      return known[3];
    },
    learn({ name, size, ino, ctimeMs }, chunks) {
      if (now() - ctimeMs < racyMs) return;
      fresh[name] = [size, ino, ctimeMs, chunks];
      learnt = true;
    },
    async save() {
      if (!learnt) return;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeDurably(path, JSON.stringify({ ...seen, ...fresh }));
    },
  };
}
