/** The five measures of delivery, and what is live and how healthy, over HTTP. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { LoggedEvent } from '../events/event.ts';
import { readEvents } from '../events/event-store.ts';
import { clock, itemsOf, list, share, time } from '../http/view.ts';
import { alertStore } from '../monitoring/alert-store.ts';
import { monitorStore } from '../monitoring/monitor-store.ts';
import { rolloutStore } from '../rollouts/rollout-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import { versionRefView } from '../serving/endpoint-view.ts';
import type { Traffic } from '../serving/traffic.ts';
import { verdictView } from '../statistics/verdict.ts';
import type { Database } from '../storage/database.ts';
import { deliveryView, measureDelivery } from './delivery.ts';
import { deliveryEventTypes, factsOf } from './delivery-facts.ts';
import { type EndpointFacts, overviewOf, overviewView } from './overview.ts';

export type DeliveryRoutesDeps = {
  readonly database: Database;
  readonly endpoints: () => Promise<readonly { readonly endpoint: Endpoint; readonly traffic: Traffic }[]>;
  /** The endpoint's clock. */
  readonly endpointNow: (endpoint: Endpoint) => number;
  readonly now: () => number;
};

const tags = ['governance'];
const ofProject = Type.Object({ project: Type.Optional(Type.String({ maxLength: 100 })) });

const window = { start: clock(), end: clock('Exclusive') };
const measured = Type.Object(
  {
    from: time('Of the first event'),
    to: time(),
    ...deliveryView.properties,
    endpoints: list(
      Type.Object({
        endpoint: Type.String(),
        quality: list(
          Type.Object({
            ...window,
            version: versionRefView,
            metric: Type.String(),
            coverage: share('Of the scored rows, those whose label has come'),
            ...verdictView.properties,
          }),
          { description: 'Window by window' },
        ),
        availability: list(Type.Object({ ...window, rows: Type.Integer(), ...verdictView.properties }), {
          description: 'Window by window',
        }),
      }),
    ),
  },
  { title: 'Delivery' },
);

export const deliveryRoutes =
  ({ database, endpoints, endpointNow, now }: DeliveryRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/delivery',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary:
            'Model quality, availability, deployment frequency, time to production and rollback time, from events',
          querystring: ofProject,
          response: { 200: measured },
        },
      },
      async ({ query: { project } }) => {
        const events = await allEvents(project);
        const span = { from: events[0]?.at ?? now(), to: now() };
        const facts = await endpointFacts(project);
        return {
          ...span,
          ...measureDelivery(factsOf(events), span),
          endpoints: facts.map(({ endpoint, quality, service }) => ({
            endpoint: endpoint.name,
            quality: quality.flatMap(({ start, end, result, version }) =>
              result.monitor === 'quality'
                ? [{ start, end, version, metric: result.metric, coverage: result.coverage, ...result.verdict }]
                : [],
            ),
            availability: service.flatMap(({ start, end, rows, result }) =>
              result.monitor === 'service' && result.availability ? [{ start, end, rows, ...result.availability }] : [],
            ),
          })),
        };
      },
    );

    app.get(
      '/api/v1/overview',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'What is live, how healthy it is and why, what changed and what comes next',
          querystring: ofProject,
          response: { 200: itemsOf(overviewView) },
        },
      },
      async ({ query: { project } }) => ({ items: (await endpointFacts(project)).map(overviewOf) }),
    );

    async function allEvents(project: string | undefined): Promise<readonly LoggedEvent[]> {
      const events: LoggedEvent[] = [];
      for (;;) {
        const page = await readEvents(database.read, {
          after: events.at(-1)?.position ?? 0,
          limit: 1000,
          types: deliveryEventTypes,
          project,
        });
        events.push(...page);
        if (page.length < 1000) return events;
      }
    }

    async function endpointFacts(project: string | undefined): Promise<readonly EndpointFacts[]> {
      const all = (await endpoints()).filter(({ endpoint }) => project === undefined || endpoint.project === project);
      const monitors = monitorStore(database.read);
      return Promise.all(
        all.map(async ({ endpoint, traffic }): Promise<EndpointFacts> => {
          const [[rollout], alerts, drift, quality, fairness, service] = await Promise.all([
            rolloutStore(database.read).list({ endpoint: endpoint.name, limit: 1 }),
            alertStore(database.read).list({ endpoint: endpoint.name, open: true, limit: 20 }),
            monitors.windows(endpoint.name, 'drift', { limit: 1 }),
            monitors.windows(endpoint.name, 'quality', { limit: 400 }),
            monitors.windows(endpoint.name, 'fairness', { limit: 1 }),
            monitors.windows(endpoint.name, 'service', { limit: 400 }),
          ]);
          const look = rollout && (await rolloutStore(database.read).lastLook(rollout.id));
          return {
            endpoint,
            traffic,
            clock: endpointNow(endpoint),
            alerts,
            drift,
            quality,
            fairness,
            service,
            ...(rollout && { rollout }),
            ...(look && { look }),
          };
        }),
      );
    }
  };
