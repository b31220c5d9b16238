/** Serving with its HTTP server over a real database, log and models. Tests and benches only. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { eventStore } from '../events/event-store.ts';
import { openMetrics } from '../http/metrics-routes.ts';
import { openTestServer } from '../http/test-server.ts';
import type { Database } from '../storage/database.ts';
import { openDatabase } from '../storage/open-database.ts';
import type { Endpoint } from './endpoint.ts';
import { endpointStore } from './endpoint-store.ts';
import type { ServableVersion } from './model-signature.ts';
import { saveEndpoint } from './save-endpoint.ts';
import { setTraffic } from './set-traffic.ts';
import { type Serving, type ServingOptions, startServing } from './start-serving-adapter.ts';
import type { NewTraffic } from './traffic.ts';

export type TestServing = AsyncDisposable & {
  readonly app: FastifyInstance;
  readonly serving: Serving;
  readonly database: Database;
  readonly folder: string;
  /** Makes a version loadable. */
  addVersion(version: Omit<ServableVersion, 'path'>, bytes: Uint8Array): Promise<void>;
  addEndpoint(endpoint: Partial<Endpoint> & { readonly name: string }, traffic?: NewTraffic): Promise<void>;
  setTraffic(endpoint: string, traffic: NewTraffic): Promise<void>;
  infer(endpoint: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
};

export async function openTestServing(
  options: Partial<ServingOptions> & { readonly folder?: string } = {},
): Promise<TestServing> {
  await using stack = new AsyncDisposableStack();
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'rondo-test-')));
  if (options.folder === undefined) stack.defer(() => rm(folder, { recursive: true, force: true }));
  const database = stack.use(await openDatabase({ folder, url: undefined }));
  const versions = new Map<string, ServableVersion>();
  const metrics = openMetrics({ version: 'test' });
  const now = Date.now;
  const serving = stack.use(
    await startServing({
      readTables: () => Promise.reject(new Error('nothing was compacted')),
      resolveVersion: async ({ model, version }) => versions.get(`${model}@${version}`),
      ...{ concurrency: 1, version: 'test', database, metrics, now },
      ...options,
      folder: join(folder, 'predictions'),
    }),
  );
  const app = stack.use(await openTestServer({ metrics }));
  await app.register(serving.routes);
  await app.ready();
  const set = (endpoint: string, change: NewTraffic) =>
    setTraffic(serving.trafficDeps, { endpoint, change: () => change, reason: 'test', actor: 'owner' });
  const owned = stack.move();
  return {
    app,
    serving,
    database,
    folder,
    async addVersion(version, bytes) {
      const path = join(folder, `${version.model}-${version.version}.onnx`);
      await writeFile(path, bytes);
      versions.set(`${version.model}@${version.version}`, { ...version, path });
    },
    async addEndpoint(given, traffic) {
      const endpoint: Endpoint = { project: 'test', task: 'regression', latencyMs: 100, log: 'durable', ...given };
      await database.write((tx) =>
        saveEndpoint({ endpoints: endpointStore(tx), events: eventStore(tx), now }, { endpoint, actor: 'owner' }),
      );
      await serving.follow();
      if (traffic) await set(endpoint.name, traffic);
    },
    async setTraffic(endpoint, traffic) {
      await set(endpoint, traffic);
    },
    async infer(endpoint, body) {
      const answer = await app.inject({
        method: 'POST',
        url: `/v2/models/${endpoint}/infer`,
        headers: { 'content-type': 'application/json' },
        payload: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: answer.statusCode, body: answer.json() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
