/** A file's new name is durable only when its folder is. */
import { open } from 'node:fs/promises';
import { platform } from 'node:os';

export async function syncFolder(folder: string): Promise<void> {
  if (platform() === 'win32') return; // has no handles of folders; NTFS journals names
  await using handle = await open(folder, 'r');
  await handle.sync();
}
