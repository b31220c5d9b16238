/** Taking in what another tracking server kept: batches of records with their ids, and reading back what came of them. */
import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import { byName, itemsOf, list, maybe, time } from '../http/view.ts';
import type { ArtifactRoot, OpenArtifact } from '../storage/artifact-root.ts';
import type { Database } from '../storage/database.ts';
import type { Tag } from '../tracking/names.ts';
import { defaultProject, taggedProject } from '../tracking/project-tag.ts';
import { importStore, writeRecords } from './import-store.ts';
import { readRecords, summarizePoints } from './imported-store.ts';
import { entityKinds, entityRecord, type MlflowRecord, mlflowRecord } from './mlflow-record.ts';

type Deps = {
  readonly database: Database;
  readonly artifacts: ArtifactRoot;
  readonly now: () => number;
  readonly newId: () => string;
};

const tags = ['imports'];
const params = Type.Object({ id: Type.String() });
const counted = Type.Object({ source: Type.Integer(), here: Type.Integer() });

/** What the command found when it compared both sides. */
const report = Type.Object({
  counts: Type.Record(Type.String({ maxLength: 40 }), counted),
  bytes: Type.Object({ source: Type.Integer(), here: Type.Integer() }),
  differences: Type.Integer({ minimum: 0 }),
  unreachable: Type.Integer({ minimum: 0 }),
});

const written = { records: Type.Integer(), points: Type.Integer({ description: 'Of metrics' }) };
const importView = Type.Object(
  {
    id: Type.String(),
    source: Type.String(),
    actor: Type.String(),
    startedAt: time(),
    endedAt: maybe(time()),
    ...written,
    report: maybe(Type.Unknown({ description: 'What was found when both sides were compared; absent before the end' })),
  },
  { title: 'Import' },
);
const pointsView = Type.Object({
  metrics: Type.Integer(),
  points: Type.Integer(),
  digest: Type.String({ description: 'Over all points, in any order' }),
  latest: Type.String({ description: 'A digest over the last point of each metric' }),
});

/** Far above what the command sends, for a run with very many params. */
const largestBatch = 64 * 2 ** 20;

export const importRoutes =
  ({ database, artifacts, now, newId }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/v1/imports',
      {
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'Begin an import',
          body: Type.Object({ source: Type.String({ minLength: 1, maxLength: 2000 }) }),
          response: { 201: Type.Object({ id: Type.String() }) },
        },
      },
      async ({ body: { source }, actor }, reply) => {
        const id = newId();
        const at = now();
        await database.write(async (tx) => {
          await importStore(tx).insert({ id, source, actor, startedAt: at });
          await eventStore(tx).append({ ...eventOf(id), type: 'interop.import-started', actor, at, data: { source } });
        });
        return reply.code(201).send({ id });
      },
    );

    app.get(
      '/api/v1/imports',
      {
        config: { permission: 'admin' },
        schema: { tags, summary: 'List imports, the newest first', response: { 200: itemsOf(importView) } },
      },
      async () => ({ items: await importStore(database.read).list(100) }),
    );

    app.post(
      '/api/v1/imports/:id/records',
      {
        bodyLimit: largestBatch,
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'Write records with their own ids; writing them again changes nothing',
          params,
          body: Type.Object({ records: Type.Array(mlflowRecord, { maxItems: 1000 }) }),
          response: { 200: Type.Object(written) },
        },
      },
      async ({ params: { id }, body: { records }, actor }) => {
        const at = now();
        const points = records.reduce((sum, one) => sum + (one.kind === 'points' ? one.steps.length : 0), 0);
        await database.write(async (tx) => {
          await importStore(tx).count(id, { records: records.length, points });
          await writeRecords(tx, records, { newId, projectOf });
          const events = eventStore(tx);
          // The registry's history begins here: what was registered, and which version had which name.
          for (const [model, data] of registered(records)) {
            const subject = `model/${model}`;
            await events.append({ type: 'registry.model-imported', project: defaultProject, subject, actor, at, data });
          }
        });
        return { records: records.length, points };
      },
    );

    app.post(
      '/api/v1/imports/read',
      {
        bodyLimit: largestBatch,
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'Read records by their names',
          body: Type.Object({
            kind: Type.Union(entityKinds.map((kind) => Type.Literal(kind))),
            names: Type.Array(Type.String(), { maxItems: 1000 }),
          }),
          response: {
            200: Type.Object({ records: list(entityRecord, { description: 'What is not there is left out' }) }),
          },
        },
      },
      async ({ body: { kind, names } }) => {
        if (kind === 'experiment' && !names.every((name) => /^\d{1,18}$/.test(name))) {
          throw new PlatformError('http/bad-request', 'an experiment id is a number');
        }
        return { records: await readRecords(database.read, kind, names) };
      },
    );

    app.post(
      '/api/v1/imports/read-points',
      {
        bodyLimit: largestBatch,
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'How many points runs have, and digests over them',
          body: Type.Object({ runs: Type.Array(Type.String(), { maxItems: 1000 }) }),
          response: { 200: Type.Object({ points: byName(pointsView, 'By the id of the run') }) },
        },
      },
      async ({ body: { runs } }) => ({ points: await summarizePoints(database.read, runs) }),
    );

    app.post(
      '/api/v1/imports/read-artifacts',
      {
        bodyLimit: largestBatch,
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'Size and SHA-256 of artifacts, by their keys',
          body: Type.Object({ keys: Type.Array(Type.String(), { maxItems: 1000 }) }),
          response: {
            200: itemsOf(
              Type.Object({ key: Type.String(), size: Type.Integer({ description: 'Bytes' }), digest: Type.String() }),
            ),
          },
        },
      },
      async ({ body: { keys } }) => {
        const items: { key: string; size: number; digest: string }[] = [];
        for (const key of keys) {
          const found = await openStored(artifacts, key);
          if (!found) continue;
          items.push({ key, size: found.size, digest: found.digest ?? (await digestOf(found.body)) });
        }
        return { items };
      },
    );

    app.post(
      '/api/v1/imports/:id/end',
      {
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'End an import with what was found when both sides were compared',
          params,
          body: report,
          response: { 200: importView },
        },
      },
      async ({ params: { id }, body, actor }) => {
        const at = now();
        return database.write(async (tx) => {
          const ended = await importStore(tx).end(id, body, at);
          const { source, records, points } = ended;
          const data = { source, records, points, ...body };
          await eventStore(tx).append({ ...eventOf(id), type: 'interop.imported', actor, at, data });
          return ended;
        });
      },
    );
  };

/** A file of a name that cannot be stored is not there. */
async function openStored(artifacts: ArtifactRoot, key: string): Promise<OpenArtifact | undefined> {
  try {
    return await artifacts.open(key);
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'storage/bad-key') return undefined;
    throw error;
  }
}

/** For artifact roots that know none. @returns SHA-256 in hexadecimal digits */
async function digestOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const digester = createHash('sha256');
  for await (const chunk of body) digester.update(chunk);
  return digester.digest('hex');
}

const eventOf = (id: string) => ({ project: defaultProject, subject: `import/${id}` });

const projectOf = (all: readonly Tag[]): string => taggedProject(all) ?? defaultProject;

type Registered = {
  readonly versions: number[];
  readonly aliases: Record<string, number>;
  readonly stages: Record<string, string>;
};

/** What a batch says of each model of the registry. */
function registered(records: readonly MlflowRecord[]): ReadonlyMap<string, Registered> {
  const found = new Map<string, Registered>();
  const of = (model: string): Registered => {
    const one = found.get(model) ?? { versions: [], aliases: {}, stages: {} };
    found.set(model, one);
    return one;
  };
  for (const record of records) {
    if (record.kind === 'model') of(record.name);
    if (record.kind !== 'version') continue;
    const { model, version, aliases, stage, deleted } = record;
    if (deleted) continue;
    const one = of(model);
    one.versions.push(version);
    for (const alias of aliases) one.aliases[alias] = version;
    if (stage !== 'None') one.stages[version] = stage;
  }
  return found;
}
