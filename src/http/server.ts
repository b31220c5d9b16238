/** The HTTP server: what every request passes before a route sees it, and how the server opens and closes. */
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { PlatformError } from '../errors.ts';
import type { Authenticate } from './authenticate.ts';
import './fastify-types.ts';
import { healthRoutes, type Readiness } from './health-routes.ts';
import { answerHotRoutes, type HotRoute } from './hot-routes.ts';
import { readJsonBodies } from './json-body.ts';
import { type Metrics, metricsRoutes, requestDurations } from './metrics-routes.ts';
import { publishOpenApi } from './open-api.ts';
import { requirePermission, type Somebody } from './permission.ts';
import { ErrorRenderers, pathOf } from './render-error.ts';
import { type OriginGuard, type OriginRules, originGuard } from './request-origin.ts';
import { RouteTable } from './route-table.ts';
import { validatorCompiler } from './schema-validator.ts';
import { openUserInterface } from './user-interface.ts';

const mebibyte = 2 ** 20;

export type ServerOptions = OriginRules & {
  readonly log: FastifyBaseLogger;
  readonly version: string;
  /** Who calls; decides nothing about what they may do. */
  readonly authenticate: Authenticate;
  /** Why the server should get no requests now; asked at `/health/ready`. */
  readonly readiness: () => Readiness | Promise<Readiness>;
  readonly metrics: Metrics;
  /** `/team/ml` when a proxy shows this server below that path; without it both forms answer. */
  readonly staticPrefix?: string | undefined;
  /** What follows a match in an address is a name, in which every slash counts. */
  readonly names?: RegExp;
  /** The built pages; where there are none, `/` says how to build them. */
  readonly uiFolder: string;
};

/** Register the contexts' route plugins on it, then `listen` or `inject`. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { log, staticPrefix = '' } = options;
  const renderers = new ErrorRenderers();
  const routes = new RouteTable();
  const hotRoutes: HotRoute[] = [];
  const closing = new AbortController();
  const nextId = requestIds();
  const requestId = (request: IncomingMessage) => sentId(request.headers['x-request-id']) ?? nextId();
  const guard = originGuard(options);
  const pages = await openUserInterface(options.uiFolder, staticPrefix);

  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    // Nothing is logged by request but errors, which name it; a logger for each costs as much as a small answer.
    childLoggerFactory: (logger) => logger,
    bodyLimit: mebibyte,
    // While the last answers go out, a request on an open connection still gets its answer, and `connection: close`.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: 75_000, // longer than the 60 s of common load balancers, so that they close first
    requestTimeout: 86_400_000, // an artifact of a hundred gigabytes over a slow line
    connectionTimeout: 120_000, // silence, not slowness: live streams ping
    http: { headersTimeout: 60_000, maxHeaderSize: 64 * 1024 },
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (error, request, reply) => {
      renderers.send(error, request, reply);
    },
    clientErrorHandler: answerBrokenHttp,
    rewriteUrl: (request: IncomingMessage) => tidyUrl(withoutPrefix(request.url ?? '/', staticPrefix), options.names),
  });
  app.decorate('rondo', {
    renderErrors: (prefix, renderer) => renderers.add(prefix, renderer),
    answerHot: (route) => hotRoutes.push(route),
    closing: closing.signal,
  });
  app.decorateRequest('actor', '');
  app.decorateRequest('role', undefined);
  app.addHook('preClose', async () => closing.abort(new PlatformError('http/unavailable', 'This server')));

  routes.watch(app);
  readJsonBodies(app);
  app.setValidatorCompiler(validatorCompiler);
  // Views are built field by field, so there is nothing to filter out; compiling a serializer per route costs start-up.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.setErrorHandler((error, request, reply) => renderers.send(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    if (pages.answersAt(request)) return pages.send(request, reply, 'index.html');
    return renderers.send(notFound(request, routes), request, reply);
  });
  guardRequests(app, { guard, authenticate: options.authenticate });
  const durations = requestDurations(options.metrics);
  answerHotRoutes(app, {
    ...{ routes: hotRoutes, headers: securityHeaders, authenticate: options.authenticate, requestId, renderers, log },
    ...{ durations, closing: closing.signal },
    checkHost: ({ rawHeaders, socket: { localAddress } }) =>
      guard.checkHost({ hosts: hostsOf(rawHeaders), localAddress }),
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    durations.labels(request.method, route, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
    done();
  });

  await publishOpenApi(app, options.version);
  await app.register(healthRoutes(options));
  await app.register(metricsRoutes(options.metrics));
  await app.register(pages.routes);
  return app;
}

/** Answers with the address it really got: port 0 takes any free one. @throws PlatformError http/port-in-use, http/cannot-listen */
export async function startServer(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; readonly port: number }> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new PlatformError('http/port-in-use', `${host}:${port}`, { cause, data: { host, port } });
    }
    throw new PlatformError('http/cannot-listen', `${host}:${port}`, {
      cause,
      hint: `choose another --host or --port (${String(code)})`,
    });
  }
  const address = app.server.address() as AddressInfo; // a TCP server that listens has one
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, port: address.port };
}

function guardRequests(
  app: FastifyInstance,
  { guard, authenticate }: { readonly guard: OriginGuard; readonly authenticate: Authenticate },
): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ ...securityHeaders, 'x-request-id': request.id });
    const { config } = request.routeOptions;
    try {
      if (!config.encodedPath) refuseEncodedPath(request.raw.url ?? '/');
      const { origin } = request.headers;
      const fetchSite = request.headers['sec-fetch-site'];
      const hosts = hostsOf(request.raw.rawHeaders);
      if (!config.anyHost) guard.checkHost({ hosts, localAddress: request.socket.localAddress });
      guard.checkOrigin({
        method: request.method,
        hosts,
        origin,
        fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
      });
      if (origin !== undefined) {
        const reader = guard.readableBy(origin);
        reply.header('vary', 'origin');
        if (reader !== undefined)
          reply.headers({ 'access-control-allow-origin': reader, 'access-control-expose-headers': '*' });
        if (reader !== undefined && isPreflight(request)) return answerPreflight(request, reply);
      }
    } catch (error) {
      return done(error as Error); // only PlatformErrors are thrown above
    }
    done();
  });

  app.addHook('onRequest', (request, _reply, done) => {
    const { permission, verify } = request.routeOptions.config;
    if (permission === undefined || permission === 'public') return done(); // undefined: no route matched
    const identified: Somebody | undefined | Promise<Somebody | undefined> = verify
      ? verify(request).then((actor) => ({ actor, role: undefined }))
      : authenticate({ authorization: request.headers.authorization, address: request.ip });
    const enter = (who: Somebody | undefined) => {
      try {
        requirePermission(permission, who, `${request.method} ${pathOf(request)}`);
      } catch (error) {
        return done(error as Error); // a PlatformError
      }
      request.actor = who?.actor ?? '';
      request.role = who?.role;
      done();
    };
    // Usually known already; a promise would cost the hot path a turn of the event loop.
    if (identified instanceof Promise) identified.then(enter, done);
    else enter(identified);
  });
}

/** Nothing we answer with is a page, except our own pages, which say so themselves: an artifact must not run in our origin. */
const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Guard and router must never decode a path differently (CVE-2026-6414): what could be read in two ways is refused. */
function refuseEncodedPath(url: string): void {
  const path = url.split('?', 1)[0] ?? '';
  if (!/%(?:2f|5c|00)|\\/i.test(path)) return;
  throw new PlatformError('http/bad-request', 'its path has an encoded slash, a backslash or a NUL', {
    hint: 'names in paths have none of these',
  });
}

function hostsOf(rawHeaders: readonly string[]): readonly string[] {
  const hosts: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[at + 1] ?? '');
  }
  return hosts;
}

function isPreflight(request: FastifyRequest): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
}

function answerPreflight(request: FastifyRequest, reply: FastifyReply): void {
  reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        request.headers['access-control-request-headers'] ?? 'authorization, content-type',
      'access-control-max-age': '600',
    })
    .send();
}

function notFound(request: FastifyRequest, routes: RouteTable): PlatformError {
  const path = pathOf(request);
  const methods = routes.methodsOf(path);
  if (methods.length === 0 || methods.includes(request.method)) return new PlatformError('http/not-found', path);
  return new PlatformError('http/method-not-allowed', `${request.method} ${path}`, {
    data: { allow: methods.join(', ') },
  });
}

/** A start's own prefix and a count: unique enough to find a line in a log, and free. */
function requestIds(): () => string {
  const start = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${start}-${count.toString(36)}`;
  };
}

function sentId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.-]{8,64}$/.test(header) ? header : undefined;
}

function withoutPrefix(asked: string, prefix: string): string {
  const url = asked.replace(/^\/{2,}/, '/');
  if (!url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}

/** Clients join addresses carelessly: `http://host:5000//api/…`. */
function tidyUrl(url: string, names: RegExp | undefined): string {
  if (!url.includes('//')) return url;
  const path = url.split('?', 1)[0] ?? '';
  const name = names?.exec(path);
  const end = name ? name.index + name[0].length : path.length;
  return path.slice(0, end).replace(/\/{2,}/g, '/') + url.slice(end);
}

const brokenHttpStatus: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** What is no HTTP at all reaches no route, and the connection cannot be used again. */
function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = brokenHttpStatus[error.code ?? ''] ?? 400;
  const body = JSON.stringify({ title: STATUS_CODES[status], status, code: 'http/bad-request' });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
