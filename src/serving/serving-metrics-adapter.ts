/** What endpoints do, for Prometheus: read from their meters when somebody asks, so that a request costs nothing more. */
import { Counter, type Metric, type Registry } from 'prom-client';
import { latencyBucket } from '../statistics/latency-histogram.ts';
import type { RoleCounts } from './endpoint-meter.ts';
import type { LiveEndpoints } from './live-endpoints.ts';
import { roles } from './prediction.ts';
import type { PredictionLog } from './prediction-log-store.ts';

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function publishServingMetrics(
  metrics: Registry,
  { live, log }: { readonly live: LiveEndpoints; readonly log: PredictionLog },
): void {
  const labels = { labelNames: ['endpoint' as const], registers: [metrics] };
  new Counter({
    name: 'rondo_predictions_total',
    help: 'Requests to endpoints by role of the version that answered, and the code of the error if it failed.',
    labelNames: ['endpoint', 'role', 'error'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const { plan, meter } of live.all) {
        for (const role of roles) {
          const { ok, errors } = meter.roles[role];
          if (ok > 0) this.inc({ endpoint: plan.endpoint.name, role, error: '' }, ok);
          for (const [error, count] of errors) this.inc({ endpoint: plan.endpoint.name, role, error }, count);
        }
      }
    },
  });
  new Counter({
    ...labels,
    name: 'rondo_mirror_dropped_total',
    help: 'Rows that were not scored by another model because too many waited.',
    collect() {
      this.reset();
      for (const { plan, meter } of live.all) this.inc({ endpoint: plan.endpoint.name }, meter.mirrorDrops);
    },
  });
  new Counter({
    ...labels,
    name: 'rondo_prediction_log_dropped_total',
    help: 'Records that the log could not take; never of an endpoint whose log is durable.',
    collect() {
      this.reset();
      for (const { plan } of live.all)
        this.inc({ endpoint: plan.endpoint.name }, log.stats(plan.endpoint.name).dropped);
    },
  });
  // The meters count finer than Prometheus wants; its own Histogram could only count a second time.
  metrics.registerMetric(latencyMetric(live) as unknown as Metric);
}

const latencyMetric = (live: LiveEndpoints) => {
  const name = 'rondo_prediction_latency_seconds';
  const edges = buckets.map((seconds) => latencyBucket(seconds * 1_000));
  return {
    name,
    help: 'From the parsed request to the answer of the model.',
    type: 'histogram',
    aggregator: 'sum',
    reset() {},
    async get() {
      const values = live.all.flatMap(({ plan, meter }) =>
        roles.flatMap((role) => valuesOf(meter.roles[role], { endpoint: plan.endpoint.name, role }, { name, edges })),
      );
      return { name, help: this.help, type: this.type, values, aggregator: this.aggregator };
    },
  };
};

function valuesOf(
  { latency, latencySumMs }: RoleCounts,
  labels: Readonly<Record<string, string>>,
  { name, edges }: { readonly name: string; readonly edges: readonly number[] },
) {
  let total = 0;
  const upTo = new Array<number>(edges.length).fill(0);
  for (let bucket = 0; bucket < latency.length; bucket++) {
    const count = latency[bucket] ?? 0;
    total += count;
    for (const [place, edge] of edges.entries()) if (bucket <= edge) upTo[place] = (upTo[place] ?? 0) + count;
  }
  if (total === 0) return [];
  return [
    ...upTo.map((value, place) => ({ labels: { ...labels, le: buckets[place] }, value, metricName: `${name}_bucket` })),
    { labels: { ...labels, le: '+Inf' }, value: total, metricName: `${name}_bucket` },
    { labels, value: latencySumMs / 1_000, metricName: `${name}_sum` },
    { labels, value: total, metricName: `${name}_count` },
  ];
}
