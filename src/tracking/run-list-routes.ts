/** Many runs over HTTP, for our own clients: searching, grouping, and changing several at once. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import { byName, done, list, maybe, pageOf, time } from '../http/view.ts';
import type { Database } from '../storage/database.ts';
import { deleteRun, tagRuns } from './change-run.ts';
import { experimentStore } from './experiment-store.ts';
import { offsetOf, pageToken } from './page-token.ts';
import { countRuns, groupKeyOf, groupRuns } from './run-groups-store.ts';
import { runKeys } from './run-keys-store.ts';
import { countChildren, scopeConditions } from './run-scope-store.ts';
import { runStore } from './run-store.ts';
import { runInListView, runView } from './run-view.ts';
import { searchRuns } from './search-runs-store.ts';

type Deps = { readonly database: Database; readonly now: () => number };

const tags = ['runs'];
const mostChanged = 500;
const mostKeys = 2000;
const mostSpreads = 20;

/** Which runs; the same for a list and for its groups. */
const searched = {
  project: Type.Optional(Type.String({ description: 'Only of its experiments' })),
  experiment: Type.Optional(Type.String({ description: 'An id or a name; without it, all of them' })),
  filter: Type.Optional(Type.String()),
  deleted: Type.Boolean({ default: false, description: 'The deleted ones instead' }),
  parent: Type.Optional(Type.String({ description: 'Only the children of this run' })),
  top: Type.Boolean({ default: false, description: 'Only runs that stand under no other' }),
  startedUntil: Type.Optional(Type.Integer({ description: 'Milliseconds since 1970; later ones are left out' })),
  startedAfter: Type.Optional(Type.Integer({ description: 'Milliseconds since 1970; only later ones' })),
};
const by = Type.String({
  description: '`params.depth`, `tags.team`, `dataset.name`, `attributes.status`, or `model`: the models they logged',
});
const Searched = Type.Object(searched);

const changedRuns = Type.Array(Type.String(), { minItems: 1, maxItems: mostChanged, uniqueItems: true });

const groupView = Type.Object(
  {
    value: maybe(Type.String({ description: 'What its runs have in common; absent for those that have none' })),
    runs: Type.Integer(),
    lastStartedAt: time(),
    metrics: byName(
      Type.Object({
        min: Type.Number(),
        max: Type.Number(),
        mean: Type.Union([Type.Number(), Type.Null()], { description: 'Null where it is beyond all numbers' }),
        runs: Type.Integer({ description: 'That have it' }),
      }),
      'Of each asked metric that any of its runs has; values that are no number are left out',
    ),
  },
  { title: 'RunGroup' },
);

export const runListRoutes =
  ({ database, now }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    /** @throws PlatformError `tracking/experiment-not-found` */
    async function experimentIds(experiment: string | undefined, project?: string): Promise<readonly string[]> {
      const experiments = experimentStore(database.read);
      if (experiment === undefined) return experiments.activeIds(project);
      if (/^\d+$/.test(experiment) && project === undefined) return [experiment];
      const named = await (/^\d+$/.test(experiment)
        ? experiments.find(experiment)
        : experiments.findByName(experiment));
      if (named) return project === undefined || named.project === project ? [named.id] : [];
      throw new PlatformError('tracking/experiment-not-found', experiment);
    }

    const searchOf = async (
      { experiment, project, filter, deleted, ...scope }: Static<typeof Searched>,
      group?: { readonly by: string; readonly value: string | undefined },
    ) => ({
      experimentIds: await experimentIds(experiment, project),
      filter,
      lifecycles: [deleted ? ('deleted' as const) : ('active' as const)],
      within: await scopeConditions(database.read, {
        ...scope,
        ...(group && { group: { ...group, by: groupKeyOf(group.by) } }),
      }),
    });

    app.get(
      '/api/v1/runs',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Search runs, in the language of MLflow’s filters with OR, NOT and parentheses',
          querystring: Type.Object({
            ...searched,
            groupedBy: Type.Optional(by),
            group: Type.Optional(
              Type.String({
                description: 'Only the runs with this value of `groupedBy`; without it, those without any',
              }),
            ),
            order: Type.Optional(Type.String({ description: '`metrics.auc DESC`; several separated by commas' })),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            cursor: Type.Optional(Type.String()),
            offset: Type.Optional(
              Type.Integer({
                minimum: 0,
                description: 'How many to skip, instead of a cursor: for a table that jumps',
              }),
            ),
            total: Type.Boolean({ default: false, description: 'Say also how many there are on all pages together' }),
          }),
          response: {
            200: Type.Object({
              ...pageOf(runInListView).properties,
              total: maybe(Type.Integer({ description: 'On all pages together, where it was asked for' })),
            }),
          },
        },
      },
      async ({ query: { groupedBy, group, order, limit, cursor, offset: skipped, total: counted, ...query } }) => {
        const offset = skipped ?? offsetOf(cursor);
        const search = await searchOf(query, groupedBy === undefined ? undefined : { by: groupedBy, value: group });
        const [{ runs, more }, total] = await Promise.all([
          searchRuns(database.read, { ...search, orderBy: order?.split(','), offset, limit }),
          counted ? countRuns(database.read, search) : undefined,
        ]);
        const children = await countChildren(
          database.read,
          runs.map(({ id }) => id),
        );
        const projects = await experimentStore(database.read).projectsOf(runs.map(({ experimentId }) => experimentId));
        return {
          items: runs.map((run) => ({
            ...runView(run, projects.get(run.experimentId)),
            children: children.get(run.id) ?? 0,
          })),
          ...(more && { next: pageToken(offset + limit) }),
          ...(total === undefined ? {} : { total }),
        };
      },
    );

    app.get(
      '/api/v1/runs/groups',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Count runs by what they have in common, with the spread of their metrics',
          querystring: Type.Object({
            ...searched,
            by,
            metrics: Type.Optional(
              Type.String({ description: 'Whose lowest, highest and mean to show: keys separated by commas' }),
            ),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            cursor: Type.Optional(Type.String()),
          }),
          response: { 200: pageOf(groupView) },
        },
      },
      async ({ query: { by, metrics, limit, cursor, ...query } }) => {
        const offset = offsetOf(cursor);
        const keys = (metrics?.split(',') ?? []).slice(0, mostSpreads);
        const search = { ...(await searchOf(query)), by: groupKeyOf(by), metrics: keys, offset, limit };
        const { groups, more } = await groupRuns(database.read, search);
        return { items: groups, ...(more && { next: pageToken(offset + limit) }) };
      },
    );

    app.get(
      '/api/v1/runs/keys',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List the keys of metrics, params and tags that runs have, for columns and filters',
          querystring: Type.Object({ experiment: searched.experiment }),
          response: {
            200: Type.Object({
              metrics: list(Type.String()),
              params: list(Type.String()),
              tags: list(Type.String()),
            }),
          },
        },
      },
      async ({ query: { experiment } }) => runKeys(database.read, await experimentIds(experiment), mostKeys),
    );

    app.patch(
      '/api/v1/runs',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Set and remove tags of several runs: all of it or nothing',
          body: Type.Object(
            {
              runs: changedRuns,
              tags: Type.Record(Type.String({ minLength: 1 }), Type.Union([Type.String(), Type.Null()]), {
                description: '`null` removes a tag',
                minProperties: 1,
                maxProperties: 100,
              }),
            },
            { additionalProperties: false },
          ),
          response: { 204: done },
        },
      },
      async ({ body: { runs, tags } }, reply) => {
        await database.write((tx) => tagRuns({ runs: runStore(tx) }, runs, tags));
        return reply.code(204).send();
      },
    );

    app.post(
      '/api/v1/runs/delete',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Move several runs to the trash: all of them or none',
          body: Type.Object({ runs: changedRuns }, { additionalProperties: false }),
          response: { 204: done },
        },
      },
      async ({ body: { runs }, actor }, reply) => {
        await database.write(async (tx) => {
          const deps = { runs: runStore(tx), experiments: experimentStore(tx), events: eventStore(tx), now };
          for (const id of runs) await deleteRun(deps, id, actor);
        });
        return reply.code(204).send();
      },
    );
  };
