/** Serving as a whole: threads, log, live endpoints and routes, opened in order and closed in the other. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Registry } from 'prom-client';
import { eventStore } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { type EndpointClock, endpointClock } from './endpoint-clock.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { endpointStore } from './endpoint-store.ts';
import { inferRoutes } from './infer-routes.ts';
import { type Inference, startInference } from './inference-adapter.ts';
import { runtimeId } from './inference-runtime.ts';
import { LiveEndpoints, type ResolveVersion } from './live-endpoints.ts';
import { mirrorQueue } from './mirror-queue.ts';
import { predictionIds } from './prediction-id.ts';
import { openPredictionLog, type PredictionLog, type ReadTables } from './prediction-log-store.ts';
import { predictionRoutes } from './prediction-routes.ts';
import { openRuntimes } from './runtime-adapter.ts';
import type { SegmentLimits } from './segment-log-adapter.ts';
import { publishServingMetrics } from './serving-metrics-adapter.ts';
import { followTraffic, type SetTrafficDeps, saveTraffic } from './set-traffic.ts';

export type ServingOptions = {
  readonly database: Database;
  /** Of the prediction log. */
  readonly folder: string;
  readonly resolveVersion: ResolveVersion;
  readonly readTables: ReadTables;
  readonly metrics: Registry;
  /** Of the program. */
  readonly version: string;
  readonly now: () => number;
  /** Batches computed at the same time; absent: one per core, one core left to everything else. */
  readonly concurrency?: number;
  readonly logLimits?: Partial<SegmentLimits>;
};

export type Serving = AsyncDisposable & {
  readonly live: LiveEndpoints;
  readonly log: PredictionLog;
  readonly inference: Inference;
  readonly endpointNow: EndpointClock;
  /** What `setTraffic` and `rollBack` take. */
  readonly trafficDeps: SetTrafficDeps;
  readonly routes: FastifyPluginAsyncTypebox;
  /** Puts in force what the database says: at the start, after an endpoint was saved, when another server changed something. */
  follow(): Promise<ReadonlyMap<string, unknown>>;
};

export async function startServing(options: ServingOptions): Promise<Serving> {
  const { database, now, resolveVersion, readTables, folder, logLimits } = options;
  await using stack = new AsyncDisposableStack();
  const concurrency = options.concurrency ?? Math.max(1, availableParallelism() - 1);
  const log = stack.use(await openPredictionLog({ folder, readTables, ...(logLimits && { limits: logLimits }) }));
  const inference = stack.use(await startInference({ concurrency }));
  const mirrorInference = stack.use(await startInference({ concurrency: 1 }));
  const runtimes = await openRuntimes(folder);
  const runtime = runtimeId(runtimes.current);
  const live = stack.use(new LiveEndpoints({ inference, mirrorInference, log, resolveVersion, runtime }));

  const endpointNow = endpointClock({ watermark: (endpoint) => log.watermark(endpoint), now });
  const clock = () => performance.now();
  const trafficDeps: SetTrafficDeps = {
    live,
    findEndpoint: (name) => endpointStore(database.read).find(name),
    save: (change) =>
      database.write((tx) =>
        saveTraffic({ endpoints: endpointStore(tx), events: eventStore(tx), now, endpointNow }, change),
      ),
  };
  const listEndpoints = () => endpointStore(database.read).list();
  publishServingMetrics(options.metrics, { live, log });
  const newPredictionId = predictionIds(randomBytes(4).toString('hex'));
  const mirrors = mirrorQueue({ log, now, clock });

  const owned = stack.move();
  return {
    live,
    log,
    inference,
    endpointNow,
    trafficDeps,
    routes: async (app) => {
      await app.register(
        inferRoutes({ log, now, clock, newPredictionId, random: Math.random, live, mirrors, version: options.version }),
      );
      await app.register(endpointRoutes({ ...trafficDeps, log, listEndpoints, endpointNow, now }));
      await app.register(predictionRoutes({ inference, resolveVersion, runtimes, log, live }));
    },
    follow: async () => followTraffic({ live, endpoints: await listEndpoints() }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
