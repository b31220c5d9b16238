/** Monitors and alerts over HTTP. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import { pageOf } from '../http/view.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { Database } from '../storage/database.ts';
import { alertStore } from './alert-store.ts';
import { monitorStore } from './monitor-store.ts';
import { alertView, driftView, featureDriftView, monitorsView, seriesView } from './monitor-view.ts';
import type { MonitorPlan } from './monitors-config.ts';
import { answerAlert } from './raise-alert.ts';
import { allDays, type ReferenceProfile } from './reference-profile.ts';

export type MonitorRoutesDeps = {
  readonly database: Database;
  /** @throws PlatformError when there is no such endpoint */
  readonly endpointOf: (name: string) => Promise<Endpoint>;
  readonly planFor: (endpoint: Endpoint) => Promise<MonitorPlan | undefined>;
  readonly profileOf: (version: VersionRef) => Promise<ReferenceProfile | undefined>;
  /** The endpoint's clock. */
  readonly endpointNow: (endpoint: string) => Promise<number>;
  readonly now: () => number;
  readonly newId: () => string;
};

const tags = ['monitoring'];
const byId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });
const byEndpoint = Type.Object({ endpoint: Type.String({ minLength: 1, maxLength: 100 }) });
const range = Type.Object({
  from: Type.Optional(Type.Integer({ minimum: 0 })),
  limit: Type.Integer({ minimum: 1, maximum: 400, default: 120 }),
});

export const monitorRoutes =
  ({
    database,
    endpointOf,
    planFor,
    profileOf,
    endpointNow,
    now,
    newId,
  }: MonitorRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/endpoints/:endpoint/monitors',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'What the monitors of an endpoint have judged, window by window',
          params: byEndpoint,
          querystring: range,
          response: { 200: monitorsView },
        },
      },
      async ({ params, query }) => {
        const endpoint = await endpointOf(params.endpoint);
        const monitors = monitorStore(database.read);
        const [plan, state, drift, quality, fairness, service, open] = await Promise.all([
          planFor(endpoint),
          monitors.state(endpoint.name),
          monitors.windows(endpoint.name, 'drift', query),
          monitors.windows(endpoint.name, 'quality', query),
          monitors.windows(endpoint.name, 'fairness', query),
          monitors.windows(endpoint.name, 'service', query),
          alertStore(database.read).list({ endpoint: endpoint.name, open: true, limit: 20 }),
        ]);
        return {
          endpoint: endpoint.name,
          plan: plan ?? {},
          version: state.version,
          clock: await endpointNow(endpoint.name),
          drift: driftView(drift),
          quality: seriesView(quality, 'quality'),
          fairness: seriesView(fairness, 'fairness'),
          service: seriesView(service, 'service'),
          alerts: open,
        };
      },
    );

    app.get(
      '/api/v1/endpoints/:endpoint/monitors/drift/:feature',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'One feature: its training distribution and every window',
          params: Type.Object({ ...byEndpoint.properties, feature: Type.String({ minLength: 1, maxLength: 250 }) }),
          querystring: range,
          response: { 200: featureDriftView },
        },
      },
      async ({ params: { endpoint: name, feature }, query }) => {
        const endpoint = await endpointOf(name);
        const monitors = monitorStore(database.read);
        const { version } = await monitors.state(endpoint.name);
        const column = version && (await profileOf(version))?.features[feature];
        if (!column) throw new PlatformError('http/not-found', `a reference of ${feature} on ${endpoint.name}`);
        const view = driftView(await monitors.windows(endpoint.name, 'drift', query));
        const reference = { bins: column.bins, counts: allDays(column), days: column.days.length };
        return {
          feature,
          version,
          reference,
          windows: view.windows,
          cells: view.features.find((one) => one.feature === feature)?.cells ?? [],
        };
      },
    );

    app.get(
      '/api/v1/alerts',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List alerts, newest first',
          querystring: Type.Object({
            endpoint: Type.Optional(Type.String()),
            project: Type.Optional(Type.String()),
            open: Type.Optional(Type.Boolean()),
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
            cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,16}:.{1,100}$' })),
          }),
          response: { 200: pageOf(alertView) },
        },
      },
      async ({ query: { cursor, limit, ...where } }) => {
        const [openedAt, id] = cursor?.split(/:(.*)/, 2) ?? [];
        const before = openedAt !== undefined && id !== undefined ? { openedAt: Number(openedAt), id } : undefined;
        const found = await alertStore(database.read).list({ ...where, before, limit: limit + 1 });
        const last = found.length > limit ? found[limit - 1] : undefined;
        return { items: found.slice(0, limit), ...(last && { next: `${last.openedAt}:${last.id}` }) };
      },
    );

    app.get(
      '/api/v1/alerts/:id',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'One alert with its evidence', params: byId, response: { 200: alertView } },
      },
      async ({ params: { id } }) => {
        const alert = await alertStore(database.read).find(id);
        if (!alert) throw new PlatformError('monitoring/alert-not-found', id);
        return alert;
      },
    );

    for (const answer of ['acknowledge', 'resolve'] as const) {
      app.post(
        `/api/v1/alerts/:id/${answer}`,
        {
          config: { permission: 'write' },
          schema: {
            tags,
            summary:
              answer === 'acknowledge'
                ? 'Say that somebody looks after it'
                : 'Close it by hand; it opens again if it goes on',
            params: byId,
            body: Type.Optional(Type.Object({ reason: Type.Optional(Type.String({ maxLength: 2000 })) })),
            response: { 200: alertView },
          },
        },
        async ({ params: { id }, body, actor }) => {
          const alert = await alertStore(database.read).find(id);
          if (!alert) throw new PlatformError('monitoring/alert-not-found', id);
          const clock = await endpointNow(alert.endpoint);
          return database.write((tx) =>
            answerAlert(
              { alerts: alertStore(tx), events: eventStore(tx), now, newId },
              { id, answer, actor, reason: body?.reason ?? '', clock },
            ),
          );
        },
      );
    }
  };
