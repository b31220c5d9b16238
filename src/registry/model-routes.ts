/** Models and their versions over HTTP, for our own clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { eventStore, readEvents } from '../events/event-store.ts';
import { done, pageOf } from '../http/view.ts';
import type { Db } from '../storage/database.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { offsetOf, pageToken } from '../tracking/page-token.ts';
import { defaultProject } from '../tracking/project-tag.ts';
import { runDetails } from '../tracking/run-details-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { deleteModel } from './change-model.ts';
import { deleteAlias, deleteVersion, setAlias, versionByAlias } from './change-version.ts';
import { describeRoutes } from './describe-routes.ts';
import { readLabelEvents } from './label-event-store.ts';
import { labelMoves, labelsAt, momentOf } from './label-history.ts';
import { lineageOfRun } from './lineage-of-run.ts';
import { invalid } from './model-name.ts';
import { modelStore } from './model-store.ts';
import { isServable, type ModelVersion, type RegisteredModel } from './model-version.ts';
import { labelHistoryView, modelDetailView, modelInListView, modelView, versionView } from './model-view.ts';
import { type Phase, phaseEventTypes, phaseOf } from './phase.ts';
import { registerModel, requireModel } from './register-model.ts';
import { registerVersion, requireVersion } from './register-version.ts';
import { registryTrashStore } from './registry-trash-store.ts';
import { resolveSource } from './resolve-source.ts';
import { type SealAdapterDeps, sealAndSave, sealRegistered } from './seal-adapter.ts';
import { searchModels } from './search-models-store.ts';
import { versionStore } from './version-store.ts';

const tags = ['models'];
const name = Type.String({ minLength: 1 });
const ofModel = Type.Object({ name });
const ofVersion = Type.Object({ name, version: Type.Integer({ minimum: 1 }) });
const ofAlias = Type.Object({ name, alias: Type.String({ minLength: 1 }) });
const page = Type.Object({
  project: Type.Optional(Type.String()),
  filter: Type.Optional(Type.String()),
  order: Type.Optional(Type.String({ description: 'As in MLflow: `name`, `last_updated_timestamp DESC`' })),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  cursor: Type.Optional(Type.String()),
});

export const modelRoutes =
  (deps: SealAdapterDeps & { readonly newId: () => string }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { database, now, newId } = deps;
    await app.register(describeRoutes({ database, now }));
    const read = { models: modelStore(database.read), versions: versionStore(database.read) };
    const writing = (tx: Db) => ({
      models: modelStore(tx),
      versions: versionStore(tx),
      trash: registryTrashStore(tx),
      runs: runStore(tx),
      loggedModels: loggedModelStore(tx),
      events: eventStore(tx),
      now,
    });

    /** Shows versions with their phases: one reading of the log for all of them. */
    async function versionViewer() {
      const log = await readEvents(database.read, { types: phaseEventTypes, limit: 10_000, order: 'newest' });
      const events = log.toReversed();
      return (version: ModelVersion) =>
        viewVersion(version, phaseOf({ model: version.model, version: version.version }, events));
    }

    app.get(
      '/api/v1/models',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Search the registered models, with their versions in short',
          querystring: page,
          response: { 200: pageOf(modelInListView) },
        },
      },
      async ({ query: { project, filter, order, limit, cursor } }) => {
        const offset = offsetOf(cursor);
        const orderBy = order === undefined ? [] : order.split(',');
        const { models, more } = await searchModels(database.read, { project, filter, orderBy, offset, limit });
        const found = await read.versions.listOf(models.map((model) => model.name));
        const versions = found.map(await versionViewer());
        const byModel = Map.groupBy(versions, ({ model }) => model);
        const items = models.map((model) => ({
          ...viewModel(model),
          versions: (byModel.get(model.name) ?? []).map(summaryOf),
        }));
        return { items, ...(more && { next: pageToken(offset + limit) }) };
      },
    );

    app.post(
      '/api/v1/models',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Register a model',
          body: Type.Object(
            { name, description: Type.Optional(Type.String()), project: Type.Optional(Type.String()) },
            { additionalProperties: false },
          ),
          response: { 201: modelView },
        },
      },
      async ({ body: { name, description, project = defaultProject }, actor }, reply) => {
        const input = { name, project, actor, ...(description !== undefined && { description }) };
        const model = await database.write((tx) => registerModel(writing(tx), input));
        return reply.code(201).send(viewModel(model));
      },
    );

    app.get(
      '/api/v1/models/:name',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Show a model with its versions',
          params: ofModel,
          response: { 200: modelDetailView },
        },
      },
      async ({ params: { name } }) => {
        const model = await requireModel(read.models, name);
        const versions = await read.versions.list(name);
        return { ...viewModel(model), versions: versions.map(await versionViewer()) };
      },
    );

    app.get(
      '/api/v1/models/:name/history',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Show who moved which alias or stage when, and what they said at a moment',
          params: ofModel,
          querystring: Type.Object({
            at: Type.Optional(
              Type.String({ description: 'A time, or a day for its end: 2026-05-03; without it, now' }),
            ),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Of the newest moves' }),
          }),
          response: { 200: labelHistoryView },
        },
      },
      async ({ params: { name }, query: { at: asked, limit } }) => {
        const at = asked === undefined ? undefined : momentOf(asked);
        if (asked !== undefined && at === undefined) {
          throw invalid('at', `'${asked}' is no day and no time. Write 2026-05-03 or 2026-05-03T10:00:00Z.`);
        }
        const moves = labelMoves(name, await readLabelEvents(database.read, name));
        if (moves.length === 0) await requireModel(read.models, name);
        const { aliases, stages } = labelsAt(moves, at);
        const until = moves.filter((move) => at === undefined || move.at <= at);
        return {
          model: name,
          ...(at !== undefined && { at }),
          aliases: Object.fromEntries(aliases),
          stages: Object.fromEntries(stages),
          moves: until.slice(-limit).toReversed(),
        };
      },
    );

    app.get(
      '/api/v1/models/:name/versions/:version',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Show a version: lineage, signature, findings, files and phase',
          params: ofVersion,
          response: { 200: versionView },
        },
      },
      async ({ params: { name, version } }) => {
        const found = await requireVersion(read.versions, name, version);
        return (await versionViewer())(found);
      },
    );

    app.delete(
      '/api/v1/models/:name',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Move a model with its versions to the trash',
          params: ofModel,
          response: { 204: done },
        },
      },
      async ({ params: { name }, actor }, reply) => {
        const deletion = { id: newId(), actor };
        await database.write((tx) => deleteModel(writing(tx), name, deletion));
        return reply.code(204).send();
      },
    );

    app.delete(
      '/api/v1/models/:name/versions/:version',
      {
        config: { permission: 'write' },
        schema: { tags, summary: 'Move a version to the trash', params: ofVersion, response: { 204: done } },
      },
      async ({ params: { name: model, version }, actor }, reply) => {
        await database.write((tx) => deleteVersion(writing(tx), { model, version, actor }));
        return reply.code(204).send();
      },
    );

    app.post(
      '/api/v1/models/:name/versions',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Register a version',
          params: ofModel,
          body: Type.Object(
            {
              source: Type.String({ minLength: 1 }),
              runId: Type.Optional(Type.String()),
              loggedModelId: Type.Optional(Type.String()),
              description: Type.Optional(Type.String()),
            },
            { additionalProperties: false },
          ),
          response: { 201: versionView },
        },
      },
      async ({ params: { name }, body, actor }, reply) => {
        const version = await database.write(async (tx) => {
          const stores = writing(tx);
          const { runId, loggedModelId, ...resolved } = await resolveSource(stores, body);
          const [run] = runId ? await runDetails(tx, [runId]) : [];
          return registerVersion(stores, {
            model: name,
            actor,
            lineage: lineageOfRun(run),
            ...resolved,
            ...(runId !== undefined && { runId }),
            ...(loggedModelId !== undefined && { loggedModelId }),
            ...(body.description !== undefined && { description: body.description }),
          });
        });
        const sealed = await sealRegistered(deps, version);
        return reply.code(201).send((await versionViewer())(sealed));
      },
    );

    app.post(
      '/api/v1/models/:name/versions/:version/seal',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: "Fix a version's bytes, inspect them, and try whether they run",
          params: ofVersion,
          response: { 200: versionView },
        },
      },
      async ({ params: { name, version }, actor }) => {
        const found = await sealAndSave(deps, { model: name, version, actor });
        return (await versionViewer())(found);
      },
    );

    app.get(
      '/api/v1/models/:name/aliases/:alias',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'Show the version of an alias', params: ofAlias, response: { 200: versionView } },
      },
      async ({ params: { name, alias } }) => {
        const found = await versionByAlias(read, name, alias);
        return (await versionViewer())(found);
      },
    );

    app.put(
      '/api/v1/models/:name/aliases/:alias',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Point an alias at a version',
          params: ofAlias,
          body: Type.Object({ version: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
          response: {
            200: Type.Object({ model: Type.String(), alias: Type.String(), version: Type.Integer() }),
          },
        },
      },
      async ({ params: { name: model, alias }, body: { version }, actor }) => {
        await database.write((tx) => setAlias(writing(tx), { model, alias, version, actor }));
        return { model, alias, version };
      },
    );

    app.delete(
      '/api/v1/models/:name/aliases/:alias',
      {
        config: { permission: 'write' },
        schema: { tags, summary: 'Remove an alias', params: ofAlias, response: { 204: done } },
      },
      async ({ params: { name: model, alias }, actor }, reply) => {
        await database.write((tx) => deleteAlias(writing(tx), { model, alias, actor }));
        return reply.code(204).send();
      },
    );
  };

const viewModel = (model: RegisteredModel) => ({
  name: model.name,
  project: model.project,
  ...(model.description ? { description: model.description } : {}),
  tags: model.tags,
  aliases: model.aliases,
  createdAt: model.createdAt,
  updatedAt: model.updatedAt,
});

const viewVersion = (version: ModelVersion, phase: Phase) => {
  const { storageLocation: _, ...rest } = version;
  return { ...rest, phase, servable: isServable(version) };
};

const summaryOf = ({ version, createdAt, phase, stage, aliases, runId }: ReturnType<typeof viewVersion>) => ({
  version,
  createdAt,
  phase,
  stage,
  aliases,
  ...(runId !== undefined && { runId }),
});
