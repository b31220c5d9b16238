/** MLflow's REST face over tracking and registry: translation only. */
import type { FastifyPluginAsync } from 'fastify';
import { ensureDefaultExperiment } from '../tracking/create-experiment.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { addArtifactRoutes } from './artifacts-routes.ts';
import { takeBodies } from './calls-routes.ts';
import { addExperimentCalls } from './experiments-routes.ts';
import { addLoggedModelCalls } from './logged-models-routes.ts';
import { addMetricCalls } from './metrics-routes.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { renderMlflowError } from './mlflow-error.ts';
import { addModelCalls } from './models-routes.ts';
import { addRunCalls } from './runs-routes.ts';
import { addVersionCalls } from './versions-routes.ts';

/** The release whose API this is; clients compare it with their own. */
export const mlflowVersion = '3.17.2';

/** Everything below these is answered in MLflow's form. `/api/v1` is not among them. */
const prefixes = [
  '/api/2.0',
  '/api/3.0',
  '/ajax-api',
  '/get-artifact',
  '/model-versions/get-artifact',
  '/graphql',
  '/gateway',
  '/v1/traces',
];

export const mlflowRoutes =
  (deps: MlflowDeps): FastifyPluginAsync =>
  async (app) => {
    for (const prefix of prefixes) {
      app.rondo.renderErrors(prefix, (error, { path }) => renderMlflowError(error, path));
    }
    const { database, artifactRoot, now } = deps;
    await database.write((tx) => ensureDefaultExperiment({ experiments: experimentStore(tx), now }, artifactRoot));

    await app.register(async (calls) => {
      takeBodies(calls);
      addExperimentCalls(calls, deps);
      addRunCalls(calls, deps);
      addMetricCalls(calls, deps);
      addLoggedModelCalls(calls, deps);
      addModelCalls(calls, deps);
      addVersionCalls(calls, deps);
    });
    await addArtifactRoutes(app, deps);

    app.get('/version', { config: { permission: 'public', anyHost: true } }, async (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send(mlflowVersion),
    );
    const serverInfo = serverInfoOf(deps);
    for (const prefix of ['/api/3.0', '/ajax-api/3.0']) {
      app.get(`${prefix}/mlflow/server-info`, { config: { permission: 'public' } }, async () => serverInfo);
    }
  };

const serverInfoOf = ({ artifacts: { proxied } }: MlflowDeps) => ({
  store_type: 'SqlStore',
  workspaces_enabled: false,
  trace_archival_enabled: false,
  multipart_uploads_enabled: proxied.direct !== undefined,
  multipart_downloads_enabled: proxied.direct !== undefined,
  // That the calls are there; whether a run lies where they work shows each time.
  presigned_upload_run_id_supported: true,
  presigned_upload_model_id_supported: true,
  features_enabled: { gateway: false },
});
