/** The composition root: data folder -> stores -> contexts -> server. Nothing imports it but main.ts and tests. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import type { DatasetFolders } from './datasets/add-source-adapter.ts';
import { datasetRoutes } from './datasets/dataset-routes.ts';
import { datasetHandlers, datasetKinds, type ExportEndpoint } from './datasets/dataset-worker.ts';
import { PlatformError } from './errors.ts';
import { startCheckpoints } from './events/checkpoint-worker.ts';
import { startSequencer } from './events/event-sequencer-worker.ts';
import { eventSignal } from './events/event-signal.ts';
import { eventStore, lastPosition, readEvents } from './events/event-store.ts';
import { logProofs } from './events/log-proof-store.ts';
import { gateRoutes } from './gates/gate-routes.ts';
import { gateStore } from './gates/gate-store.ts';
import { gateHandlers, gateKinds } from './gates/gates-worker.ts';
import { aboutRoutes } from './governance/about-routes.ts';
import { approvalRoutes } from './governance/approval-routes.ts';
import { auditRoutes } from './governance/audit-routes.ts';
import { accessRoutes } from './http/access-routes.ts';
import { liveEventRoutes } from './http/live-events.ts';
import { openMetrics } from './http/metrics-routes.ts';
import { isLoopback, requireAdministrator } from './http/require-administrator.ts';
import { buildServer } from './http/server.ts';
import { openSignIn } from './http/sign-in.ts';
import { importRoutes } from './interop/import-routes.ts';
import { forkWorker } from './jobs/fork-worker.ts';
import type { JobHandlers, RunJob } from './jobs/job.ts';
import { jobStore } from './jobs/job-store.ts';
import { operationRoutes } from './jobs/operation-routes.ts';
import { startJobs } from './jobs/start-jobs.ts';
import { consentTo, startConsented } from './lifecycle/consent-adapter.ts';
import { currentProjects } from './lifecycle/current-project-adapter.ts';
import { startNotifyWorker } from './lifecycle/notify-worker.ts';
import { projectRoutes } from './lifecycle/project-routes.ts';
import type { ProjectConfig } from './lifecycle/project-schema.ts';
import { shipRoutes } from './lifecycle/ship-routes.ts';
import { startShipWorker } from './lifecycle/ship-worker.ts';
import { sayReport } from './lifecycle/shipment.ts';
import { startLoopWorkers } from './lifecycle/start-loop-adapter.ts';
import { trainedModels } from './lifecycle/trained-model-adapter.ts';
import { artifactAddress } from './mlflow/artifact-path.ts';
import { mlflowRoutes } from './mlflow/mlflow-routes.ts';
import { registryFacts } from './mlflow/registry-facts-store.ts';
import { mlflowWebhookRoutes } from './mlflow/webhooks-routes.ts';
import { onlyFeatures, referenceBins } from './monitoring/reference-profile.ts';
import { monitoringHandlers, profileReader, storeTrainingProfile } from './monitoring/training-profile-adapter.ts';
import { startDeliveries } from './notify/delivery-worker.ts';
import { startOutbox } from './notify/outbox-worker.ts';
import { openSecretBox } from './notify/secret-box-adapter.ts';
import { webhookRoutes } from './notify/webhook-routes.ts';
import { executionRoutes, requestExecution } from './pipelines/execution-routes.ts';
import { pipelineHandlers, pipelineKinds } from './pipelines/pipeline-worker.ts';
import { startRegistrations } from './pipelines/registration-worker.ts';
import { modelRoutes } from './registry/model-routes.ts';
import { isServable, type ModelVersion, requireServable } from './registry/model-version.ts';
import { registryTrashStore } from './registry/registry-trash-store.ts';
import { sealAndSave, sealRegistered } from './registry/seal-adapter.ts';
import type { ExamineModel } from './registry/seal-version.ts';
import { versionStore } from './registry/version-store.ts';
import { rolloutPlan } from './rollouts/rollout-config.ts';
import { rolloutRoutes } from './rollouts/rollout-routes.ts';
import { type RolloutServing, startRolloutWorker } from './rollouts/rollout-worker.ts';
import type { RolloutStart } from './rollouts/start-rollout.ts';
import {
  exportEndpoint as exportLog,
  readTablesWith,
  servingHandlers,
  startCompaction,
  tablesFolderOf,
} from './serving/compact-log-worker.ts';
import type { Endpoint } from './serving/endpoint.ts';
import { endpointOf } from './serving/endpoint-config.ts';
import { endpointStore, type StoredEndpoint } from './serving/endpoint-store.ts';
import { ModelExaminer } from './serving/examine-model-adapter.ts';
import type { LiveEndpoints, ResolveVersion } from './serving/live-endpoints.ts';
import { saveEndpoint } from './serving/save-endpoint.ts';
import { followTraffic, setTraffic } from './serving/set-traffic.ts';
import { startServing } from './serving/start-serving-adapter.ts';
import { noTraffic, type VersionRef } from './serving/traffic.ts';
import { type BlobStore, openBlobFolder } from './storage/blob-store.ts';
import type { Database, DatabaseState } from './storage/database.ts';
import { openArtifacts } from './storage/open-artifacts.ts';
import { openDatabase } from './storage/open-database.ts';
import { experimentRoutes } from './tracking/experiment-routes.ts';
import { runListRoutes } from './tracking/run-list-routes.ts';
import { runRoutes } from './tracking/run-routes.ts';
import { previewHandlers, previewTableWith } from './tracking/table-preview-worker.ts';
import { startPurgeWorker } from './trash/purge-worker.ts';
import { trashRoutes } from './trash/trash-routes.ts';

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
  const artifacts = await openArtifacts(config, { database, blobs });
  const artifactRoot = config.defaultArtifactRoot;
  const metrics = openMetrics({ version });
  if (database.dialect === 'postgres') resources.use(startSequencer({ database, onError }));
  resources.use(await startCheckpoints({ database, folder: dataFolder, now, onError }));
  const signal = eventSignal(database);

  // Serving asks the worker for old records, and jobs ask serving for models: each is called only once both are open.
  const runJob: RunJob = (kind, input, run) => jobs.run(kind, input, run);
  const predictionFolder = join(dataFolder, 'predictions');
  const resolveVersion = versionResolver(database, blobs);
  const serving = resources.use(
    await startServing({
      database,
      folder: predictionFolder,
      resolveVersion,
      readTables: readTablesWith(runJob),
      metrics,
      version,
      now,
    }),
  );
  const { inference, live, endpointNow } = serving;
  const examiner = resources.use(
    new ModelExaminer({ spawn: () => forkWorker({ entry: options.entry, role: 'examine', env: options.env }) }),
  );
  const examine: ExamineModel = ({ digest, beside }) => examiner.examine({ path: blobs.path(digest), beside });
  const sealing = { database, artifacts, blobs, now, examine };
  const seal = ({ model, version: number }: VersionRef) =>
    sealAndSave(sealing, { model, version: number, actor: 'rule:registry' });
  const onRegistered = (version: ModelVersion) => sealRegistered(sealing, version);
  const findEndpoint = (name: string) => endpointStore(database.read).find(name);

  const takeUp = endpointUpdater({ database, live, now });
  const readProject = currentProjects({ database, now, afterwards: takeUp });

  const folders = datasetFoldersOf(dataFolder);
  const logFolder = join(dataFolder, 'executions');
  const exportEndpoint: ExportEndpoint = async ({ endpoint: name, lastMs, folder }, signal) => {
    const stored = await findEndpoint(name);
    // Before the first prediction there is nothing to write, and that is no error: the loop has to begin somewhere.
    if (!stored?.traffic.champion) return;
    const to = endpointNow(stored.endpoint) - labelMaturityMs;
    const from = lastMs === undefined ? 0 : endpointNow(stored.endpoint) - lastMs;
    await exportLog(
      { log: serving.log, live, run: runJob },
      { endpoint: name, span: { from, to }, out: join(folder, `${name}.parquet`) },
      signal,
    );
  };
  const exports = { exportEndpoint, tempFolder: folders.tempFolder };
  const address = { url: '' };
  const jobs = resources.use(
    await startJobs({
      database,
      spawn: () =>
        forkWorker({ entry: options.entry, env: { ...options.env, RONDO_DATA: dataFolder }, keep: ['RONDO_DATA'] }),
      kinds: {
        ...datasetKinds({ ...exports, now }),
        ...pipelineKinds({
          ...exports,
          read: database.read,
          logFolder,
          now,
          newId,
          onRegistering: () => registrations.look(),
          stepEnvironment: async ({ project }) => ({
            MLFLOW_TRACKING_URI: address.url,
            MLFLOW_EXPERIMENT_NAME: project,
            // Run from the sources, `rondo/client` is a source file too.
            ...(options.entry.endsWith('.ts') && { NODE_OPTIONS: '--conditions=rondo-source' }),
            ...(options.localToken && { MLFLOW_TRACKING_TOKEN: options.localToken }),
          }),
        }),
        ...gateKinds({
          read: database.read,
          blobs,
          seal,
          now,
          rulesOf: async ({ project }) => {
            const { gates, model, endpoint } = (await readProject(project)).config;
            if (!gates || !model) return undefined;
            const champion = endpoint && (await findEndpoint(endpoint.name))?.traffic.champion;
            return { gates, task: model.task, target: model.target ?? 'target', ...(champion && { champion }) };
          },
        }),
      },
      now,
      newId,
      onError,
    }),
  );
  const registrations = resources.use(
    startRegistrations({
      database,
      registerModel: trainedModels({
        database,
        artifacts,
        blobs,
        readProject,
        profileTraining: (rows) =>
          storeTrainingProfile({ run: runJob, blobs, tempFolder: folders.tempFolder, newId }, rows),
        artifactRoot,
        onRegistered,
        now,
        newId,
        random: Math.random,
      }),
      run: runJob,
      now,
      newId,
      onError,
    }),
  );

  resources.use(
    startCompaction({
      log: serving.log,
      live,
      run: runJob,
      folder: tablesFolderOf(predictionFolder),
      onError,
    }),
  );

  const forRollouts: RolloutServing = {
    trafficOf: async (name) => (await findEndpoint(name))?.traffic ?? noTraffic,
    setTraffic: ({ endpoint, after, traffic: next, reason, actor }) =>
      setTraffic(serving.trafficDeps, {
        ...{ endpoint, reason, actor },
        change: (current) => {
          if (current.generation !== after) throw new PlatformError('rollouts/generation-passed', endpoint);
          return next;
        },
      }).catch((error: unknown) => {
        const passed =
          error instanceof PlatformError && /^(rollouts\/generation-passed|serving\/traffic-changed)$/.test(error.code);
        if (passed) return undefined;
        throw error;
      }),
    load: async (_endpoint, ref) => {
      try {
        const found = await resolveVersion(ref);
        if (!found) return { kind: 'failed', problem: 'it is not sealed' };
        using lease = await inference.load({ key: `${ref.model}@${ref.version}`, ...found });
        return lease.warmUpError === undefined ? { kind: 'ready' } : { kind: 'failed', problem: lease.warmUpError };
      } catch (error) {
        return { kind: 'failed', problem: error instanceof Error ? error.message : String(error) };
      }
    },
    readLog: serving.log.readLog,
    logSignal: serving.log.signal,
    lastSeq: async (name) => {
      await serving.log.open(name);
      return serving.log.stats(name).last;
    },
    endpointNow: async (name) => endpointNow((await findEndpoint(name))?.endpoint ?? { name }),
  };
  // Opens the logs as well: whoever decides must not take the wall clock for an endpoint's own, as long as that is unknown.
  for (const [name, problem] of await serving.follow()) {
    log.error({ err: problem, endpoint: name }, 'an endpoint cannot serve what it should');
  }
  const rollouts = resources.use(startRolloutWorker({ database, serving: forRollouts, now, newId, onError }));
  const planFor = async ({ project }: Pick<Endpoint, 'project'>) =>
    rolloutPlan((await readProject(project)).config.rollout);
  const existingEndpoint = async (name: string): Promise<Endpoint> => {
    const stored = await findEndpoint(name);
    if (!stored) throw new PlatformError('serving/unknown-endpoint', name);
    return stored.endpoint;
  };
  const forConsent = { database, readProject, now, newId };
  const shipments = resources.use(
    startShipWorker({
      database,
      consentTo: (shipment, given) => consentTo(forConsent, shipment, given),
      rollOut: async ({ endpoint: name, model, version: number, force, reason, consent = false }, gates, actor) => {
        requireServable(await seal({ model, version: number }));
        const endpoint = await existingEndpoint(name);
        const challenger = { model, version: number };
        const plan = await planFor(endpoint);
        const start = { endpoint, challenger, plan, gates, force, reason, actor, consent };
        return startConsented(forConsent, rollouts, start);
      },
      now,
      newId,
      onError,
    }),
  );

  const forExecutions: Parameters<typeof requestExecution>[0] = {
    ...{ database, logFolder, now, newId },
    readProject: async (name) => {
      const { folder, config: project } = await readProject(name);
      const { data = {}, pipeline, model } = project;
      return { folder, data, ...(pipeline && { pipeline }), ...(model && { model: model.name }) };
    },
  };
  const loop = resources.use(
    await startLoopWorkers({
      ...{ database, blobs, serving, readProject, shipments, now, newId, onError },
      execute: (request) => requestExecution(forExecutions, request),
    }),
  );

  const served = async () =>
    (await endpointStore(database.read).list()).flatMap(({ endpoint, traffic: { champion, previous, rollout } }) =>
      [champion, previous, rollout?.challenger].flatMap((ref) => (ref ? [{ endpoint: endpoint.name, ...ref }] : [])),
    );
  const purging = { database, artifacts, blobs, served, now, newId, onError };
  const purges = resources.use(startPurgeWorker(purging));

  const webhookSecrets = await openSecretBox(join(dataFolder, 'keys', 'webhooks'));
  const deliveries = resources.use(
    await startDeliveries({
      ...{ database, version, now, onError },
      ...{ secrets: webhookSecrets, policy: config.webhooks, environment: config.environment, random: Math.random },
      timeoutMs: config.webhooks.timeoutMs,
    }),
  );
  resources.use(startOutbox({ database, factsOf: registryFacts, now, onError }));
  resources.use(startNotifyWorker({ database, now, onError }));
  const webhooks = {
    ...{ database, deliveries, now, newUuid: randomUUID },
    ...{ secrets: webhookSecrets, policy: config.webhooks },
  };

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
    names: artifactAddress,
    authenticate,
    metrics,
    uiFolder: options.uiFolder,
    readiness: () => ({ reasons: reasonsNotReady(database.state()) }),
  });
  // Steps of pipelines report to this server at the address it really got.
  server.addHook('onListen', async () => {
    const at = server.server.address();
    if (at === null || typeof at === 'string') return;
    address.url = `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`;
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
  await server.register(projectRoutes({ database, now, afterwards: takeUp }));
  await server.register(
    datasetRoutes({
      database,
      jobs,
      folder: folders.folder,
      readProject: async (name) => {
        const { folder, config: project } = await readProject(name);
        return { folder, data: project.data ?? {} };
      },
    }),
  );
  await server.register(executionRoutes(forExecutions));
  await server.register(gateRoutes({ database, now, newId }));
  await server.register(shipRoutes({ database, readProject, shipments }));
  await server.register(
    rolloutRoutes({
      database,
      rollouts: { ...rollouts, start: (input) => startConsented(forConsent, rollouts, input) },
      endpointOf: existingEndpoint,
      planFor,
      gatesOf: async (ref) => {
        const report = await gateStore(database.read).latest(ref.model, ref.version);
        return report && ({ outcome: report.outcome, reason: sayReport(report) } satisfies RolloutStart['gates']);
      },
    }),
  );
  await server.register(approvalRoutes({ database, now }));
  await server.register(loop.routes);
  await server.register(serving.routes);
  await server.register(experimentRoutes({ database, artifactRoot, now }));
  await server.register(
    runRoutes({
      ...{ database, artifacts, previewTable: previewTableWith(runJob), tempFolder: folders.tempFolder },
      versionsOfRun: async (id) =>
        (await versionStore(database.read).listByRun(id)).map(({ model, version }) => ({ model, version })),
    }),
  );
  await server.register(runListRoutes({ database, now }));
  await server.register(modelRoutes({ ...sealing, newId }));
  await server.register(webhookRoutes(webhooks));
  await server.register(importRoutes({ database, artifacts: artifacts.proxied, now, newId }));
  await server.register(trashRoutes({ ...purging, worker: purges }));
  await server.register(
    mlflowRoutes({
      ...{ database, artifacts, artifactRoot, onRegistered, sourcePattern: config.sourcePattern },
      ...{ now, newId, random: Math.random },
    }),
  );
  await server.register(mlflowWebhookRoutes(webhooks));

  const opened = resources.move();
  return { server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What a worker process can do; it knows the data folder and nothing else. */
export function workerHandlers(dataFolder: string): JobHandlers {
  const folders = datasetFoldersOf(dataFolder);
  return {
    ...datasetHandlers(folders),
    ...pipelineHandlers(folders),
    ...gateHandlers(),
    ...servingHandlers(folders),
    ...monitoringHandlers(),
    ...previewHandlers(),
  };
}

const datasetFoldersOf = (dataFolder: string): DatasetFolders => ({
  folder: join(dataFolder, 'datasets'),
  tempFolder: join(dataFolder, 'tmp'),
});

/** A label this young may still be missing: rows are not written out for training before. */
const labelMaturityMs = 86_400_000;

function versionResolver(database: Database, blobs: BlobStore): ResolveVersion {
  const readProfile = profileReader(blobs);
  return async ({ model, version: number }) => {
    const version = await registryTrashStore(database.read).findDeployed(model, number);
    const { sealed, lineage } = version ?? {};
    // What the seal refused is never given to the runtime: it may name files of this machine, or sizes that kill the process.
    if (!version || !isServable(version) || !sealed?.onnxDigest) return undefined;
    const profile = version.profileDigest === undefined ? undefined : await readProfile(version.profileDigest);
    return {
      model,
      version: number,
      path: blobs.path(sealed.onnxDigest),
      inputs: sealed.inputs,
      outputs: sealed.outputs,
      ...(lineage && { lineage }),
      ...(profile && { bins: referenceBins(onlyFeatures(profile, new Set(sealed.inputs.map(({ name }) => name)))) }),
    };
  };
}

/** What a project's file says about its endpoint is in force as soon as it is linked or changed. */
const endpointUpdater =
  ({
    database,
    live,
    now,
  }: {
    readonly database: Database;
    readonly live: LiveEndpoints;
    readonly now: () => number;
  }) =>
  async (project: string, { endpoint, model }: ProjectConfig): Promise<void> => {
    if (!endpoint || !model) return;
    const { task, target } = model;
    const settings = endpointOf(endpoint, { project, task, ...(target !== undefined && { target }) });
    await database.write((tx) =>
      saveEndpoint(
        { endpoints: endpointStore(tx), events: eventStore(tx), now },
        { endpoint: settings, actor: 'rule:project-file' },
      ),
    );
    const stored: StoredEndpoint | undefined = await endpointStore(database.read).find(settings.name);
    if (stored) await followTraffic({ live, endpoints: [stored] });
  };

function reasonsNotReady(state: DatabaseState): readonly string[] {
  return state.kind === 'ready' ? [] : [`the database is ${state.kind}: ${state.reason}`];
}
