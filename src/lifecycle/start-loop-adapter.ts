/** What closes the loop, opened together: monitors over what is served, and retraining over what they say. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PlatformError } from '../errors.ts';
import { deliveryRoutes } from '../governance/delivery-routes.ts';
import { jobStore } from '../jobs/job-store.ts';
import { monitorRoutes } from '../monitoring/monitor-routes.ts';
import { startMonitorWorker } from '../monitoring/monitor-worker.ts';
import { monitorPlan } from '../monitoring/monitors-config.ts';
import { onlyFeatures } from '../monitoring/reference-profile.ts';
import { profileReader } from '../monitoring/training-profile-adapter.ts';
import type { Execution } from '../pipelines/execution.ts';
import type { ExecutionRequest } from '../pipelines/execution-routes.ts';
import { executionStore } from '../pipelines/execution-store.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { versionStore } from '../registry/version-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import { endpointStore } from '../serving/endpoint-store.ts';
import type { Serving } from '../serving/start-serving-adapter.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Database } from '../storage/database.ts';
import type { CurrentProject, ReadCurrentProject } from './current-project-adapter.ts';
import { parseProject } from './project-file.ts';
import { projectStore } from './project-store.ts';
import { type Executed, startRetrainWorker } from './retrain-worker.ts';
import { startShipAlias } from './ship-alias-worker.ts';
import type { ShipWorker } from './ship-worker.ts';

export type LoopDeps = {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly serving: Pick<Serving, 'log' | 'endpointNow'>;
  readonly readProject: ReadCurrentProject;
  readonly execute: (request: ExecutionRequest) => Promise<Execution>;
  readonly shipments: ShipWorker;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type LoopWorkers = AsyncDisposable & { readonly routes: FastifyPluginAsyncTypebox };

/** The loops look many times a second; a project file is read again at most this often. */
const projectAgeMs = 2000;

export async function startLoopWorkers(deps: LoopDeps): Promise<LoopWorkers> {
  const { database, blobs, serving, execute, shipments, now, newId, onError } = deps;
  const { log } = serving;
  const findProject = projectFinder(deps);
  const endpoints = () => endpointStore(database.read).list();
  const stored = async (name: string) => {
    const found = await endpointStore(database.read).find(name);
    if (!found) throw new PlatformError('serving/unknown-endpoint', name);
    return found;
  };
  const endpointNow = async (name: string) => serving.endpointNow((await stored(name)).endpoint);
  const planFor = async ({ project, name }: Endpoint) => {
    const config = (await findProject(project))?.config;
    return config?.endpoint?.name === name && config.monitors ? monitorPlan(config.monitors) : undefined;
  };
  const readProfile = profileReader(blobs);
  const profileOf = async ({ model, version }: VersionRef) => {
    const found = await registryTrashStore(database.read).findDeployed(model, version);
    const profile = found?.profileDigest === undefined ? undefined : await readProfile(found.profileDigest);
    const inputs = found?.sealed && new Set(found.sealed.inputs.map((input) => input.name));
    return profile && inputs ? onlyFeatures(profile, inputs) : profile;
  };
  const names = async () => (await endpoints()).map(({ endpoint }) => endpoint);

  const monitors = startMonitorWorker({
    ...{ database, planFor, profileOf, now, newId, onError },
    endpoints: names,
    readLog: log.readLog,
    logSignal: log.signal,
  });
  const retraining = startRetrainWorker({
    ...{ database, findProject, endpointNow, now, newId, onError },
    endpoints: names,
    readLog: log.readLog,
    championOf: async (name) => (await stored(name)).traffic.champion,
    execute: async ({ project, actor, like }) => {
      const params = like && (await paramsOf(database, like));
      const { id } = await execute({ project, actor, ...(params && { params }) });
      return { execution: id };
    },
    executed: (id) => executedOf(database, id),
    ship: async (shipment, actor) => {
      const gates = (await findProject(shipment.project))?.config.gates !== undefined;
      return shipments.request(shipment, { actor, gates });
    },
    operation: (id) => jobStore(database.read).find(id),
  });

  const aliases = await startShipAlias({
    ...{ database, shipments, onError },
    championOf: async (name) => (await endpointStore(database.read).find(name))?.traffic.champion,
    projects: async () => {
      const linked = await projectStore(database.read).list();
      // A file that cannot be read says so where it is used; the other projects' moves go on.
      const read = await Promise.allSettled(linked.map(({ name }) => deps.readProject(name)));
      return read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    },
  });

  return {
    routes: async (app) => {
      await app.register(
        monitorRoutes({
          database,
          planFor,
          profileOf,
          endpointNow,
          now,
          newId,
          endpointOf: async (name) => (await stored(name)).endpoint,
        }),
      );
      await app.register(deliveryRoutes({ database, endpoints, endpointNow: serving.endpointNow, now }));
    },
    [Symbol.asyncDispose]: async () => {
      await aliases[Symbol.asyncDispose]();
      await retraining[Symbol.asyncDispose]();
      await monitors[Symbol.asyncDispose]();
    },
  };
}

/** The project's file as it was a moment ago. @returns undefined for a project that is not linked */
function projectFinder({ database, readProject, now, onError }: LoopDeps) {
  const known = new Map<string, { readonly at: number; readonly project: Promise<CurrentProject | undefined> }>();
  const told = new Map<string, string>();
  return (name: string): Promise<CurrentProject | undefined> => {
    const before = known.get(name);
    if (before && now() - before.at < projectAgeMs) return before.project;
    const project = readProject(name).then(
      (current) => {
        told.delete(name);
        return current;
      },
      (error: unknown) => {
        // An endpoint may be made without a project; then nothing is watched.
        if (error instanceof PlatformError && error.code === 'lifecycle/project-not-found') return undefined;
        if (!(error instanceof PlatformError) || !error.code.startsWith('lifecycle/')) throw error;
        // A folder that is gone, or half an edit, does not blind the monitors. It is told once here, and shown with the project.
        if (told.get(name) !== error.message) onError(error);
        told.set(name, error.message);
        return lastProject(database, name);
      },
    );
    known.set(name, { at: now(), project });
    return project;
  };
}

/** As it was when its file could last be read. */
async function lastProject({ read }: Database, name: string): Promise<CurrentProject | undefined> {
  const linked = await projectStore(read).find(name);
  return linked && { name, folder: linked.folder, digest: linked.digest, config: parseProject(linked.file).config };
}

/** What the version was trained with, so that only the data is new. */
async function paramsOf(database: Database, { model, version }: VersionRef): Promise<ExecutionRequest['params']> {
  const execution = (await versionStore(database.read).find(model, version))?.lineage.execution;
  if (execution === undefined) return undefined;
  return (await executionStore(database.read).find(execution))?.plan.request.params;
}

async function executedOf(database: Database, id: string): Promise<Executed> {
  const executions = executionStore(database.read);
  const execution = await executions.find(id);
  if (!execution) return { kind: 'failed', because: 'the execution is gone' };
  switch (execution.state) {
    case 'queued':
    case 'planning':
    case 'running':
      return { kind: 'running' };
    case 'done':
      return { kind: 'done', version: (await executions.steps(id)).find(({ model }) => model !== undefined)?.model };
    case 'failed':
    case 'cancelled':
      return { kind: 'failed', because: execution.error ?? execution.state };
  }
}
