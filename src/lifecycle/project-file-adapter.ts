/** rondo.yaml in the folder of a project. */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { projectFileName } from './project.ts';

export type ProjectFile = { readonly folder: string; readonly text: string };

/** @returns the folder without links in it, and the file's text  @throws PlatformError lifecycle/no-project-file */
export async function readProjectFile(folder: string): Promise<ProjectFile> {
  try {
    const real = await realpath(folder);
    return { folder: real, text: await readFile(join(real, projectFileName), 'utf8') };
  } catch (cause) {
    throw new PlatformError('lifecycle/no-project-file', folder, { cause, hint: 'rondo init writes one' });
  }
}
