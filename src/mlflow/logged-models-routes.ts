/** MLflow's calls about logged models. */
import type { FastifyInstance } from 'fastify';
import { eventStore } from '../events/event-store.ts';
import { requirePlace } from '../storage/artifact-places.ts';
import {
  addLoggedModelParams,
  createLoggedModel,
  deleteLoggedModel,
  finalizeLoggedModel,
  requireLoggedModel,
  tagLoggedModel,
  untagLoggedModel,
} from '../tracking/change-logged-model.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { loggedModelNotFound } from '../tracking/logged-model.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { invalid } from '../tracking/names.ts';
import { searchLoggedModels } from '../tracking/search-logged-models-store.ts';
import { checkArtifactPath, listFolder } from './artifact-path.ts';
import { addCall } from './calls-routes.ts';
import { decodeToken, encodeToken } from './logged-model-token.ts';
import { flag, integer, list, object, oneOf, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { loggedModelView, some } from './views.ts';

const statuses = { LOGGED_MODEL_PENDING: 1, LOGGED_MODEL_READY: 2, LOGGED_MODEL_UPLOAD_FAILED: 3 } as const;
const keyValues = list(object({ key: text(), value: text() }));
/** Stands in the body besides the address. */
const modelId = { model_id: text({ required: true }) };
const pairs = (items: readonly { readonly key?: string; readonly value?: string }[]) =>
  items.map(({ key = '', value = '' }) => ({ key, value }));

export function addLoggedModelCalls(app: FastifyInstance, deps: MlflowDeps): void {
  const { database, now, newId, random } = deps;
  const root = '/mlflow/logged-models';
  const one = `${root}/:model_id`;

  addCall(
    app,
    {
      method: 'POST',
      path: root,
      permission: 'write',
      fields: {
        experiment_id: text({ required: true }),
        name: text(),
        model_type: text(),
        source_run_id: text(),
        params: keyValues,
        tags: keyValues,
      },
    },
    async (message) => {
      const model = await database.write((tx) =>
        createLoggedModel(
          { experiments: experimentStore(tx), loggedModels: loggedModelStore(tx), now, newId, random },
          {
            experimentId: message.experiment_id ?? '',
            ...(message.name ? { name: message.name } : {}),
            modelType: message.model_type ?? '',
            sourceRunId: message.source_run_id ?? '',
            params: pairs(message.params ?? []),
            tags: pairs(message.tags ?? []),
          },
        ),
      );
      return { model: loggedModelView(model) };
    },
  );

  addCall(
    app,
    { method: 'GET', path: one, permission: 'read', fields: { allow_deleted: flag() } },
    async ({ allow_deleted }, { params }) => {
      const id = params.model_id ?? '';
      const model = await loggedModelStore(database.read).find(id);
      if (!model || (model.lifecycle === 'deleted' && !allow_deleted)) throw loggedModelNotFound(id);
      return { model: loggedModelView(model) };
    },
  );

  addCall(
    app,
    {
      method: 'PATCH',
      path: one,
      permission: 'write',
      fields: { ...modelId, status: oneOf(statuses, { required: true }) },
    },
    async ({ model_id = '', status }) => {
      if (status === undefined) throw invalid('status', 'Unknown logged model status.');
      const model = await database.write((tx) =>
        finalizeLoggedModel({ loggedModels: loggedModelStore(tx), now }, model_id, status),
      );
      return { model: loggedModelView(model) };
    },
  );

  addCall(
    app,
    { method: 'DELETE', path: one, permission: 'write', fields: {} },
    async (_message, { params, actor }) => {
      const id = params.model_id ?? '';
      await database.write((tx) =>
        deleteLoggedModel(
          { loggedModels: loggedModelStore(tx), experiments: experimentStore(tx), events: eventStore(tx), now },
          id,
          actor,
        ),
      );
      return {};
    },
  );

  addCall(
    app,
    { method: 'PATCH', path: `${one}/tags`, permission: 'write', fields: { tags: keyValues } },
    async ({ tags = [] }, { params }) => {
      const id = params.model_id ?? '';
      await database.write((tx) => tagLoggedModel({ loggedModels: loggedModelStore(tx) }, id, pairs(tags)));
      return {};
    },
  );

  addCall(
    app,
    { method: 'DELETE', path: `${one}/tags/:tag_key`, permission: 'write', fields: {} },
    async (_message, { params }) => {
      const { model_id: id = '', tag_key: key = '' } = params;
      await database.write((tx) => untagLoggedModel({ loggedModels: loggedModelStore(tx) }, id, key));
      return {};
    },
  );

  addCall(
    app,
    { method: 'POST', path: `${one}/params`, permission: 'write', fields: { ...modelId, params: keyValues } },
    async (message, { params }) => {
      const id = params.model_id ?? '';
      const added = pairs(message.params ?? []);
      await database.write((tx) => addLoggedModelParams({ loggedModels: loggedModelStore(tx) }, id, added));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: `${root}/search`,
      permission: 'read',
      fields: {
        experiment_ids: list(text(), { required: true }),
        filter: text(),
        datasets: list(object({ dataset_name: text(), dataset_digest: text() })),
        max_results: integer(),
        order_by: list(object({ field_name: text(), ascending: flag(), dataset_name: text(), dataset_digest: text() })),
        page_token: text(),
      },
    },
    async (message) => {
      const { experiment_ids: experimentIds = [], filter, datasets = [], order_by: orders = [], page_token } = message;
      if (datasets.some(({ dataset_name }) => !dataset_name)) {
        throw invalid('datasets', '`dataset_name` in the `datasets` clause must be specified.');
      }
      const query = { experimentIds, filter, orders };
      const offset = decodeToken(page_token, query);
      const limit = Number(message.max_results ?? 0) || 50;
      const { models, more } = await searchLoggedModels(database.read, {
        experimentIds,
        filter,
        datasets: datasets.map(({ dataset_name: name = '', dataset_digest: digest }) =>
          digest ? { name, digest } : { name },
        ),
        orderBy: orders.map(({ field_name = '', ascending = true, dataset_name, dataset_digest }) => ({
          field: field_name,
          ascending,
          dataset: {
            ...(dataset_name ? { name: dataset_name } : {}),
            ...(dataset_digest ? { digest: dataset_digest } : {}),
          },
        })),
        offset,
        limit,
      });
      return {
        ...some('models', models.map(loggedModelView)),
        ...(more ? { next_page_token: encodeToken(offset + limit, query) } : {}),
      };
    },
  );

  addCall(
    app,
    {
      method: 'GET',
      path: `${one}/artifacts/directories`,
      permission: 'read',
      fields: { artifact_directory_path: text() },
    },
    async ({ artifact_directory_path: folder = '' }, { params }) => {
      checkArtifactPath(folder);
      const model = await requireLoggedModel(loggedModelStore(database.read), params.model_id ?? '');
      const files = await listFolder(requirePlace(deps.artifacts, model.artifactLocation), folder);
      return { root_uri: model.artifactLocation, ...some('files', files) };
    },
  );
}
