/** Server-sent events: what happens, as it happens, with everything that was missed since the last connection. */
import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { textOf } from './view.ts';

/** What a page needs to know which of its queries are stale; it reads the rest itself. */
export type LiveEvent = {
  readonly position: number;
  readonly type: string;
  readonly project: string;
  readonly subject: string;
  readonly actor: string;
  readonly at: number;
};

export type LiveSource = {
  /** In order, without gaps. */
  readonly read: (query: { readonly after: number; readonly limit: number }) => Promise<readonly LiveEvent[]>;
  /** 0 when nothing has happened yet. */
  readonly lastPosition: () => Promise<number>;
  /** "Look now"; may be called too often, and is allowed to forget: the ping looks as well. */
  readonly onAppend: (listener: () => void) => Disposable;
};

const pingMs = 15_000;
const retryMs = 2_000;
const pageSize = 500;
/** Who stayed away longer reads everything anew instead of replaying it. */
const mostReplayed = 10_000;

export const liveEventRoutes =
  ({
    source,
    pingEveryMs = pingMs,
  }: {
    readonly source: LiveSource;
    readonly pingEveryMs?: number;
  }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/events/stream',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['events'],
          summary: 'Follow events as server-sent events; `Last-Event-ID` continues where a connection broke',
          querystring: Type.Object({
            after: Type.Optional(Type.Integer({ minimum: 0 })),
            /** `rollouts.` stands for everything that begins so. */
            types: Type.Optional(Type.String({ maxLength: 500 })),
            project: Type.Optional(Type.String({ maxLength: 200 })),
          }),
          response: {
            200: textOf(
              'text/event-stream',
              'Events whose id is the position and whose data is `{position, type, project, subject, actor, at}`; `gap` says that ' +
                'some were left out, `ping` that there are none',
            ),
          },
        },
      },
      async (request, reply) => {
        const { after, types, project } = request.query;
        const last = await source.lastPosition();
        const wanted = sentPosition(request.headers['last-event-id']) ?? after ?? last;
        const from = Math.max(wanted, last - mostReplayed);
        const prefixes = types?.split(',').filter((prefix) => prefix !== '') ?? [];
        const isWanted = (event: LiveEvent) =>
          (project === undefined || event.project === project) &&
          (prefixes.length === 0 || prefixes.some((prefix) => event.type.startsWith(prefix)));

        reply.hijack();
        const response = reply.raw;
        response.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>), // set by our own hooks, as strings
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-cache, no-transform',
          'x-accel-buffering': 'no',
        });
        if (request.method === 'HEAD') return void response.end(); // it would never learn that this is all
        response.write(`retry: ${retryMs}\n\n`);
        if (from > wanted) response.write(`event: gap\nid: ${from}\ndata: {"from":${wanted},"to":${from}}\n\n`);
        follow({ source, response, from, isWanted, pingEveryMs, closing: app.rondo.closing });
      },
    );
  };

function follow({
  source,
  response,
  from,
  isWanted,
  pingEveryMs,
  closing,
}: {
  source: LiveSource;
  response: ServerResponse;
  from: number;
  isWanted: (event: LiveEvent) => boolean;
  pingEveryMs: number;
  closing: AbortSignal;
}): void {
  const open = new DisposableStack();
  let position = from;
  let looking = false;
  let lookAgain = false;

  const look = async (): Promise<void> => {
    if (looking) {
      lookAgain = true;
      return;
    }
    looking = true;
    try {
      for (;;) {
        lookAgain = false;
        const events = await source.read({ after: position, limit: pageSize });
        for (const event of events) {
          position = event.position;
          if (isWanted(event)) await write(response, `id: ${position}\ndata: ${JSON.stringify(viewOf(event))}\n\n`);
        }
        if (open.disposed || (events.length < pageSize && !lookAgain)) return;
      }
    } catch {
      // The page connects again and continues where it was; a broken stream must not look like a quiet one.
      end();
    } finally {
      looking = false;
    }
  };
  const end = (): void => {
    open.dispose();
    response.end();
  };

  open.use(source.onAppend(look));
  const ping = setInterval(() => {
    // With the position, so that somebody who waits for rare types does not replay the others after a break.
    response.write(`event: ping\nid: ${position}\ndata: {}\n\n`);
    void look();
  }, pingEveryMs);
  open.defer(() => clearInterval(ping));
  closing.addEventListener('abort', end, { once: true });
  open.defer(() => closing.removeEventListener('abort', end));
  response.on('close', () => open.dispose());
  // Closing may have begun while the reader's place was looked up.
  if (closing.aborted) end();
  else void look();
}

/** Field by field: a source may know more than a page should download. */
function viewOf({ position, type, project, subject, actor, at }: LiveEvent): LiveEvent {
  return { position, type, project, subject, actor, at };
}

/** Waits when the reader is slower than the events. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

function sentPosition(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
