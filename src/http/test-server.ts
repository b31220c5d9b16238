/** A server with routes to try things on. Tests only. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { openMetrics } from './metrics-routes.ts';
import { buildServer, type ServerOptions } from './server.ts';

export async function openTestServer(options: Partial<ServerOptions> = {}): Promise<FastifyInstance & AsyncDisposable> {
  const app = await buildServer({
    log: pino({ enabled: false }),
    version: '0.0.0-test',
    host: '127.0.0.1',
    allowedHosts: [],
    corsAllowedOrigins: [],
    authenticate: () => ({ actor: 'owner', role: 'admin' }),
    readiness: () => ({ reasons: [] }),
    metrics: openMetrics({ version: '0.0.0-test' }),
    uiFolder: join(import.meta.dirname, 'no-such-folder'),
    ...options,
  });
  return Object.assign(app, { [Symbol.asyncDispose]: () => app.close() });
}
