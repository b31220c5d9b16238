/** Single predictions over HTTP: what was answered, what others would have said, and whether it can be computed again. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import '../http/fastify-types.ts';
import type { LiveEndpoints } from './live-endpoints.ts';
import type { PredictionLog } from './prediction-log-store.ts';
import { predictionView, replayView } from './prediction-view.ts';
import { type ReplayDeps, replayPrediction } from './replay-prediction.ts';

export type PredictionRoutesDeps = ReplayDeps & {
  readonly log: Pick<PredictionLog, 'find'>;
  readonly live: LiveEndpoints;
};

const tags = ['serving'];
const OnePrediction = Type.Object({ id: Type.String({ maxLength: 64 }) });

export const predictionRoutes =
  (deps: PredictionRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const find = async (id: string) => {
      const records = await deps.log.find(id);
      const prediction = records.find((record) => record.kind === 'prediction');
      if (!prediction) throw new PlatformError('serving/prediction-not-found', id);
      return { prediction, mirrors: records.filter((record) => record.kind === 'mirror') };
    };

    app.get(
      '/api/v1/predictions/:id',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'One logged prediction, and what other versions said about it',
          params: OnePrediction,
          response: { 200: predictionView },
        },
      },
      async ({ params }) => {
        const { prediction, mirrors } = await find(params.id);
        return { ...prediction, mirrors };
      },
    );

    app.post(
      '/api/v1/predictions/:id/replay',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'Compute a logged prediction again, and name what made it',
          params: OnePrediction,
          response: { 200: replayView },
        },
      },
      async ({ params }) => {
        const { prediction: record } = await find(params.id);
        const { endpoint } = deps.live.get(record.endpoint).plan;
        return replayPrediction(deps, { record, endpoint });
      },
    );
  };
