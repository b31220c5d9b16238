/**
 * Routes that are asked thousands of times a second, answered beside the framework: on its way through Fastify a request to a small
 * model costs a fifth more than the model, its log and `node:http` together (`bench/serving`). Only plain requests are taken, in
 * which there is nothing to decide; all others go to the framework's route of the same address, and are answered alike.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Histogram } from 'prom-client';
import type { Authenticate } from './authenticate.ts';
import { type Permission, requirePermission } from './permission.ts';
import type { ErrorRenderers } from './render-error.ts';

export type HotRoute = {
  /** As it is registered with the framework. */
  readonly url: string;
  readonly permission: Exclude<Permission, 'public' | 'signed'>;
  readonly bodyLimit: number;
  /** What the path names. @returns undefined for a path that is not of this route, or not plainly */
  match(path: string): string | undefined;
  /** @param body of content type application/json */
  answer(name: string, body: Buffer): Promise<HotAnswer>;
};

export type HotAnswer = {
  readonly body: string | Buffer;
  /** Names and values, one after the other. */
  readonly headers: readonly string[];
  /** What is left to do once the answer is on its way. */
  readonly afterwards?: (() => void) | undefined;
};

export type HotRoutesDeps = {
  readonly routes: readonly HotRoute[];
  /** Of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly authenticate: Authenticate;
  /** @throws PlatformError http/wrong-host */
  readonly checkHost: (request: IncomingMessage) => void;
  readonly requestId: (request: IncomingMessage) => string;
  readonly renderers: ErrorRenderers;
  readonly durations: Histogram<'method' | 'route' | 'status'>;
  readonly closing: AbortSignal;
  readonly log: FastifyBaseLogger;
};

/** Puts the routes in front of the framework. */
export function answerHotRoutes(app: FastifyInstance, deps: HotRoutesDeps): void {
  const [framework] = app.server.listeners('request') as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[]; // Fastify's own, the only one
  if (!framework) return;
  const common = Object.entries(deps.headers).flat();
  const timed = new Map<HotRoute, Taken['answered']>();
  app.server.removeListener('request', framework);
  app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '/';
    if (isPlain(request) && !deps.closing.aborted) {
      for (const route of deps.routes) {
        const name = route.match(url);
        if (name === undefined || Number(request.headers['content-length']) > route.bodyLimit) continue;
        const answered = timed.get(route) ?? deps.durations.labels('POST', route.url, '200');
        timed.set(route, answered);
        void answer(deps, { route, answered, name, common, request, response });
        return;
      }
    }
    framework(request, response);
  });
}

/** Nothing of a page, no coding, nothing to be asked for first: the body is there, in one piece and in plain JSON. */
function isPlain({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    headers['content-type'] === 'application/json' &&
    headers['content-length'] !== undefined &&
    headers.origin === undefined &&
    headers['sec-fetch-site'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers['inference-header-content-length'] === undefined &&
    headers.expect === undefined
  );
}

type Taken = {
  readonly route: HotRoute;
  /** Times of its answers: looked up once. */
  readonly answered: Histogram.Internal<'method' | 'route' | 'status'>;
  readonly name: string;
  readonly common: readonly string[];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

async function answer(deps: HotRoutesDeps, { route, answered, name, common, request, response }: Taken): Promise<void> {
  const began = performance.now();
  const id = deps.requestId(request);
  const path = request.url ?? '/';
  let status = 200;
  let afterwards: HotAnswer['afterwards'];
  try {
    deps.checkHost(request);
    const { authorization } = request.headers;
    const who = deps.authenticate({ authorization, address: request.socket.remoteAddress ?? '' });
    requirePermission(route.permission, who instanceof Promise ? await who : who, `POST ${path}`);
    const found = await route.answer(name, await bodyOf(request));
    const length = String(Buffer.byteLength(found.body));
    // A server that began to close meanwhile waits for nothing more on this connection.
    const last = deps.closing.aborted ? ['connection', 'close'] : [];
    response.writeHead(200, [...common, 'x-request-id', id, ...found.headers, ...last, 'content-length', length]);
    response.end(found.body);
    afterwards = found.afterwards;
  } catch (error) {
    // Whoever has gone needs no answer, and half an answer cannot become another.
    if ((request.destroyed && !request.complete) || response.headersSent) {
      response.destroy();
      return;
    }
    const rendered = deps.renderers.render(error, { method: 'POST', path, requestId: id, log: deps.log });
    status = rendered.status;
    const headers = Object.entries(rendered.headers).flat();
    const length = String(Buffer.byteLength(rendered.payload));
    // What is left of an unread body is not worth waiting for.
    const last = request.complete ? [] : ['connection', 'close'];
    response.writeHead(status, [...common, 'x-request-id', id, ...headers, ...last, 'content-length', length]);
    response.end(rendered.payload);
  }
  const timer = status === 200 ? answered : deps.durations.labels('POST', route.url, String(status));
  timer.observe((performance.now() - began) / 1_000);
  afterwards?.();
}

/** Its length was announced, and the parser holds it to that. */
function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))); // one is there
    request.on('error', reject);
  });
}
