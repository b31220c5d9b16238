/** One run over HTTP, for our own clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ArtifactPlaces } from '../storage/artifact-places.ts';
import type { Database } from '../storage/database.ts';
import { requireRun } from './change-run.ts';
import { loggedModelStore } from './logged-model-store.ts';
import { metricStore } from './metric-store.ts';
import { runNotFound } from './run.ts';
import { runDetails } from './run-details-store.ts';
import { runStore } from './run-store.ts';
import { finite, loggedModelView, runView } from './run-view.ts';

/** The versions that a run became. Supplied by the registry. */
export type VersionsOfRun = (runId: string) => Promise<readonly { readonly model: string; readonly version: number }[]>;

type Deps = {
  readonly database: Database;
  readonly artifacts: ArtifactPlaces;
  readonly versionsOfRun?: VersionsOfRun;
};

const tags = ['runs'];
const params = Type.Object({ id: Type.String() });

export const runRoutes =
  ({ database, artifacts, versionsOfRun = async () => [] }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/runs/:id',
      { config: { permission: 'read' }, schema: { tags, summary: 'Show a run and the models it made', params } },
      async ({ params: { id } }) => {
        const [run] = await runDetails(database.read, [id]);
        if (!run) throw runNotFound(id);
        const models = await loggedModelStore(database.read).listByRun(id);
        return { ...runView(run), models: models.map(loggedModelView), versions: await versionsOfRun(id) };
      },
    );

    app.get(
      '/api/v1/runs/:id/metrics/:key',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Show a metric over its steps, thinned to its lowest and highest value per stretch',
          params: Type.Object({ id: Type.String(), key: Type.String() }),
          querystring: Type.Object({ buckets: Type.Integer({ minimum: 10, maximum: 5000, default: 500 }) }),
        },
      },
      async ({ params: { id, key }, query: { buckets } }) => {
        await requireRun(runStore(database.read), id);
        return { key, points: await metricStore(database.read).envelope(id, key, buckets) };
      },
    );

    app.get(
      '/api/v1/runs/:id/metrics',
      { config: { permission: 'read' }, schema: { tags, summary: 'Show the last point of each metric', params } },
      async ({ params: { id } }) => {
        await requireRun(runStore(database.read), id);
        const metrics = await metricStore(database.read).latest(id);
        return {
          items: metrics.map(({ key, value, step, timestamp }) => ({
            key,
            value: finite(value),
            step: Number(step),
            at: Number(timestamp),
          })),
        };
      },
    );

    app.get(
      '/api/v1/runs/:id/artifacts',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List a folder of a run’s artifacts, and of the models it made',
          params,
          querystring: Type.Object({ path: Type.String({ default: '' }) }),
        },
      },
      async ({ params: { id }, query: { path } }) => {
        const run = await requireRun(runStore(database.read), id);
        const models = path === '' ? await loggedModelStore(database.read).listByRun(id) : [];
        const place = artifacts.find(run.artifactUri);
        const start = place?.key ?? '';
        const entries = (await place?.root.list(path === '' ? start : `${start}/${path}`)) ?? [];
        return {
          items: entries.map(({ path: key, size, isFolder }) => ({
            path: key.slice(start.length + 1),
            isFolder,
            size,
          })),
          models: models.map(loggedModelView),
        };
      },
    );
  };
