import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { textOf } from './view.ts';

/** `reasons` in words: why no requests should come here now. Empty: they should. */
export type Readiness = { readonly reasons: readonly string[] };

/** For load balancers and supervisors; `/health` is where MLflow's clients look. */
export const healthRoutes =
  ({
    readiness,
    version,
  }: {
    readonly readiness: () => Readiness | Promise<Readiness>;
    readonly version: string;
  }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'public', anyHost: true } as const;
    const tags = ['server'];
    app.get(
      '/health',
      {
        config,
        schema: { tags, summary: 'OK, in the form MLflow has', response: { 200: textOf('text/plain', 'OK') } },
      },
      async (_request, reply) => reply.type('text/plain; charset=utf-8').send('OK'),
    );
    app.get(
      '/health/live',
      {
        config,
        schema: {
          tags,
          summary: 'Whether the process answers at all',
          response: { 200: Type.Object({ status: Type.Literal('live'), version: Type.String() }) },
        },
      },
      async () => ({ status: 'live' as const, version }),
    );
    app.get(
      '/health/ready',
      {
        config,
        schema: {
          tags,
          summary: 'Whether requests should come here now, and otherwise why not',
          response: { '2xx': Type.Object({ status: Type.String(), reasons: Type.Array(Type.String()) }) },
        },
      },
      async (_request, reply) => {
        const reasons = app.rondo.closing.aborted ? ['the server is closing'] : (await readiness()).reasons;
        return reply
          .code(reasons.length === 0 ? 200 : 503)
          .send({ status: reasons.length === 0 ? 'ready' : 'not ready', reasons: [...reasons] });
      },
    );
  };
