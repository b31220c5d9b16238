/** MLflow's calls about registered models, their aliases and latest versions. */
import type { FastifyInstance } from 'fastify';
import { eventStore } from '../events/event-store.ts';
import { deleteModel, describeModel, renameModel, tagModel, untagModel } from '../registry/change-model.ts';
import { deleteAlias, setAlias, versionByAlias } from '../registry/change-version.ts';
import { invalid, parseVersion } from '../registry/model-name.ts';
import { modelStore } from '../registry/model-store.ts';
import { type ModelVersion, type RegisteredModel, stageNamed, stages } from '../registry/model-version.ts';
import { registerModel, requireModel } from '../registry/register-model.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { searchModels } from '../registry/search-models-store.ts';
import { versionStore } from '../registry/version-store.ts';
import type { Db } from '../storage/database.ts';
import { offsetOf } from '../tracking/page-token.ts';
import { defaultProject } from '../tracking/project-tag.ts';
import { addCall } from './calls-routes.ts';
import { integer, list, object, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { nextToken, ofRegistry, pageSize } from './paging.ts';
import { modelView, some, versionView } from './views.ts';

const name = { name: text({ required: true }) };
const tagFields = list(object({ key: text(), value: text() }));

export function addModelCalls(app: FastifyInstance, { database, now, newId }: MlflowDeps): void {
  const path = (verb: string) => `/mlflow/registered-models/${verb}`;
  const writing = (tx: Db) => ({
    models: modelStore(tx),
    versions: versionStore(tx),
    trash: registryTrashStore(tx),
    events: eventStore(tx),
    now,
  });

  /** Models with their latest version per stage, for the price of two more queries. */
  async function views(models: readonly RegisteredModel[]) {
    const latest = await versionStore(database.read).latestPerStage(models.map((model) => model.name));
    const byModel = Map.groupBy(latest, ({ model }) => model);
    return models.map((model) => modelView(model, byModel.get(model.name) ?? []));
  }
  const view = async (model: RegisteredModel) => ({ registered_model: (await views([model]))[0] });

  addCall(
    app,
    {
      method: 'POST',
      path: path('create'),
      permission: 'write',
      fields: { ...name, tags: tagFields, description: text() },
    },
    async (message, { actor }) => {
      const model = await database.write((tx) =>
        registerModel(writing(tx), {
          name: message.name ?? '',
          project: defaultProject,
          actor,
          description: message.description ?? '',
          tags: (message.tags ?? []).map(({ key = '', value = '' }) => ({ key, value })),
        }),
      );
      return { registered_model: modelView(model, []) };
    },
  );

  addCall(app, { method: 'GET', path: path('get'), permission: 'read', fields: name }, async (message) =>
    view(await requireModel(modelStore(database.read), message.name ?? '')),
  );

  addCall(
    app,
    { method: 'PATCH', path: path('update'), permission: 'write', fields: { ...name, description: text() } },
    async (message) =>
      view(
        await database.write((tx) =>
          describeModel({ models: modelStore(tx), now }, message.name ?? '', message.description ?? ''),
        ),
      ),
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('rename'),
      permission: 'write',
      fields: { ...name, new_name: text({ required: true }) },
    },
    async (message, { actor }) => {
      const newName = message.new_name ?? '';
      return view(await database.write((tx) => renameModel(writing(tx), message.name ?? '', { newName, actor })));
    },
  );

  addCall(
    app,
    { method: 'DELETE', path: path('delete'), permission: 'write', fields: name },
    async (message, { actor }) => {
      const deletion = { id: newId(), actor };
      await database.write((tx) => deleteModel(writing(tx), message.name ?? '', deletion));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'GET',
      path: path('search'),
      permission: 'read',
      fields: { filter: text(), max_results: integer(), order_by: list(text()), page_token: text() },
    },
    async (message) => {
      const limit = pageSize(message.max_results, { most: 1000, usual: 100, refusals: ofRegistry });
      const offset = offsetOf(message.page_token);
      const { filter, order_by: orderBy } = message;
      const { models, more } = await searchModels(database.read, { filter, orderBy, offset, limit });
      return { ...some('registered_models', await views(models)), ...nextToken(more, offset, limit) };
    },
  );

  addCall(
    app,
    {
      method: ['GET', 'POST'],
      path: path('get-latest-versions'),
      permission: 'read',
      fields: { ...name, stages: list(text()) },
    },
    async (message) => {
      const model = await requireModel(modelStore(database.read), message.name ?? '');
      const asked = (message.stages ?? []).map((text) => {
        const stage = stageNamed(text);
        if (stage) return stage;
        throw invalid('stages', `Invalid Model Version stage: ${text}. Value must be one of ${stages.join(', ')}.`);
      });
      const latest = await versionStore(database.read).latestPerStage([model.name]);
      const wanted = (version: ModelVersion) => asked.length === 0 || asked.includes(version.stage);
      return some('model_versions', latest.filter(wanted).map(versionView));
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('set-tag'),
      permission: 'write',
      fields: { ...name, key: text({ required: true }), value: text() },
    },
    async ({ name = '', key = '', value = '' }, { actor }) => {
      await database.write((tx) => tagModel(writing(tx), name, { tag: { key, value }, actor }));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'DELETE',
      path: path('delete-tag'),
      permission: 'write',
      fields: { ...name, key: text({ required: true }) },
    },
    async ({ name = '', key = '' }, { actor }) => {
      await database.write((tx) => untagModel(writing(tx), name, { key, actor }));
      return {};
    },
  );

  const alias = { ...name, alias: text({ required: true }) };
  addCall(
    app,
    {
      method: 'POST',
      path: path('alias'),
      permission: 'write',
      fields: { ...alias, version: text({ required: true }) },
    },
    async (message, { actor }) => {
      const { name: model = '', alias = '' } = message;
      const version = parseVersion(message.version ?? '');
      await database.write((tx) => setAlias(writing(tx), { model, alias, version, actor }));
      return {};
    },
  );

  addCall(
    app,
    { method: 'GET', path: path('alias'), permission: 'read', fields: alias },
    async ({ name: model = '', alias = '' }) => {
      const stores = { models: modelStore(database.read), versions: versionStore(database.read) };
      const version = await versionByAlias(stores, model, alias);
      // Upstream tells the latest version without its aliases.
      return { model_version: versionView(alias.toLowerCase() === 'latest' ? { ...version, aliases: [] } : version) };
    },
  );

  addCall(
    app,
    { method: 'DELETE', path: path('alias'), permission: 'write', fields: alias },
    async ({ name: model = '', alias = '' }, { actor }) => {
      await database.write((tx) => deleteAlias(writing(tx), { model, alias, actor }));
      return {};
    },
  );
}
