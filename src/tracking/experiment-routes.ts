/** Experiments over HTTP, for our own clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../storage/database.ts';
import { requireExperiment } from './change-experiment.ts';
import { createExperiment } from './create-experiment.ts';
import { experimentStore } from './experiment-store.ts';
import { offsetOf, pageToken } from './page-token.ts';
import { searchExperiments } from './search-experiments-store.ts';

type Deps = {
  readonly database: Database;
  readonly artifactRoot: string;
  readonly now: () => number;
};

const tags = ['experiments'];

export const experimentRoutes =
  ({ database, artifactRoot, now }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/experiments',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Search experiments, in the language of MLflow’s filters',
          querystring: Type.Object({
            filter: Type.Optional(Type.String()),
            order: Type.Optional(Type.String()),
            deleted: Type.Boolean({ default: false, description: 'The deleted ones instead' }),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            cursor: Type.Optional(Type.String()),
          }),
        },
      },
      async ({ query: { filter, order, deleted, limit, cursor } }) => {
        const offset = offsetOf(cursor);
        const { experiments, more } = await searchExperiments(database.read, {
          filter,
          orderBy: order?.split(','),
          lifecycles: [deleted ? 'deleted' : 'active'],
          offset,
          limit,
        });
        return { items: experiments, ...(more && { next: pageToken(offset + limit) }) };
      },
    );

    app.post(
      '/api/v1/experiments',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Make an experiment',
          body: Type.Object(
            { name: Type.String({ minLength: 1 }), project: Type.Optional(Type.String()) },
            { additionalProperties: false },
          ),
        },
      },
      async ({ body: { name, project = 'default' } }, reply) => {
        const id = await database.write((tx) =>
          createExperiment({ experiments: experimentStore(tx), now }, { name, project, artifactRoot }),
        );
        return reply.code(201).send(await requireExperiment(experimentStore(database.read), id));
      },
    );

    app.get(
      '/api/v1/experiments/:id',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'Show an experiment', params: Type.Object({ id: Type.String() }) },
      },
      async ({ params: { id } }) => requireExperiment(experimentStore(database.read), id),
    );
  };
