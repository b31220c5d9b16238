/** MLflow's calls about runs and what is logged to them. */
import type { FastifyInstance } from 'fastify';
import { eventStore } from '../events/event-store.ts';
import type { Db } from '../storage/database.ts';
import { deleteRun, requireRun, restoreRun, tagRun, untagRun, updateRun } from '../tracking/change-run.ts';
import { createRun } from '../tracking/create-run.ts';
import { defaultExperiment } from '../tracking/experiment.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { logBatch, logMetric, logParam } from '../tracking/log-batch.ts';
import { logInputs, logOutputs } from '../tracking/log-inputs.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import type { NewMetric } from '../tracking/metric.ts';
import { metricStore } from '../tracking/metric-store.ts';
import { offsetOf } from '../tracking/page-token.ts';
import { runNotFound } from '../tracking/run.ts';
import { runDetails } from '../tracking/run-details-store.ts';
import { runInputStore } from '../tracking/run-input-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { searchRuns } from '../tracking/search-runs-store.ts';
import { addCall } from './calls-routes.ts';
import { appendLoggedModel, logHistoryTag } from './legacy-model.ts';
import { float, integer, list, type Message, object, oneOf, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { lifecyclesOf, nextToken, ofRuns, pageSize, viewTypes } from './paging.ts';
import { newRunView, runInfoView, runView, some } from './views.ts';

const runStatuses = { RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 } as const;

const keyValue = { key: text({ required: true }), value: text() };
const metricFields = {
  key: text({ required: true }),
  value: float({ required: true }),
  timestamp: integer({ required: true }),
  step: integer(),
  model_id: text(),
  dataset_name: text(),
  dataset_digest: text(),
};
const runId = { run_id: text({ required: true }) };

export function addRunCalls(app: FastifyInstance, deps: MlflowDeps): void {
  const { database, now, newId, random } = deps;
  const path = (verb: string) => `/mlflow/runs/${verb}`;
  const logging = (tx: Db) => ({ runs: runStore(tx), metrics: metricStore(tx), loggedModels: loggedModelStore(tx) });
  const changing = (tx: Db) => ({
    runs: runStore(tx),
    metrics: metricStore(tx),
    experiments: experimentStore(tx),
    events: eventStore(tx),
    now,
  });

  addCall(
    app,
    {
      method: 'POST',
      path: path('create'),
      permission: 'write',
      fields: {
        experiment_id: text(),
        start_time: integer(),
        run_name: text(),
        user_id: text(),
        tags: list(object({ key: text(), value: text() })),
      },
    },
    async (message, { actor }) => {
      const run = await database.write((tx) =>
        createRun(
          { ...changing(tx), newId, random },
          {
            experimentId: message.experiment_id || defaultExperiment.id,
            actor,
            userId: message.user_id ?? '',
            ...(message.run_name ? { name: message.run_name } : {}),
            startTime: message.start_time ?? 0,
            tags: (message.tags ?? []).map(({ key = '', value = '' }) => ({ key, value })),
          },
        ),
      );
      return { run: newRunView(run) };
    },
  );

  addCall(app, { method: 'GET', path: path('get'), permission: 'read', fields: runId }, async ({ run_id = '' }) => {
    const [run] = await runDetails(database.read, [run_id]);
    if (!run) throw runNotFound(run_id);
    return { run: runView(run) };
  });

  addCall(
    app,
    {
      method: 'POST',
      path: path('update'),
      permission: 'write',
      fields: { ...runId, end_time: integer(), status: oneOf(runStatuses), run_name: text() },
    },
    async (message, { actor }) => {
      const info = await database.write((tx) =>
        updateRun(changing(tx), {
          runId: message.run_id ?? '',
          actor,
          ...(message.status === undefined ? {} : { status: message.status }),
          ...(message.end_time === undefined ? {} : { endTime: message.end_time }),
          ...(message.run_name === undefined ? {} : { name: message.run_name }),
        }),
      );
      return { run_info: runInfoView(info) };
    },
  );

  for (const [verb, change] of [
    ['delete', deleteRun],
    ['restore', restoreRun],
  ] as const) {
    addCall(
      app,
      { method: 'POST', path: path(verb), permission: 'write', fields: runId },
      async ({ run_id = '' }, { actor }) => {
        await database.write((tx) => change(changing(tx), run_id, actor));
        return {};
      },
    );
  }

  addCall(
    app,
    {
      method: 'POST',
      path: path('search'),
      permission: 'read',
      fields: {
        experiment_ids: list(text()),
        filter: text(),
        run_view_type: oneOf(viewTypes),
        max_results: integer(),
        order_by: list(text()),
        page_token: text(),
      },
    },
    async (message) => {
      const limit = pageSize(message.max_results, { most: 50_000, usual: 1000, refusals: ofRuns });
      const offset = offsetOf(message.page_token);
      const { runs, more } = await searchRuns(database.read, {
        experimentIds: message.experiment_ids ?? [],
        filter: message.filter,
        lifecycles: lifecyclesOf(message.run_view_type),
        orderBy: message.order_by,
        offset,
        limit,
      });
      return { ...some('runs', runs.map(runView)), ...nextToken(more, offset, limit) };
    },
  );

  addCall(
    app,
    { method: 'POST', path: path('log-metric'), permission: 'write', fields: { ...runId, ...metricFields } },
    async ({ run_id = '', ...metric }) => {
      await database.write((tx) => logMetric(logging(tx), run_id, newMetric(metric)));
      return {};
    },
  );

  addCall(
    app,
    { method: 'POST', path: path('log-parameter'), permission: 'write', fields: { ...runId, ...keyValue } },
    async ({ run_id = '', key = '', value = '' }) => {
      await database.write((tx) => logParam({ runs: runStore(tx) }, run_id, { key, value }));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('log-batch'),
      permission: 'write',
      fields: {
        ...runId,
        metrics: list(object(metricFields)),
        params: list(object(keyValue)),
        tags: list(object(keyValue)),
      },
    },
    async ({ run_id = '', metrics = [], params = [], tags = [] }) => {
      const pairs = (items: typeof params) => items.map(({ key = '', value = '' }) => ({ key, value }));
      const batch = { runId: run_id, metrics: metrics.map(newMetric), params: pairs(params), tags: pairs(tags) };
      await database.write((tx) => logBatch(logging(tx), batch));
      return {};
    },
  );

  addCall(
    app,
    { method: 'POST', path: path('set-tag'), permission: 'write', fields: { ...runId, ...keyValue } },
    async ({ run_id = '', key = '', value = '' }) => {
      await database.write((tx) => tagRun({ runs: runStore(tx) }, run_id, { key, value }));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('delete-tag'),
      permission: 'write',
      fields: { ...runId, key: text({ required: true }) },
    },
    async ({ run_id = '', key = '' }) => {
      await database.write((tx) => untagRun({ runs: runStore(tx) }, run_id, key));
      return {};
    },
  );

  const datasetFields = {
    tags: list(object({ key: text(), value: text() })),
    dataset: object({
      name: text({ required: true }),
      digest: text({ required: true }),
      source_type: text({ required: true }),
      source: text({ required: true }),
      schema: text(),
      profile: text(),
    }),
  };
  addCall(
    app,
    {
      method: 'POST',
      path: path('log-inputs'),
      permission: 'write',
      fields: { ...runId, datasets: list(object(datasetFields)), models: list(object({ model_id: text() })) },
    },
    async ({ run_id = '', datasets = [], models = [] }) => {
      const inputs = datasets.map(({ tags = [], dataset = {} }) => ({
        tags: tags.map(({ key = '', value = '' }) => ({ key, value })),
        dataset: {
          name: dataset.name ?? '',
          digest: dataset.digest ?? '',
          sourceType: dataset.source_type ?? '',
          source: dataset.source ?? '',
          ...(dataset.schema === undefined ? {} : { schema: dataset.schema }),
          ...(dataset.profile === undefined ? {} : { profile: dataset.profile }),
        },
      }));
      await database.write((tx) =>
        logInputs({ runs: runStore(tx), inputs: runInputStore(tx), newId }, run_id, {
          datasets: inputs,
          models: models.map(({ model_id = '' }) => model_id),
        }),
      );
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('outputs'),
      permission: 'write',
      fields: {
        ...runId,
        models: { ...list(object({ model_id: text(), step: integer() }), { required: true }), emptyIsMissing: true },
      },
    },
    async ({ run_id = '', models = [] }) => {
      const outputs = models.map(({ model_id = '', step = 0 }) => ({ modelId: model_id, step }));
      await database.write((tx) => logOutputs({ runs: runStore(tx), inputs: runInputStore(tx) }, run_id, outputs));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('log-model'),
      permission: 'write',
      fields: { ...runId, model_json: text({ required: true }) },
    },
    async ({ run_id = '', model_json = '' }) => {
      await database.write(async (tx) => {
        const runs = runStore(tx);
        await runs.hold(run_id); // the list is read, then written
        await requireRun(runs, run_id);
        const value = appendLoggedModel(await runs.findTag(run_id, logHistoryTag), model_json);
        await tagRun({ runs }, run_id, { key: logHistoryTag, value });
      });
      return {};
    },
  );
}

function newMetric(metric: Message<typeof metricFields>): NewMetric {
  const { key = '', value = 0, timestamp = 0, step = 0, model_id, dataset_name, dataset_digest } = metric;
  const point = { key, value, timestamp, step };
  if (!model_id && !dataset_name && !dataset_digest) return point; // nearly all
  return {
    ...point,
    ...(model_id ? { modelId: model_id } : {}),
    ...(dataset_name ? { datasetName: dataset_name } : {}),
    ...(dataset_digest ? { datasetDigest: dataset_digest } : {}),
  };
}
