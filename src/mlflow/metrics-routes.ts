/** MLflow's calls about the history of metrics. */
import type { FastifyInstance } from 'fastify';
import { requireRun } from '../tracking/change-run.ts';
import type { MetricPoint } from '../tracking/metric.ts';
import { metricStore } from '../tracking/metric-store.ts';
import { offsetOf, pageToken } from '../tracking/page-token.ts';
import { runStore } from '../tracking/run-store.ts';
import { addCall } from './calls-routes.ts';
import { double } from './json.ts';
import { integer, invalidRequest, list, seeDocs, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';

const maxRuns = 100;
const maxHistory = 25_000;
const maxSample = 2500;

export function addMetricCalls(app: FastifyInstance, { database }: MlflowDeps): void {
  addCall(
    app,
    {
      method: 'GET',
      path: '/mlflow/metrics/get-history',
      permission: 'read',
      fields: {
        run_id: text({ required: true }),
        metric_key: text({ required: true }),
        page_token: text(),
        max_results: integer(),
      },
    },
    async ({ run_id = '', metric_key = '', page_token, max_results }) => {
      if (max_results !== undefined && max_results <= 0) {
        throw invalidRequest(
          `Invalid value ${max_results} for parameter 'max_results' supplied. It must be a positive integer.`,
        );
      }
      await requireRun(runStore(database.read), run_id);
      const offset = offsetOf(page_token);
      const limit = max_results === undefined ? undefined : Number(max_results);
      const points = await metricStore(database.read).history(run_id, metric_key, {
        offset,
        ...(limit === undefined ? {} : { limit: limit + 1 }),
      });
      const more = limit !== undefined && points.length > limit;
      return metricList(more ? points.slice(0, limit) : points, {
        key: metric_key,
        ...(more ? { next: pageToken(offset + limit) } : {}),
      });
    },
  );

  addCall(
    app,
    {
      method: 'GET',
      path: '/mlflow/metrics/get-history-bulk',
      permission: 'read',
      fields: { run_id: list(text()), metric_key: text(), max_results: integer() },
      prefixes: ['/ajax-api/2.0'],
    },
    async ({ run_id = [], metric_key, max_results = maxHistory }) => {
      const what = 'GetMetricHistoryBulk request';
      if (run_id.length === 0) throw invalidRequest(`${what} must specify at least one run_id.`);
      if (run_id.length > maxRuns) {
        throw invalidRequest(`${what} cannot specify more than ${maxRuns} run_ids. Received ${run_id.length} run_ids.`);
      }
      if (metric_key === undefined) throw invalidRequest(`${what} must specify a metric_key.`);
      const limit = Math.max(0, Math.min(Number(max_results), maxHistory));
      const points = await metricStore(database.read).historyOfRuns(run_id, metric_key, limit);
      return points.length === 0 ? { metrics: [] } : metricList(points, { key: metric_key });
    },
  );

  addCall(
    app,
    {
      method: 'GET',
      path: '/mlflow/metrics/get-history-bulk-interval',
      permission: 'read',
      fields: {
        run_ids: list(text(), { required: true }),
        metric_key: text({ required: true }),
        start_step: integer(),
        end_step: integer(),
        max_results: integer(),
      },
    },
    async ({ run_ids = [], metric_key = '', start_step: from, end_step: to, max_results = maxSample }) => {
      if (run_ids.length > maxRuns) {
        throw invalidRequest(
          `GetMetricHistoryBulkInterval request must specify at most ${maxRuns} run_ids. ` +
            `Received ${run_ids.length} run_ids. ${seeDocs}`,
        );
      }
      const count = Number(max_results);
      if (count < 1 || count > maxSample) {
        throw invalidRequest(`max_results must be between 1 and ${maxSample}. ${seeDocs}`);
      }
      if ((from === undefined) !== (to === undefined)) {
        throw invalidRequest('If either start step or end step are specified, both must be specified.');
      }
      if (from !== undefined && to !== undefined && from > to) {
        throw invalidRequest(`end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`);
      }
      const range = from === undefined || to === undefined ? {} : { from, to };
      const samples = await Promise.all(
        run_ids.map(async (runId) => {
          const points = await metricStore(database.read).sample(runId, metric_key, { count, ...range });
          return points.map((point) => ({ ...point, runId }));
        }),
      );
      return metricList(samples.flat(), { key: metric_key });
    },
  );
}

/** Written as text: a page has 25,000 points, and all of them have the same key. */
function metricList(
  points: readonly (MetricPoint & { readonly runId?: string })[],
  { key, next }: { readonly key: string; readonly next?: string },
): string {
  const end = next === undefined ? '}' : `,"next_page_token":${JSON.stringify(next)}}`;
  if (points.length === 0) return next === undefined ? '{}' : `{${end.slice(1)}`;
  const start = `{"key":${JSON.stringify(key)},"value":`;
  const items = points.map(({ value, timestamp, step, runId }) => {
    const number = Number.isFinite(value) ? value : `"${double(value)}"`;
    const run = runId === undefined ? '' : `,"run_id":${JSON.stringify(runId)}`;
    return `${start}${number},"timestamp":${timestamp},"step":${step}${run}}`;
  });
  return `{"metrics":[${items.join(',')}]${end}`;
}
