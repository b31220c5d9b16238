/** The project that a command is about: named, or the one whose folder it is called in. */

import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';

export type ProjectFolder = { readonly name: string; readonly folder: string };

/** The nearest rondo.yaml from `cwd` upwards. @throws PlatformError lifecycle/invalid-project */
export async function findProject(cwd: string): Promise<ProjectFolder | undefined> {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const isThere = await access(join(folder, 'rondo.yaml')).then(
      () => true,
      () => false,
    );
    if (isThere) {
      const [{ parseProject }, { readProjectFile }] = await Promise.all([
        import('../lifecycle/project-file.ts'),
        import('../lifecycle/project-file-adapter.ts'),
      ]);
      const file = await readProjectFile(folder);
      return { name: parseProject(file.text).config.project, folder: file.folder };
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** @param named the `--project` option  @throws PlatformError cli/usage when there is neither */
export async function projectName(cwd: string, named: string | undefined): Promise<string> {
  const name = named ?? (await findProject(cwd))?.name;
  if (name === undefined) {
    throw new PlatformError('cli/usage', '--project', {
      message: 'Which project? There is no rondo.yaml in this folder or above it.',
      hint: 'go to the project, name it with --project, or write a rondo.yaml with `rondo init`',
    });
  }
  return name;
}

/** Lets the server take up what stands in the folder's rondo.yaml. */
export async function linkProject(api: ApiClient, { name, folder }: ProjectFolder): Promise<void> {
  await api.call('PUT', path`/api/v1/projects/${name}`, { body: { folder } });
}

/** The project's name, with the folder linked when the command is called in it. */
export async function linkedProject(api: ApiClient, cwd: string, named: string | undefined): Promise<string> {
  const here = await findProject(cwd);
  if (here && (named === undefined || named === here.name)) await linkProject(api, here);
  return named ?? (await projectName(cwd, here?.name));
}
