/** What a project's rondo.yaml says now: read anew on every use, so that nobody has to tell the server about an edit. */
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { linkProject } from './link-project.ts';
import { readProjectFile } from './project-file-adapter.ts';
import type { ProjectConfig } from './project-schema.ts';
import { projectStore } from './project-store.ts';

export type CurrentProject = {
  readonly name: string;
  readonly folder: string;
  readonly config: ProjectConfig;
  readonly digest: string;
};

/** @throws PlatformError lifecycle/project-not-found, lifecycle/no-project-file, lifecycle/invalid-project */
export type ReadCurrentProject = (name: string) => Promise<CurrentProject>;

type Deps = {
  readonly database: Database;
  readonly now: () => number;
  /** Endpoints and monitors take up what changed. */
  readonly afterwards: (project: string, config: ProjectConfig) => Promise<void>;
};

export function currentProjects({ database, now, afterwards }: Deps): ReadCurrentProject {
  return async (name) => {
    const linked = await projectStore(database.read).find(name);
    if (!linked) {
      throw new PlatformError('lifecycle/project-not-found', name, {
        hint: 'link its folder first: `rondo up` in it does',
      });
    }
    const { folder, text } = await readProjectFile(linked.folder);
    const { project, config, changed } = await database.write((tx) =>
      linkProject(
        { projects: projectStore(tx), events: eventStore(tx), now },
        { name, folder, text, actor: 'rule:project-file' },
      ),
    );
    if (changed) await afterwards(name, config);
    return { name, folder, config, digest: project.digest };
  };
}
