import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import type { Job } from './job.ts';
import type { jobStore } from './job-store.ts';
import type { Jobs } from './start-jobs.ts';

const longestWaitSeconds = 60;

const operationView = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  project: Type.Optional(Type.String()),
  actor: Type.String(),
  state: Type.Enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  progress: Type.Object({ share: Type.Optional(Type.Number()), note: Type.String() }),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(
    Type.Object({
      code: Type.Optional(Type.String()),
      subject: Type.Optional(Type.String()),
      message: Type.String(),
      hint: Type.Optional(Type.String()),
      data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    }),
  ),
  log: Type.Optional(Type.Array(Type.String())),
  createdAt: Type.Number(),
  startedAt: Type.Optional(Type.Number()),
  endedAt: Type.Optional(Type.Number()),
});

/** What 202 answers point to: the state of long work, whoever does it. */
export const operationRoutes =
  ({
    jobs,
    reads,
  }: {
    jobs: Jobs;
    reads: () => Pick<ReturnType<typeof jobStore>, 'list'>;
  }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/operations',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['operations'],
          summary: 'List operations, newest first',
          querystring: Type.Object({
            project: Type.Optional(Type.String()),
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
            cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,16}:.+$' })),
          }),
          response: { 200: Type.Object({ items: Type.Array(operationView), next: Type.Optional(Type.String()) }) },
        },
      },
      async ({ query: { project, limit, cursor } }) => {
        const items = await reads().list({
          limit: limit + 1,
          ...(project !== undefined && { project }),
          ...(cursor !== undefined && { before: parseCursor(cursor) }),
        });
        const page = items.slice(0, limit);
        const last = page.at(-1);
        return {
          items: page.map((job) => viewOperation(job)),
          ...(items.length > limit && last && { next: `${last.createdAt}:${last.id}` }),
        };
      },
    );

    app.get(
      '/api/v1/operations/:id',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['operations'],
          summary: 'One operation; with `wait`, answers when it has ended or after so many seconds',
          params: Type.Object({ id: Type.String() }),
          querystring: Type.Object({ wait: Type.Number({ minimum: 0, maximum: longestWaitSeconds, default: 0 }) }),
          response: { 200: operationView },
        },
      },
      async ({ params: { id }, query: { wait }, signal }) => {
        if (wait > 0) await jobs.wait(id, { waitMs: wait * 1000, signal });
        const found = await jobs.find(id);
        if (!found) throw new PlatformError('jobs/not-found', id);
        return viewOperation(found.job, found.log);
      },
    );

    app.delete(
      '/api/v1/operations/:id',
      {
        config: { permission: 'write' },
        schema: {
          tags: ['operations'],
          summary: 'Cancel an operation; its state says when it has stopped',
          params: Type.Object({ id: Type.String() }),
          response: { 202: operationView },
        },
      },
      async ({ params: { id } }, reply) => {
        await jobs.cancel(id);
        const found = await jobs.find(id);
        if (!found) throw new PlatformError('jobs/not-found', id);
        return reply.code(202).send(viewOperation(found.job, found.log));
      },
    );
  };

function viewOperation(job: Job, log?: readonly string[]) {
  return {
    id: job.id,
    kind: job.kind,
    ...(job.project !== undefined && { project: job.project }),
    actor: job.actor,
    state: job.state,
    progress: job.progress,
    ...(job.result !== undefined && { result: job.result }),
    ...(job.error !== undefined && { error: job.error }),
    ...(log !== undefined && { log: [...log] }),
    createdAt: job.createdAt,
    ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
    ...(job.endedAt !== undefined && { endedAt: job.endedAt }),
  };
}

function parseCursor(cursor: string): { createdAt: number; id: string } {
  const colon = cursor.indexOf(':');
  return { createdAt: Number(cursor.slice(0, colon)), id: cursor.slice(colon + 1) };
}
