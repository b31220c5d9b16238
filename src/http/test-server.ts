/** A server with routes to try things on, whose answers are held to their schemas. Tests only. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { openMetrics } from './metrics-routes.ts';
import { buildServer, type ServerOptions } from './server.ts';
import { checkAnswers } from './test-answers.ts';

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
  const wrong = checkAnswers(app);
  return Object.assign(app, {
    [Symbol.asyncDispose]: async () => {
      await app.close();
      assert.deepEqual(wrong, []);
    },
  });
}
