/** MLflow's calls about experiments. */
import type { FastifyInstance } from 'fastify';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import {
  deleteExperiment,
  renameExperiment,
  requireExperiment,
  restoreExperiment,
  tagExperiment,
  untagExperiment,
} from '../tracking/change-experiment.ts';
import { createExperiment } from '../tracking/create-experiment.ts';
import { absoluteLocation } from '../tracking/experiment.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { offsetOf } from '../tracking/page-token.ts';
import { defaultProject } from '../tracking/project-tag.ts';
import { runInputStore } from '../tracking/run-input-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { searchExperiments } from '../tracking/search-experiments-store.ts';
import { addCall } from './calls-routes.ts';
import { integer, invalidRequest, list, object, oneOf, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { lifecyclesOf, nextToken, ofExperiments, pageSize, viewTypes } from './paging.ts';
import { experimentView, some } from './views.ts';

const tagFields = { key: text(), value: text() };

export function addExperimentCalls(app: FastifyInstance, deps: MlflowDeps): void {
  const { database, now } = deps;
  const path = (verb: string) => `/mlflow/experiments/${verb}`;
  const experimentId = { experiment_id: text({ required: true }) };

  addCall(
    app,
    {
      method: 'POST',
      path: path('create'),
      permission: 'write',
      fields: { name: text({ required: true }), artifact_location: text(), tags: list(object(tagFields)) },
    },
    async ({ name = '', artifact_location, tags = [] }, { actor }) => {
      const experiment_id = await database.write((tx) =>
        createExperiment(
          { experiments: experimentStore(tx), events: eventStore(tx), now },
          {
            ...{ name, actor },
            project: defaultProject,
            artifactRoot: deps.artifactRoot,
            ...(artifact_location ? { artifactLocation: absoluteLocation(artifact_location, process.cwd()) } : {}),
            tags: tags.map(({ key = '', value = '' }) => ({ key, value })),
          },
        ),
      );
      return { experiment_id };
    },
  );

  addCall(
    app,
    { method: 'GET', path: path('get'), permission: 'read', fields: experimentId },
    async ({ experiment_id = '' }) => ({
      experiment: experimentView(await requireExperiment(experimentStore(database.read), experiment_id)),
    }),
  );

  addCall(
    app,
    {
      method: 'GET',
      path: path('get-by-name'),
      permission: 'read',
      fields: { experiment_name: text({ required: true }) },
    },
    async ({ experiment_name = '' }) => {
      const experiment = await experimentStore(database.read).findByName(experiment_name);
      if (experiment) return { experiment: experimentView(experiment) };
      const message = `Could not find experiment with name '${experiment_name}'`;
      throw new PlatformError('tracking/experiment-not-found', experiment_name, { message });
    },
  );

  addCall(
    app,
    {
      method: ['GET', 'POST'],
      path: path('search'),
      permission: 'read',
      fields: {
        view_type: oneOf(viewTypes),
        max_results: integer(),
        order_by: list(text()),
        filter: text(),
        page_token: text(),
      },
    },
    async (message) => {
      const limit = pageSize(message.max_results, { most: 50_000, usual: 0, refusals: ofExperiments });
      const offset = offsetOf(message.page_token);
      const { experiments, more } = await searchExperiments(database.read, {
        filter: message.filter,
        lifecycles: lifecyclesOf(message.view_type),
        orderBy: message.order_by,
        offset,
        limit,
      });
      return { ...some('experiments', experiments.map(experimentView)), ...nextToken(more, offset, limit) };
    },
  );

  for (const [verb, change] of [
    ['delete', deleteExperiment],
    ['restore', restoreExperiment],
  ] as const) {
    addCall(
      app,
      { method: 'POST', path: path(verb), permission: 'write', fields: experimentId },
      async ({ experiment_id = '' }, { actor }) => {
        await database.write((tx) =>
          change(
            { experiments: experimentStore(tx), runs: runStore(tx), events: eventStore(tx), now },
            experiment_id,
            actor,
          ),
        );
        return {};
      },
    );
  }

  addCall(
    app,
    {
      method: 'POST',
      path: path('update'),
      permission: 'write',
      fields: { ...experimentId, new_name: text({ required: true }) },
    },
    async ({ experiment_id = '', new_name = '' }) => {
      await database.write((tx) =>
        renameExperiment({ experiments: experimentStore(tx), now }, experiment_id, new_name),
      );
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('set-experiment-tag'),
      permission: 'write',
      fields: { ...experimentId, key: text({ required: true }), value: text() },
    },
    async ({ experiment_id = '', key = '', value = '' }) => {
      await database.write((tx) => tagExperiment({ experiments: experimentStore(tx) }, experiment_id, { key, value }));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('delete-experiment-tag'),
      permission: 'write',
      fields: { ...experimentId, key: text({ required: true }) },
    },
    async ({ experiment_id = '', key = '' }) => {
      await database.write((tx) => untagExperiment({ experiments: experimentStore(tx) }, experiment_id, key));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: '/mlflow/experiments/search-datasets',
      permission: 'read',
      fields: { experiment_ids: list(text()) },
    },
    async ({ experiment_ids = [] }) => {
      if (experiment_ids.length === 0) {
        throw invalidRequest('SearchDatasets request must specify at least one experiment_id.');
      }
      if (experiment_ids.length > 20) {
        throw invalidRequest(
          'SearchDatasets request cannot specify more than 20 experiment_ids. ' +
            `Received ${experiment_ids.length} experiment_ids.`,
        );
      }
      const summaries = await runInputStore(database.read).summaries(experiment_ids);
      return some(
        'dataset_summaries',
        summaries.map(({ experimentId, ...summary }) => ({ experiment_id: experimentId, ...summary })),
      );
    },
  );
}
