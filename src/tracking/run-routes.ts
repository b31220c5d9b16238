/** One run over HTTP, for our own clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { itemsOf, list, maybe, time } from '../http/view.ts';
import { type ArtifactRouteDeps, artifactRoutes } from './artifact-routes.ts';
import { requireRun } from './change-run.ts';
import { experimentStore } from './experiment-store.ts';
import { loggedModelStore } from './logged-model-store.ts';
import { metricStore } from './metric-store.ts';
import { metricStreamRoutes } from './metric-stream-routes.ts';
import { metricAxes, thinnedSeries } from './metric-stretch-store.ts';
import { runNotFound } from './run.ts';
import { runDetails } from './run-details-store.ts';
import { runStore } from './run-store.ts';
import { datasetView, finite, loggedModelView, metricPoint, runDetailView, runView } from './run-view.ts';

const count = (description: string) => maybe(Type.Integer({ description: `${description}; absent for none` }));
const seriesView = Type.Object(
  {
    key: Type.String(),
    axis: Type.Enum(metricAxes),
    width: Type.Integer({ description: 'How many steps, or milliseconds, one stretch spans; 1: nothing is thinned' }),
    points: list(
      Type.Object({
        step: Type.Integer({ description: 'Its last' }),
        at: time('Its last'),
        points: Type.Integer(),
        value: maybe(Type.Number({ description: 'The mean; absent where nothing can be drawn' })),
        min: maybe(Type.Number({ description: 'Absent where all are equal' })),
        max: maybe(Type.Number({ description: 'Absent where all are equal' })),
        nan: count('Points that are NaN'),
        above: count('Points that are infinite'),
        below: count('Points that are infinite and negative'),
      }),
      { description: 'Stretches, in order' },
    ),
  },
  { title: 'MetricSeries' },
);

/** The versions that a run became. Supplied by the registry. */
export type VersionsOfRun = (runId: string) => Promise<readonly { readonly model: string; readonly version: number }[]>;

type Deps = ArtifactRouteDeps & { readonly versionsOfRun?: VersionsOfRun };

const tags = ['runs'];
const params = Type.Object({ id: Type.String() });
const onAxis = Type.Integer({ description: 'A step, or a time in milliseconds' });

export const runRoutes =
  ({ versionsOfRun = async () => [], ...deps }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { database } = deps;
    await app.register(artifactRoutes(deps));
    await app.register(metricStreamRoutes({ database }));

    app.get(
      '/api/v1/runs/:id',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'Show a run and the models it made', params, response: { 200: runDetailView } },
      },
      async ({ params: { id } }) => {
        const [run] = await runDetails(database.read, [id]);
        if (!run) throw runNotFound(id);
        const models = await loggedModelStore(database.read).listByRun(id);
        const project = (await experimentStore(database.read).find(run.experimentId))?.project;
        const datasets = run.datasets.map(datasetView);
        const made = { models: models.map(loggedModelView), versions: await versionsOfRun(id) };
        return { ...runView(run, project), datasets, ...made };
      },
    );

    app.get(
      '/api/v1/runs/:id/series',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Show a metric over its steps or its time, thinned to its lowest and highest value per stretch',
          params,
          querystring: Type.Object({
            key: Type.String({ minLength: 1, description: 'The metric’s name, which may have slashes' }),
            axis: Type.Enum(metricAxes, { default: 'step' }),
            buckets: Type.Integer({ minimum: 10, maximum: 5000, default: 500 }),
            from: Type.Optional(onAxis),
            to: Type.Optional(onAxis),
          }),
          response: { 200: seriesView },
        },
      },
      async ({ params: { id }, query: { key, ...query } }) => {
        await requireRun(runStore(database.read), id);
        return { key, axis: query.axis, ...(await thinnedSeries(database.read, { runId: id, key }, query)) };
      },
    );

    app.get(
      '/api/v1/runs/:id/metrics',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Show the last point of each metric',
          params,
          response: { 200: itemsOf(metricPoint) },
        },
      },
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
  };
