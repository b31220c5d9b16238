/** Rollouts over HTTP. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { readEvents } from '../events/event-store.ts';
import { pageOf } from '../http/view.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { Database } from '../storage/database.ts';
import { percent, shareOf } from './quantity.ts';
import { type Command, rolloutSubject } from './rollout.ts';
import type { RolloutPlan } from './rollout-config.ts';
import { rolloutStore } from './rollout-store.ts';
import { detailOf, rolloutDetailView, rolloutView, summaryOf } from './rollout-view.ts';
import type { RolloutWorker } from './rollout-worker.ts';
import type { RolloutStart } from './start-rollout.ts';

export type RolloutRoutesDeps = {
  readonly database: Database;
  readonly rollouts: RolloutWorker;
  /** @throws PlatformError when there is no such endpoint */
  readonly endpointOf: (name: string) => Promise<Endpoint>;
  /** The plan of the endpoint's project, or the default one. */
  readonly planFor: (endpoint: Endpoint) => Promise<RolloutPlan>;
  /** The newest gate report of the version. */
  readonly gatesOf: (version: VersionRef) => Promise<RolloutStart['gates']>;
};

const tags = ['rollouts'];
const byId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });
const reason = Type.String({ maxLength: 2000 });

/** What whoever starts a rollout passes over. */
export const forceBody = Type.Object(
  {
    gates: Type.Optional(Type.Boolean()),
    shadow: Type.Optional(Type.Boolean()),
    from: Type.Optional(percent('One of the steps of the rollout.')),
  },
  { additionalProperties: false },
);

const startBody = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 250 }),
    version: Type.Integer({ minimum: 1 }),
    force: Type.Optional(forceBody),
    reason: Type.Optional(reason),
  },
  { additionalProperties: false },
);

export const rolloutRoutes =
  ({ database, rollouts, endpointOf, planFor, gatesOf }: RolloutRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/v1/endpoints/:endpoint/rollouts',
      {
        config: { permission: 'deploy' },
        schema: {
          tags,
          summary: 'Begin to move an endpoint to another version',
          params: Type.Object({ endpoint: Type.String({ minLength: 1, maxLength: 100 }) }),
          body: startBody,
          response: { 201: rolloutView },
        },
      },
      async (request, reply) => {
        const { model, version, force, reason: why } = request.body;
        const endpoint = await endpointOf(request.params.endpoint);
        const challenger = { model, version };
        const rollout = await rollouts.start({
          endpoint,
          challenger,
          plan: await planFor(endpoint),
          gates: await gatesOf(challenger),
          ...(force && {
            force: {
              gates: force.gates,
              shadow: force.shadow,
              ...(force.from !== undefined && { from: shareOf(force.from) }),
            },
          }),
          reason: why,
          actor: request.actor,
        });
        return reply.code(201).header('location', `/api/v1/rollouts/${rollout.id}`).send(summaryOf(rollout));
      },
    );

    app.get(
      '/api/v1/rollouts',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List rollouts, newest first',
          querystring: Type.Object({
            endpoint: Type.Optional(Type.String()),
            project: Type.Optional(Type.String()),
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
            cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,16}:.{1,100}$' })),
          }),
          response: { 200: pageOf(rolloutView) },
        },
      },
      async ({ query: { endpoint, project, limit, cursor } }) => {
        const [createdAt, id] = cursor?.split(/:(.*)/, 2) ?? [];
        const before = createdAt !== undefined && id !== undefined ? { createdAt: Number(createdAt), id } : undefined;
        const found = await rolloutStore(database.read).list({ endpoint, project, before, limit: limit + 1 });
        const last = found.length > limit ? found[limit - 1] : undefined;
        return {
          items: found.slice(0, limit).map(summaryOf),
          ...(last && { next: `${last.startedAt}:${last.id}` }),
        };
      },
    );

    app.get(
      '/api/v1/rollouts/:id',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'One rollout: steps, guardrails, traffic and every decision with its reason',
          params: byId,
          response: { 200: rolloutDetailView },
        },
      },
      async ({ params: { id } }) => detail(id),
    );

    for (const kind of ['pause', 'resume', 'promote', 'abort'] as const) {
      app.post(
        `/api/v1/rollouts/:id/${kind}`,
        {
          config: { permission: 'deploy' },
          schema: {
            tags,
            summary: summaries[kind],
            params: byId,
            body: Type.Optional(Type.Object({ reason: Type.Optional(reason) })),
            response: { 200: rolloutDetailView },
          },
        },
        async (request) => {
          const command: Command = { kind, reason: request.body?.reason ?? '' };
          await rollouts.command(request.params.id, command, request.actor);
          return detail(request.params.id);
        },
      );
    }

    async function detail(id: string) {
      const store = rolloutStore(database.read);
      const rollout = await store.find(id);
      if (!rollout) throw new PlatformError('rollouts/not-found', id);
      const events = await readEvents(database.read, { subject: rolloutSubject(id), limit: 500 });
      return detailOf(rollout, await store.lastLook(id), events);
    }
  };

const summaries = {
  pause: 'Keep the share as it is; guardrails stay on',
  resume: 'Go on where it was paused',
  promote: 'Give it all traffic now, with a reason',
  abort: 'Take it out of the traffic now, with a reason',
} as const;
