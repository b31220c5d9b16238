/** Which project something belongs to that was made by a client without a word for projects. */
import { invalid, type Tag } from './names.ts';

/** Experiments and models with this tag belong to the project that it names, all others of MLflow's clients to `default`. */
export const projectTag = 'rondo.project';

export const defaultProject = 'default';

/** @returns undefined without the tag  @throws PlatformError `tracking/invalid` for what is no name of a project */
export function taggedProject(tags: readonly Tag[]): string | undefined {
  const project = tags.findLast(({ key }) => key === projectTag)?.value;
  if (project === undefined || /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/.test(project)) return project;
  throw invalid(
    projectTag,
    `Invalid value for tag '${projectTag}': a project's name has letters, digits, dots, dashes and underscores, at most 100.`,
  );
}
