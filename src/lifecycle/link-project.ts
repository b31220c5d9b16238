/** Links a folder to this server, or takes up what changed in its rondo.yaml. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { type LinkedProject, projectSubject } from './project.ts';
import { parseProject } from './project-file.ts';
import type { ProjectConfig } from './project-schema.ts';
import type { ProjectStore } from './project-store.ts';

export type LinkProjectDeps = {
  readonly projects: ProjectStore;
  readonly events: EventStore;
  readonly now: () => number;
};

export type ProjectLink = {
  /** The name that the caller means; the file must agree. */
  readonly name: string;
  readonly folder: string;
  readonly text: string;
  readonly actor: string;
};

/** @throws PlatformError lifecycle/invalid-project, lifecycle/wrong-project-name */
export async function linkProject(
  { projects, events, now }: LinkProjectDeps,
  { name, folder, text, actor }: ProjectLink,
): Promise<{ readonly project: LinkedProject; readonly config: ProjectConfig; readonly changed: boolean }> {
  const { config, digest } = parseProject(text);
  if (config.project !== name) {
    throw new PlatformError('lifecycle/wrong-project-name', config.project, {
      hint: `link it as ${config.project}, or change "project:" in the file`,
    });
  }
  const before = await projects.find(name);
  const at = now();
  if (before?.folder === folder && before.digest === digest) return { project: before, config, changed: false };
  const project: LinkedProject = { name, folder, file: text, digest, linkedAt: before?.linkedAt ?? at, changedAt: at };
  await projects.save(project);
  await events.append({
    type: before ? 'lifecycle.project-changed' : 'lifecycle.project-linked',
    project: name,
    subject: projectSubject(name),
    actor,
    at,
    data: { folder, digest, ...(before && { before: before.digest }) },
  });
  return { project, config, changed: true };
}
