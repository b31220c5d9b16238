/** Endpoints over HTTP: what they serve, how they do, the way back, and the labels that come later. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import '../http/fastify-types.ts';
import { itemsOf } from '../http/view.ts';
import type { EndpointClock } from './endpoint-clock.ts';
import { viewMeter } from './endpoint-meter.ts';
import type { StoredEndpoint } from './endpoint-store.ts';
import { endpointView, summaryView, trafficView } from './endpoint-view.ts';
import type { LiveEndpoints } from './live-endpoints.ts';
import { labelLine } from './log-line.ts';
import type { PredictionLog } from './prediction-log-store.ts';
import { rollBack, type SetTrafficDeps } from './set-traffic.ts';
import { mergeDays } from './summary.ts';

export type EndpointRoutesDeps = SetTrafficDeps & {
  readonly live: LiveEndpoints;
  readonly log: PredictionLog;
  readonly listEndpoints: () => Promise<readonly StoredEndpoint[]>;
  readonly endpointNow: EndpointClock;
  readonly now: () => number;
};

const tags = ['serving'];
const OneEndpoint = Type.Object({ name: Type.String() });
const Labels = Type.Object(
  {
    labels: Type.Array(
      Type.Object(
        {
          key: Type.Union([Type.String({ minLength: 1, maxLength: 500 }), Type.Number()]),
          value: Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 500 })]),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);

export const endpointRoutes =
  (deps: EndpointRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { live, log, now, endpointNow } = deps;
    const viewOf = ({ endpoint, traffic, createdAt, updatedAt }: StoredEndpoint) => {
      const running = live.find(endpoint.name);
      const { champion, previous, rollout, generation } = traffic;
      const { latencyMs: latencyBudgetMs, ...settings } = endpoint;
      return {
        ...settings,
        latencyBudgetMs,
        ...{ champion, previous, generation },
        ...(rollout && { rollout }),
        ready: running?.plan.traffic.generation === generation,
        // `latencyMs` says what was measured, once there is something to measure.
        latencyLimitMs: endpoint.latencyMs,
        ...(running && viewMeter(running.meter, now())),
        ...(running && { logState: log.stats(endpoint.name) }),
        // Before its first prediction nobody knows what time it is there.
        ...((endpoint.time === undefined || log.watermark(endpoint.name) !== undefined) && {
          endpointTime: endpointNow(endpoint),
        }),
        ...{ createdAt, updatedAt },
      };
    };
    const stored = async (name: string): Promise<StoredEndpoint> => {
      const found = await deps.findEndpoint(name);
      if (!found) throw new PlatformError('serving/unknown-endpoint', name.slice(0, 128));
      return found;
    };

    app.get(
      '/api/v1/endpoints',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List endpoints, what they serve and how they do',
          response: { 200: itemsOf(endpointView) },
        },
      },
      async () => ({ items: (await deps.listEndpoints()).map(viewOf) }),
    );
    app.get(
      '/api/v1/endpoints/:name',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'One endpoint', params: OneEndpoint, response: { 200: endpointView } },
      },
      async ({ params }) => viewOf(await stored(params.name)),
    );

    app.post(
      '/api/v1/endpoints/:name/rollback',
      {
        config: { permission: 'deploy' },
        // In an emergency nobody should have to write a body.
        preValidation: async (request) => {
          request.body ??= {};
        },
        schema: {
          tags,
          summary: 'Put the version before back, now',
          params: OneEndpoint,
          body: Type.Object(
            { reason: Type.Optional(Type.String({ maxLength: 2_000 })) },
            { additionalProperties: false },
          ),
          response: { 200: Type.Object({ traffic: trafficView }) },
        },
      },
      async ({ params, body, actor }) => {
        const reason = body.reason ?? 'rolled back by hand';
        return { traffic: await rollBack(deps, { endpoint: params.name.slice(0, 128), reason, actor }) };
      },
    );

    app.post(
      '/api/v1/endpoints/:name/labels',
      {
        config: { permission: 'write' },
        bodyLimit: 8 * 2 ** 20,
        schema: {
          tags,
          summary: 'Tell what came true, by key; answered when it is on disk',
          params: OneEndpoint,
          body: Labels,
          response: {
            200: Type.Object({
              accepted: Type.Integer({ description: 'Labels that are new' }),
              known: Type.Integer({ description: 'Labels that were there already, with the same value' }),
            }),
          },
        },
      },
      async ({ params, body }) => {
        const { plan } = live.get(params.name);
        const at = now();
        const eventTime = endpointNow(plan.endpoint);
        const lines = body.labels.map(({ key, value }) =>
          labelLine({ key: String(key), value: typeof value === 'boolean' ? Number(value) : value, at, eventTime }),
        );
        // Acknowledged only when on disk, whatever the endpoint does with its answers: a label comes once.
        const known = await log.append(params.name, lines, { at, eventTime });
        return { accepted: lines.length - known, known };
      },
    );

    app.get(
      '/api/v1/endpoints/:name/summaries',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Counts, histograms and latencies of each day and version',
          params: OneEndpoint,
          querystring: Type.Object({
            from: Type.Optional(Type.Integer()),
            to: Type.Optional(Type.Integer()),
            by: Type.Optional(Type.Union([Type.Literal('day'), Type.Literal('version')])),
          }),
          response: { 200: itemsOf(summaryView) },
        },
      },
      async ({ params, query }) => {
        live.get(params.name);
        const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER, by } = query;
        const days = await log.summaries(params.name, { from, to });
        return { items: by === 'version' ? mergeDays(days) : days };
      },
    );
  };
