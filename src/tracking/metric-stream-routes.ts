/** Server-sent events about running runs: that they logged, not what; a page reads the new end of its charts itself. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { textOf } from '../http/view.ts';
import type { Database } from '../storage/database.ts';
import { metricsTopic } from './metric-signal.ts';
import { invalid } from './names.ts';

/** Two words a second are as many as a reader follows, however fast a run logs. */
const betweenMs = 500;
/** Other processes say nothing of what they log: the page looks that often in any case. */
const anywayMs = 15_000;
const mostRuns = 100;

type Deps = {
  readonly database: Pick<Database, 'onCommit'>;
  readonly everyMs?: number;
  readonly anywayEveryMs?: number;
};

export const metricStreamRoutes =
  ({ database, everyMs = betweenMs, anywayEveryMs = anywayMs }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/metrics/stream',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['runs'],
          summary: 'Follow which of some runs log metrics, as server-sent events',
          querystring: Type.Object({
            runs: Type.String({ minLength: 1, maxLength: 10_000, description: 'Ids, with commas between them' }),
          }),
          response: {
            200: textOf(
              'text/event-stream',
              'Events whose data is `{"runs": […]}`: those that have logged since the last one',
            ),
          },
        },
      },
      async ({ query, method }, reply) => {
        const runs = new Set(query.runs.split(',').filter((run) => run !== ''));
        if (runs.size === 0 || runs.size > mostRuns) {
          throw invalid('runs', `A stream follows 1 to ${mostRuns} runs, not ${runs.size}.`);
        }
        reply.hijack();
        const response = reply.raw;
        response.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>), // set by our own hooks, as strings
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-cache, no-transform',
          'x-accel-buffering': 'no',
        });
        if (method === 'HEAD') return void response.end(); // it would never learn that this is all
        response.write('retry: 2000\n\n');

        const open = new DisposableStack();
        const logged = new Set<string>();
        let waiting: ReturnType<typeof setTimeout> | undefined;
        const say = () => {
          // Whoever reads slower than this is written hears of all of it a little later.
          waiting = response.writableNeedDrain ? setTimeout(say, everyMs) : undefined;
          if (waiting) return;
          response.write(`data: ${JSON.stringify({ runs: [...logged] })}\n\n`);
          logged.clear();
        };
        const note = (run: string) => {
          logged.add(run);
          waiting ??= setTimeout(say, everyMs);
        };
        const end = () => {
          open.dispose();
          response.end();
        };
        for (const run of runs) open.use(database.onCommit(metricsTopic(run), () => note(run)));
        const anyway = setInterval(() => runs.forEach(note), anywayEveryMs);
        open.defer(() => clearInterval(anyway));
        open.defer(() => clearTimeout(waiting));
        app.rondo.closing.addEventListener('abort', end, { once: true });
        open.defer(() => app.rondo.closing.removeEventListener('abort', end));
        response.on('close', () => open.dispose());
        if (app.rondo.closing.aborted) end();
      },
    );
  };
