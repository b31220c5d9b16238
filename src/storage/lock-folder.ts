/** One process for each data folder. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PlatformError } from '../errors.ts';

/**
 * Holds the folder until it is closed, or until the process ends in whatever way: the lock is the kernel's own, taken through SQLite on a
 * file of its own, so nothing stale is left behind and a process id that comes back (every container's is 1) misleads nobody.
 * @throws PlatformError storage/folder-in-use, which names the process that has it
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true });
  const holder = join(folder, 'lock.pid');
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    const pid = await readFile(holder, 'utf8').catch(() => 'unknown');
    throw new PlatformError('storage/folder-in-use', folder, {
      message: `The data folder ${folder} is in use by process ${pid.trim()}.`,
      hint: 'Stop that process, or give this one another folder with --data.',
      cause,
    });
  }
  await writeFile(holder, `${process.pid}\n`);
  return {
    [Symbol.asyncDispose]: async () => {
      await rm(holder, { force: true });
      lock.close();
    },
  };
}
