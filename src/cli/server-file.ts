/** `server.json` in the data folder: how the commands of the same user find the server that runs on it. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { writeJsonFile } from './write-json-file.ts';

const schema = Type.Object({
  url: Type.String(),
  pid: Type.Integer({ minimum: 1 }),
  token: Type.String(),
  startedAt: Type.Integer(),
});
export type ServerFile = Type.Static<typeof schema>;

/** Removed again when it is disposed of. */
export async function writeServerFile(folder: string, content: ServerFile): Promise<AsyncDisposable> {
  const path = join(folder, 'server.json');
  await writeJsonFile(path, content);
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
