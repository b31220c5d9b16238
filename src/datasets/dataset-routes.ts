import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { itemsOf, operationStarted, pageOf } from '../http/view.ts';
import type { Jobs } from '../jobs/start-jobs.ts';
import type { Database } from '../storage/database.ts';
import type { AddInput } from './add-source-adapter.ts';
import { Check, type DataConfig, type DatasetConfig, datasetName } from './data-config.ts';
import type { DatasetVersion } from './dataset.ts';
import { datasetStore } from './dataset-store.ts';
import {
  datasetDiffView,
  datasetVersionInListView,
  datasetVersionView,
  datasetView,
  fileView,
} from './dataset-view.ts';
import { diffVersions } from './diff-versions.ts';
import { readTree } from './tree-adapter.ts';

/** The folder of a linked project and what its rondo.yaml says now. Supplied by lifecycle. @throws when there is no such project */
export type ReadProjectData = (project: string) => Promise<{ readonly folder: string; readonly data: DataConfig }>;

type Deps = {
  readonly database: Database;
  readonly jobs: Pick<Jobs, 'submit'>;
  readonly readProject: ReadProjectData;
  /** The datasets' folder, for trees. */
  readonly folder: string;
};

const projectParams = { project: Type.String() };
const params = Type.Object({ ...projectParams, name: Type.String({ pattern: datasetName }) });
const version = Type.Integer({ minimum: 1 });
const operation = { 202: operationStarted };
const tags = ['datasets'];

export const datasetRoutes =
  ({ database, jobs, readProject, folder }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const store = datasetStore(database.read);

    app.get(
      '/api/v1/projects/:project/datasets',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List the datasets of a project',
          params: Type.Object(projectParams),
          response: { 200: itemsOf(datasetView) },
        },
      },
      async ({ params: { project } }) => ({ items: await store.list(project) }),
    );

    app.post(
      '/api/v1/projects/:project/datasets/:name/versions',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary:
            'Add a version: checked, profiled and stored by the worker; source and checks come from rondo.yaml when not given',
          params,
          body: Type.Object(
            { source: Type.Optional(Type.String({ minLength: 1 })), checks: Type.Optional(Type.Array(Check)) },
            { additionalProperties: false },
          ),
          response: operation,
        },
      },
      async ({ params: { project, name }, body, actor }, reply) => {
        const input = await addInput(project, name, body);
        const job = await jobs.submit({ kind: 'datasets.add', input, project, actor });
        return reply.code(202).send({ operation: job.id });
      },
    );

    app.post(
      '/api/v1/projects/:project/datasets/:name/infer',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Suggest checks from the data; the result has them as a list and as the block for rondo.yaml',
          params,
          body: Type.Object({ source: Type.Optional(Type.String({ minLength: 1 })) }, { additionalProperties: false }),
          response: operation,
        },
      },
      async ({ params: { project, name }, body, actor }, reply) => {
        const input = await addInput(project, name, { ...body, checks: [] });
        const job = await jobs.submit({ kind: 'datasets.infer', input, project, actor });
        return reply.code(202).send({ operation: job.id });
      },
    );

    app.get(
      '/api/v1/projects/:project/datasets/:name/versions',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List versions, newest first',
          params,
          querystring: Type.Object({
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
            cursor: Type.Optional(Type.Integer({ minimum: 1 })),
          }),
          response: { 200: pageOf(datasetVersionInListView) },
        },
      },
      async ({ params, query: { limit, cursor } }) => {
        if (!(await store.find(params))) throw new PlatformError('datasets/not-found', params.name);
        const found = await store.listVersions(params, {
          limit: limit + 1,
          ...(cursor !== undefined && { before: cursor }),
        });
        const items = found.slice(0, limit);
        const last = items.at(-1);
        return {
          // A list is for choosing; the profile of each would be most of its bytes.
          items: items.map(({ profile: _profile, ...rest }) => rest),
          ...(found.length > limit && last && { next: String(last.version) }),
        };
      },
    );

    app.get(
      '/api/v1/projects/:project/datasets/:name/versions/:version',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'One version with schema, profile and check results',
          params: Type.Object({ ...params.properties, version }),
          response: { 200: datasetVersionView },
        },
      },
      async ({ params: { version, ...key } }) => findVersion(key, version),
    );

    app.get(
      '/api/v1/projects/:project/datasets/:name/versions/:version/files',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'The files of a version',
          params: Type.Object({ ...params.properties, version }),
          response: { 200: itemsOf(fileView) },
        },
      },
      async ({ params: { version, ...key } }) => {
        const { root } = await findVersion(key, version);
        const entries = await readTree(folder, root);
        return {
          items: entries.map(({ path, size, digest, chunks }) => ({ path, size, digest, chunks: chunks.length })),
        };
      },
    );

    app.get(
      '/api/v1/projects/:project/datasets/:name/diff',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'What changed from one version to another',
          params,
          querystring: Type.Object({ from: version, to: version }),
          response: { 200: datasetDiffView },
        },
      },
      async ({ params, query: { from, to } }) => {
        const side = async (number: number) => {
          const found = await findVersion(params, number);
          return { version: found, tree: await readTree(folder, found.root) };
        };
        return diffVersions(await side(from), await side(to));
      },
    );

    async function findVersion(key: { project: string; name: string }, number: number): Promise<DatasetVersion> {
      const found = await store.findVersion(key, number);
      if (!found) throw new PlatformError('datasets/version-not-found', `${key.name}@${number}`);
      return found;
    }

    async function addInput(project: string, name: string, given: Partial<DatasetConfig>): Promise<AddInput> {
      const { folder: projectFolder, data } = await readProject(project);
      const declared = Object.hasOwn(data, name) ? data[name] : undefined;
      const source = given.source ?? declared?.source;
      if (source === undefined) {
        throw new PlatformError('datasets/not-found', name, {
          hint: `Add it to \`data:\` in rondo.yaml, or give a source.`,
        });
      }
      return { project, name, projectFolder, source, checks: given.checks ?? declared?.checks ?? [] };
    }
  };
