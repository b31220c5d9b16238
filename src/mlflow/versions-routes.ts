/** MLflow's calls about model versions. */
import type { FastifyInstance } from 'fastify';
import { eventStore } from '../events/event-store.ts';
import { deleteVersion, describeVersion, setStage, tagVersion, untagVersion } from '../registry/change-version.ts';
import { lineageOfRun } from '../registry/lineage-of-run.ts';
import { invalid, parseVersion } from '../registry/model-name.ts';
import { modelStore } from '../registry/model-store.ts';
import { isPrompt, isPromptSource } from '../registry/prompt.ts';
import { registerVersion, requireVersion } from '../registry/register-version.ts';
import { resolveSource } from '../registry/resolve-source.ts';
import { searchVersions } from '../registry/search-models-store.ts';
import { versionStore } from '../registry/version-store.ts';
import type { Db } from '../storage/database.ts';
import { requireLoggedModel } from '../tracking/change-logged-model.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { offsetOf } from '../tracking/page-token.ts';
import { runDetails } from '../tracking/run-details-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { addCall } from './calls-routes.ts';
import { flag, integer, list, object, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { nextToken, ofRegistry, pageSize } from './paging.ts';
import { addVersionNote, versionsTag } from './version-note.ts';
import { some, versionView } from './views.ts';

const one = { name: text({ required: true }), version: text({ required: true }) };

export function addVersionCalls(
  app: FastifyInstance,
  { database, onRegistered, sourcePattern, now }: MlflowDeps,
): void {
  const path = (verb: string) => `/mlflow/model-versions/${verb}`;
  const stores = (tx: Db) => ({
    models: modelStore(tx),
    versions: versionStore(tx),
    runs: runStore(tx),
    loggedModels: loggedModelStore(tx),
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
        name: text({ required: true }),
        source: text({ required: true }),
        run_id: text(),
        tags: list(object({ key: text(), value: text() })),
        run_link: text(),
        description: text(),
        model_id: text(),
      },
    },
    async (message, { actor }) => {
      const { name: model = '', source = '', run_link: runLink = '', description = '' } = message;
      if (sourcePattern?.test(source) === false) throw invalid('source', `Invalid model version source: '${source}'.`);
      const tags = (message.tags ?? []).map(({ key = '', value = '' }) => ({ key, value }));
      const version = await database.write(async (tx) => {
        const deps = stores(tx);
        const base = { model, actor, runLink, description, tags };
        if (isPrompt(tags)) {
          if (!isPromptSource(source)) {
            const message = `Invalid prompt source: '${source}'. Prompt sources must use an MLflow placeholder.`;
            throw invalid('source', message);
          }
          return registerVersion(deps, { ...base, source, runId: message.run_id ?? '' });
        }
        const resolved = await resolveSource(deps, {
          source,
          runId: message.run_id,
          loggedModelId: message.model_id,
          workingDirectory: process.cwd(),
        });
        const { loggedModelId } = resolved;
        const [run] = resolved.runId ? await runDetails(tx, [resolved.runId]) : [];
        const version = await registerVersion(deps, {
          ...base,
          lineage: lineageOfRun(run),
          source: resolved.source,
          storageLocation: resolved.storageLocation,
          runId: resolved.runId ?? '',
          ...(loggedModelId ? { loggedModelId } : {}),
        });
        if (loggedModelId) {
          // The logged model tells where it was registered: its page shows it, and the client reads it.
          await deps.loggedModels.hold(loggedModelId); // the list is read, then written
          const logged = await requireLoggedModel(deps.loggedModels, loggedModelId);
          const note = addVersionNote(logged.tags, { name: model, version: version.version });
          await deps.loggedModels.setTags(loggedModelId, [{ key: versionsTag, value: note }]);
        }
        return version;
      });
      return { model_version: versionView(isPrompt(tags) ? version : await onRegistered(version)) };
    },
  );

  addCall(app, { method: 'GET', path: path('get'), permission: 'read', fields: one }, async (message) => ({
    model_version: versionView(
      await requireVersion(versionStore(database.read), message.name ?? '', parseVersion(message.version ?? '')),
    ),
  }));

  addCall(
    app,
    { method: 'PATCH', path: path('update'), permission: 'write', fields: { ...one, description: text() } },
    async (message) => {
      const version = parseVersion(message.version ?? '');
      const { name = '', description } = message;
      const changed = await database.write((tx) => describeVersion(stores(tx), name, { version, description }));
      return { model_version: versionView(changed) };
    },
  );

  addCall(
    app,
    { method: 'DELETE', path: path('delete'), permission: 'write', fields: one },
    async (message, { actor }) => {
      const version = parseVersion(message.version ?? '');
      await database.write((tx) => deleteVersion(stores(tx), { model: message.name ?? '', version, actor }));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('transition-stage'),
      permission: 'write',
      fields: { ...one, stage: text({ required: true }), archive_existing_versions: flag() },
    },
    async (message, { actor }) => {
      const changed = await database.write((tx) =>
        setStage(stores(tx), {
          model: message.name ?? '',
          version: parseVersion(message.version ?? ''),
          stage: message.stage ?? '',
          archiveOthers: message.archive_existing_versions ?? false,
          actor,
        }),
      );
      return { model_version: versionView(changed) };
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
      const limit = pageSize(message.max_results, { most: 200_000, usual: 200_000, refusals: ofRegistry });
      const offset = offsetOf(message.page_token);
      const { filter, order_by: orderBy } = message;
      const { versions, more } = await searchVersions(database.read, { filter, orderBy, offset, limit });
      return { ...some('model_versions', versions.map(versionView)), ...nextToken(more, offset, limit) };
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: path('set-tag'),
      permission: 'write',
      fields: { ...one, key: text({ required: true }), value: text() },
    },
    async ({ name: model = '', version: text = '', key = '', value = '' }, { actor }) => {
      const version = parseVersion(text);
      await database.write((tx) => tagVersion(stores(tx), { model, version, tag: { key, value }, actor }));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'DELETE',
      path: path('delete-tag'),
      permission: 'write',
      fields: { ...one, key: text({ required: true }) },
    },
    async ({ name: model = '', version: text = '', key = '' }, { actor }) => {
      const version = parseVersion(text);
      await database.write((tx) => untagVersion(stores(tx), { model, version, key, actor }));
      return {};
    },
  );
}
