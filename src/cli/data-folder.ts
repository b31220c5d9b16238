/** The data folder: there, writable, and of this process alone. */
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../errors.ts';

/**
 * Holds the folder until disposed. The lock is the kernel's, through SQLite: it goes with the process however that ends, where a
 * file with a pid would stay behind.
 * @throws PlatformError storage/cannot-open, storage/folder-in-use
 */
export async function openDataFolder(folder: string): Promise<AsyncDisposable> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new PlatformError('storage/cannot-open', folder, {
      cause,
      message: `The data folder ${folder} cannot be written.`,
      hint: 'take another folder with --data, or make this one yours: chown -R "$USER"',
    });
  }
  const { DatabaseSync } = await import('node:sqlite');
  const lock = new DatabaseSync(join(folder, 'lock'));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new PlatformError('storage/folder-in-use', folder, { cause });
  }
  return { [Symbol.asyncDispose]: async () => lock.close() };
}

/** Level by level: `recursive` never returns where the system refuses with ENOENT, as below /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || (await exists(dirname(folder)))) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 });
  }
}

async function exists(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}
