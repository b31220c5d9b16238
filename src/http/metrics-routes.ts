import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { textOf } from './view.ts';

/** Contexts add theirs: `new Counter({ name: 'rondo_…_total', registers: [metrics] })`. Never ids or values of users in labels. */
export type Metrics = Registry;

/** @param facts shown as labels of `rondo_build_info` */
export function openMetrics(facts: { readonly version: string }): Metrics {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  new Gauge({
    name: 'rondo_build_info',
    help: 'Always 1; the labels tell the version.',
    labelNames: ['version', 'node'],
    registers: [metrics],
  })
    .labels(facts.version, process.versions.node)
    .set(1);
  return metrics;
}

/** `/metrics` in Prometheus' text format, and the time of every answer by route pattern. */
export const metricsRoutes =
  (metrics: Metrics): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/metrics',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['server'],
          summary: "All metrics, in Prometheus' text format",
          response: { 200: textOf('text/plain', 'The exposition format, version 0.0.4') },
        },
      },
      async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
    );
  };

/** Observes every answer of `app`. By route pattern: a path would make a series per name. */
export function requestDurations(metrics: Metrics): Histogram<'method' | 'route' | 'status'> {
  return new Histogram({
    name: 'rondo_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers: [metrics],
  });
}
