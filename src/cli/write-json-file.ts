import { open, rename, rm } from 'node:fs/promises';

/** Written beside and moved into place, so that nobody reads half of it; readable by its owner only, from the first byte. */
export async function writeJsonFile(path: string, content: unknown): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content)}\n`);
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
