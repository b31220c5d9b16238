/** Projects over HTTP: link a folder, see what its file says, complete it in an editor. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { linkProject } from './link-project.ts';
import type { LinkedProject } from './project.ts';
import { parseProject } from './project-file.ts';
import { readProjectFile } from './project-file-adapter.ts';
import { type ProjectConfig, projectSchema } from './project-schema.ts';
import { projectStore } from './project-store.ts';

export type ProjectRoutesDeps = {
  readonly database: Database;
  readonly now: () => number;
  /** After a link or a change: endpoints, monitors and policies take up what the file says. */
  readonly afterwards: (project: string, config: ProjectConfig) => Promise<void>;
};

const params = Type.Object({ project: Type.String({ minLength: 1, maxLength: 100 }) });
const view = Type.Object({
  name: Type.String(),
  folder: Type.String(),
  digest: Type.String(),
  linkedAt: Type.Integer(),
  changedAt: Type.Integer(),
  config: Type.Unknown(),
  problem: Type.Optional(
    Type.String({ description: 'Why its file cannot be read now; what it last said still holds.' }),
  ),
});

export const projectRoutes =
  ({ database, now, afterwards }: ProjectRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/schema/rondo.json',
      {
        config: { permission: 'public' },
        schema: {
          tags: ['projects'],
          summary: 'The JSON Schema of rondo.yaml',
          response: { 200: Type.Object({}, { additionalProperties: true, description: 'A JSON Schema' }) },
        },
      },
      async () => projectSchema,
    );

    app.get(
      '/api/v1/projects',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['projects'],
          summary: 'List linked projects',
          response: { 200: Type.Object({ items: Type.Array(view) }) },
        },
      },
      async () => ({ items: await Promise.all((await projectStore(database.read).list()).map(viewNow)) }),
    );

    app.get(
      '/api/v1/projects/:project',
      {
        config: { permission: 'read' },
        schema: { tags: ['projects'], summary: 'One project and its configuration', params, response: { 200: view } },
      },
      async (request) => {
        const project = await projectStore(database.read).find(request.params.project);
        if (!project)
          throw new PlatformError('lifecycle/project-not-found', request.params.project, {
            hint: 'link its folder first: rondo up, or rondo run, in it',
          });
        return viewNow(project);
      },
    );

    app.put(
      '/api/v1/projects/:project',
      {
        // Linking lets the folder's commands run on the server's machine.
        config: { permission: 'admin' },
        schema: {
          tags: ['projects'],
          summary: 'Link a folder, or take up what changed in its rondo.yaml',
          params,
          body: Type.Object({ folder: Type.String({ minLength: 1, maxLength: 4096 }) }),
          response: { 200: view },
        },
      },
      async (request) => {
        const { folder, text } = await readProjectFile(request.body.folder);
        const linked = await database.write((tx) =>
          linkProject(
            { projects: projectStore(tx), events: eventStore(tx), now },
            { name: request.params.project, folder, text, actor: request.actor },
          ),
        );
        if (linked.changed) await afterwards(linked.project.name, linked.config);
        return viewOf(linked.project);
      },
    );
  };

async function viewNow(project: LinkedProject) {
  const problem = await problemOf(project);
  return { ...viewOf(project), ...(problem !== undefined && { problem }) };
}

async function problemOf({ name, folder }: LinkedProject): Promise<string | undefined> {
  try {
    const { config } = parseProject((await readProjectFile(folder)).text);
    return config.project === name ? undefined : `Its rondo.yaml is of the project ${config.project} now.`;
  } catch (error) {
    if (error instanceof PlatformError) return error.message;
    throw error;
  }
}

const viewOf = ({ name, folder, file, digest, linkedAt, changedAt }: LinkedProject) => ({
  name,
  folder,
  digest,
  linkedAt,
  changedAt,
  config: parseProject(file).config,
});
