/** `last-server.json` in the data folder: where its last server kept things, for commands that open the folder without one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { PlatformError } from '../errors.ts';
import { writeJsonFile } from './write-json-file.ts';

const schema = Type.Object({
  artifactsDestination: Type.Optional(Type.String()),
  defaultArtifactRoot: Type.Optional(Type.String()),
  database: Type.Optional(Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')])),
});
export type LastServer = Type.Static<typeof schema>;

export const writeLastServer = (
  folder: string,
  server: { readonly [name in keyof LastServer]: LastServer[name] | undefined },
): Promise<void> => writeJsonFile(pathIn(folder), server);

/** @returns nothing where no server ever ran  @throws PlatformError storage/unreadable-file: to guess would be to miss artifacts */
export async function readLastServer(folder: string): Promise<LastServer> {
  try {
    return Value.Parse(schema, JSON.parse(await readFile(pathIn(folder), 'utf8')));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {};
    throw new PlatformError('storage/unreadable-file', pathIn(folder), { cause });
  }
}

const pathIn = (folder: string): string => join(folder, 'last-server.json');
