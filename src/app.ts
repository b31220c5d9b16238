/** The composition root: data folder -> stores -> contexts -> server. Nothing imports it but main.ts and tests. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import type { DatasetFolders } from './datasets/add-source-adapter.ts';
import { datasetRoutes } from './datasets/dataset-routes.ts';
import { datasetHandlers, datasetKinds, type ExportEndpoint } from './datasets/dataset-worker.ts';
import { startCheckpoints } from './events/checkpoint-worker.ts';
import { startSequencer } from './events/event-sequencer-worker.ts';
import { eventSignal } from './events/event-signal.ts';
import { lastPosition, readEvents } from './events/event-store.ts';
import { logProofs } from './events/log-proof-store.ts';
import { aboutRoutes } from './governance/about-routes.ts';
import { auditRoutes } from './governance/audit-routes.ts';
import { accessRoutes } from './http/access-routes.ts';
import { liveEventRoutes } from './http/live-events.ts';
import { openMetrics } from './http/metrics-routes.ts';
import { isLoopback, requireAdministrator } from './http/require-administrator.ts';
import { buildServer } from './http/server.ts';
import { openSignIn } from './http/sign-in.ts';
import { forkWorker } from './jobs/fork-worker.ts';
import type { JobHandlers } from './jobs/job.ts';
import { jobStore } from './jobs/job-store.ts';
import { operationRoutes } from './jobs/operation-routes.ts';
import { startJobs } from './jobs/start-jobs.ts';
import { currentProjects } from './lifecycle/current-project-adapter.ts';
import { projectRoutes } from './lifecycle/project-routes.ts';
import { mlflowRoutes } from './mlflow/mlflow-routes.ts';
import { blobArtifactRoot } from './storage/artifact-blobs.ts';
import { openArtifactFolder } from './storage/artifact-folder.ts';
import { openBlobFolder } from './storage/blob-store.ts';
import type { DatabaseState } from './storage/database.ts';
import { openDatabase } from './storage/open-database.ts';

export type AppOptions = {
  readonly config: Config;
  readonly version: string;
  readonly log: FastifyBaseLogger;
  /** The built pages. */
  readonly uiFolder: string;
  /** The program's entry and the environment of worker processes. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lets the commands of the same user in. */
  readonly localToken?: string | undefined;
};

export type App = AsyncDisposable & { readonly server: FastifyInstance };

/** Opened, with every route registered and every loop running; `startServer` or `inject` comes next. */
export async function openApp(options: AppOptions): Promise<App> {
  const { config, log, version } = options;
  const { dataFolder, host } = config;
  const now = () => Date.now();
  const newId = () => randomUUID().replaceAll('-', '');
  const onError = (error: unknown) => log.error({ err: error }, 'a background loop failed; it goes on');
  await using resources = new AsyncDisposableStack();

  const database = resources.use(await openDatabase({ folder: dataFolder, url: config.databaseUrl }));
  await requireAdministrator({ database, host, adminPassword: config.adminPassword, now });
  const blobs = await openBlobFolder(join(dataFolder, 'blobs'));
  const artifacts = config.artifactsDestination
    ? await openArtifactFolder(config.artifactsDestination)
    : blobArtifactRoot({ database, blobs });
  const metrics = openMetrics({ version });
  if (database.dialect === 'postgres') resources.use(startSequencer({ database, onError }));
  resources.use(await startCheckpoints({ database, folder: dataFolder, now, onError }));
  const signal = eventSignal(database);

  const datasetFolders = datasetFoldersOf(dataFolder);
  const exportEndpoint: ExportEndpoint = async () => {};
  const jobs = resources.use(
    await startJobs({
      database,
      spawn: () =>
        forkWorker({ entry: options.entry, env: { ...options.env, RONDO_DATA: dataFolder }, keep: ['RONDO_DATA'] }),
      kinds: { ...datasetKinds({ now, exportEndpoint, tempFolder: datasetFolders.tempFolder }) },
      now,
      newId,
      onError,
    }),
  );

  const readProject = currentProjects({ database, now, afterwards: async () => {} });

  const authenticate = resources.use(
    await openSignIn({ database, now, log, loopback: isLoopback(host), localToken: options.localToken }),
  );
  const server = await buildServer({
    log,
    version,
    host,
    allowedHosts: config.allowedHosts,
    corsAllowedOrigins: config.corsAllowedOrigins,
    staticPrefix: config.staticPrefix,
    authenticate,
    metrics,
    uiFolder: options.uiFolder,
    readiness: () => ({ reasons: reasonsNotReady(database.state()) }),
  });
  await server.register(aboutRoutes({ version, dataFolder, now }));
  await server.register(accessRoutes({ database, now, newId }));
  await server.register(
    liveEventRoutes({
      source: {
        read: ({ after, limit }) => readEvents(database.read, { after, limit }),
        lastPosition: () => lastPosition(database.read),
        onAppend: (listener) => signal.onAppend(listener),
      },
    }),
  );
  await server.register(operationRoutes({ jobs, reads: () => jobStore(database.read) }));
  await server.register(
    auditRoutes({
      database,
      proofs: logProofs(database.read),
      checkpointFolders: [join(dataFolder, 'checkpoints')],
      now,
    }),
  );
  await server.register(projectRoutes({ database, now, afterwards: async () => {} }));
  await server.register(
    datasetRoutes({
      database,
      jobs,
      folder: datasetFolders.folder,
      readProject: async (name) => {
        const { folder, config } = await readProject(name);
        return { folder, data: config.data ?? {} };
      },
    }),
  );
  await server.register(
    mlflowRoutes({
      database,
      artifacts,
      artifactRoot: config.defaultArtifactRoot ?? 'mlflow-artifacts:/',
      now,
      newId,
      random: Math.random,
    }),
  );

  const opened = resources.move();
  return { server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What a worker process can do; it knows the data folder and nothing else. */
export function workerHandlers(dataFolder: string): JobHandlers {
  return { ...datasetHandlers(datasetFoldersOf(dataFolder)) };
}

const datasetFoldersOf = (dataFolder: string): DatasetFolders => ({
  folder: join(dataFolder, 'datasets'),
  tempFolder: join(dataFolder, 'tmp'),
});

function reasonsNotReady(state: DatabaseState): readonly string[] {
  return state.kind === 'ready' ? [] : [`the database is ${state.kind}: ${state.reason}`];
}
