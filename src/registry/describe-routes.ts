/** What people write on models and versions: descriptions, tags, stages. None of it moves traffic. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { eventStore } from '../events/event-store.ts';
import { done } from '../http/view.ts';
import type { Database } from '../storage/database.ts';
import { describeModel, tagModel, untagModel } from './change-model.ts';
import { describeVersion, setStage, tagVersion, untagVersion } from './change-version.ts';
import { modelStore } from './model-store.ts';
import { stages } from './model-version.ts';
import { versionStore } from './version-store.ts';

const name = Type.String({ minLength: 1 });
const description = Type.Optional(Type.String());
const changedTags = Type.Optional(
  Type.Record(Type.String({ minLength: 1 }), Type.Union([Type.String(), Type.Null()]), {
    description: '`null` removes a tag',
    maxProperties: 100,
  }),
);

export const describeRoutes =
  ({ database, now }: { readonly database: Database; readonly now: () => number }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const writing = (tx: Parameters<typeof modelStore>[0]) => ({
      ...{ models: modelStore(tx), versions: versionStore(tx), events: eventStore(tx), now },
    });

    app.patch(
      '/api/v1/models/:name',
      {
        config: { permission: 'write' },
        schema: {
          tags: ['models'],
          summary: 'Describe a model, set and remove its tags',
          params: Type.Object({ name }),
          body: Type.Object({ description, tags: changedTags }, { additionalProperties: false }),
          response: { 204: done },
        },
      },
      async ({ params: { name }, body: { description, tags = {} }, actor }, reply) => {
        await database.write(async (tx) => {
          const deps = writing(tx);
          if (description !== undefined) await describeModel(deps, name, description);
          for (const [key, value] of Object.entries(tags)) {
            if (value === null) await untagModel(deps, name, { key, actor });
            else await tagModel(deps, name, { tag: { key, value }, actor });
          }
        });
        return reply.code(204).send();
      },
    );

    app.patch(
      '/api/v1/models/:name/versions/:version',
      {
        config: { permission: 'write' },
        schema: {
          tags: ['models'],
          summary: 'Describe a version, set and remove its tags, move it to a stage',
          params: Type.Object({ name, version: Type.Integer({ minimum: 1 }) }),
          body: Type.Object(
            { description, tags: changedTags, stage: Type.Optional(Type.Enum(stages)) },
            { additionalProperties: false },
          ),
          response: { 204: done },
        },
      },
      async ({ params: { name: model, version }, body: { description, tags = {}, stage }, actor }, reply) => {
        await database.write(async (tx) => {
          const deps = writing(tx);
          if (description !== undefined) await describeVersion(deps, model, { version, description });
          if (stage !== undefined) await setStage(deps, { model, version, stage, archiveOthers: false, actor });
          for (const [key, value] of Object.entries(tags)) {
            if (value === null) await untagVersion(deps, { model, version, key, actor });
            else await tagVersion(deps, { model, version, tag: { key, value }, actor });
          }
        });
        return reply.code(204).send();
      },
    );
  };
