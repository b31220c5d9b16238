/** `server.json` in the data folder: how the commands of the same user find the server that runs on it. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const schema = Type.Object({
  url: Type.String(),
  pid: Type.Integer({ minimum: 1 }),
  token: Type.String(),
  startedAt: Type.Integer(),
});
export type ServerFile = Type.Static<typeof schema>;

/** Written beside and moved into place, so that nobody reads half of it; readable by its owner only, from the first byte. */
export async function writeServerFile(folder: string, content: ServerFile): Promise<AsyncDisposable> {
  const path = join(folder, 'server.json');
  const draft = `${path}.${content.pid}`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content)}\n`);
  } finally {
    await file.close();
  }
  await rename(draft, path);
  return {
    [Symbol.asyncDispose]: async () => {
      // Another server may have taken over since.
      if ((await readServerFile(folder))?.pid === content.pid) await rm(path, { force: true });
    },
  };
}

/** `undefined` when there is none, or none of a process that still runs. */
export async function readServerFile(folder: string): Promise<ServerFile | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(join(folder, 'server.json'), 'utf8'));
    return Value.Check(schema, content) && isAlive(content.pid) ? content : undefined;
  } catch {
    return undefined; // absent, or half-written by something that is not us: the same as no server
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
