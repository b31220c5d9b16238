/** Checkpoints as files, to be copied off the machine: what is outside shows what was changed inside. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../storage/blob-store.ts';
import { syncFolder } from '../storage/sync-folder.ts';

export type CheckpointFolder = Awaited<ReturnType<typeof openCheckpointFolder>>;

/** `checkpoint` is the newest; beside it the last of each day, and `verifier-key`, which checks them. */
export async function openCheckpointFolder(folder: string) {
  await mkdir(folder, { recursive: true });
  return {
    newest: () => read(join(folder, newestName)),
    /** @param at the time of the checkpoint, milliseconds */
    write: async (note: string, at: number): Promise<void> => {
      const day = new Date(at).toISOString().slice(0, 10);
      await replace(folder, `${day}.${newestName}`, note);
      await replace(folder, newestName, note);
    },
    writeVerifierKey: async (key: string): Promise<void> => {
      if ((await read(join(folder, keyName))) !== `${key}\n`) await replace(folder, keyName, `${key}\n`);
    },
  };
}

/** All checkpoints and verifier keys in a folder, by file name: this one, or a copy that was kept elsewhere. */
export async function readCheckpointFolder(folder: string): Promise<{ notes: Map<string, string>; keys: string[] }> {
  const notes = new Map<string, string>();
  const keys: string[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    const text = (await read(join(folder, name))) ?? '';
    if (name === newestName || name.endsWith(`.${newestName}`)) notes.set(name, text);
    if (name === keyName) keys.push(text.trim());
  }
  return { notes, keys };
}

const newestName = 'checkpoint';
const keyName = 'verifier-key';

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function replace(folder: string, name: string, text: string): Promise<void> {
  const incoming = join(folder, `.${name}.${randomUUID()}`);
  {
    await using file = await open(incoming, 'wx');
    await file.writeFile(text);
    await file.sync();
  }
  await rename(incoming, join(folder, name));
  await syncFolder(folder);
}
