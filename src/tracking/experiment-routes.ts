/** Experiments over HTTP, for our own clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { eventStore } from '../events/event-store.ts';
import { done, list, maybe, pageOf, time } from '../http/view.ts';
import type { Database } from '../storage/database.ts';
import {
  deleteExperiment,
  renameExperiment,
  requireExperiment,
  tagExperiment,
  untagExperiment,
} from './change-experiment.ts';
import { createExperiment } from './create-experiment.ts';
import { experimentStore } from './experiment-store.ts';
import { offsetOf, pageToken } from './page-token.ts';
import { defaultProject } from './project-tag.ts';
import { runStore } from './run-store.ts';
import { runTotals } from './run-totals-store.ts';
import { searchExperiments } from './search-experiments-store.ts';

type Deps = {
  readonly database: Database;
  readonly artifactRoot: string;
  readonly now: () => number;
};

const tags = ['experiments'];
const params = Type.Object({ id: Type.String() });

const experimentView = Type.Object(
  {
    id: Type.String({ description: 'A decimal number as text' }),
    name: Type.String(),
    project: Type.String(),
    artifactLocation: Type.String(),
    lifecycle: Type.Enum(['active', 'deleted']),
    createdAt: time(),
    updatedAt: time(),
    tags: list(Type.Object({ key: Type.String(), value: Type.String() })),
  },
  { title: 'Experiment' },
);

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
            project: Type.Optional(Type.String()),
            filter: Type.Optional(Type.String()),
            order: Type.Optional(Type.String()),
            deleted: Type.Boolean({ default: false, description: 'The deleted ones instead' }),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            cursor: Type.Optional(Type.String()),
          }),
          response: {
            200: pageOf(
              Type.Object({
                ...experimentView.properties,
                runs: Type.Integer({ description: 'That are not deleted' }),
                lastRunAt: maybe(time('When the last one started')),
              }),
            ),
          },
        },
      },
      async ({ query: { project, filter, order, deleted, limit, cursor } }) => {
        const offset = offsetOf(cursor);
        const { experiments, more } = await searchExperiments(database.read, {
          project,
          filter,
          orderBy: order?.split(','),
          lifecycles: [deleted ? 'deleted' : 'active'],
          offset,
          limit,
        });
        const totals = await runTotals(
          database.read,
          experiments.map(({ id }) => id),
        );
        return {
          items: experiments.map((experiment) => ({ ...experiment, ...(totals.get(experiment.id) ?? { runs: 0 }) })),
          ...(more && { next: pageToken(offset + limit) }),
        };
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
          response: { 201: experimentView },
        },
      },
      async ({ body: { name, project = defaultProject }, actor }, reply) => {
        const id = await database.write((tx) =>
          createExperiment(
            { experiments: experimentStore(tx), events: eventStore(tx), now },
            { name, project, actor, artifactRoot },
          ),
        );
        return reply.code(201).send(await requireExperiment(experimentStore(database.read), id));
      },
    );

    app.get(
      '/api/v1/experiments/:id',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'Show an experiment', params, response: { 200: experimentView } },
      },
      async ({ params: { id } }) => requireExperiment(experimentStore(database.read), id),
    );

    app.patch(
      '/api/v1/experiments/:id',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Rename an experiment, set and remove its tags',
          params,
          body: Type.Object(
            {
              name: Type.Optional(Type.String({ minLength: 1 })),
              tags: Type.Optional(
                Type.Record(Type.String({ minLength: 1 }), Type.Union([Type.String(), Type.Null()]), {
                  description: '`null` removes a tag',
                  maxProperties: 100,
                }),
              ),
            },
            { additionalProperties: false },
          ),
          response: { 200: experimentView },
        },
      },
      async ({ params: { id }, body: { name, tags = {} } }) =>
        database.write(async (tx) => {
          const experiments = experimentStore(tx);
          const { name: before } = await requireExperiment(experiments, id);
          if (name !== undefined && name !== before) await renameExperiment({ experiments, now }, id, name);
          for (const [key, value] of Object.entries(tags)) {
            if (value === null) await untagExperiment({ experiments }, id, key);
            else await tagExperiment({ experiments }, id, { key, value });
          }
          return requireExperiment(experiments, id);
        }),
    );

    app.delete(
      '/api/v1/experiments/:id',
      {
        config: { permission: 'write' },
        schema: { tags, summary: 'Move an experiment with its runs to the trash', params, response: { 204: done } },
      },
      async ({ params: { id }, actor }, reply) => {
        await database.write((tx) => {
          const deps = { experiments: experimentStore(tx), runs: runStore(tx), events: eventStore(tx), now };
          return deleteExperiment(deps, id, actor);
        });
        return reply.code(204).send();
      },
    );
  };
