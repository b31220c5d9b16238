import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestOptions, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { PlatformError } from '../errors.ts';
import type { Caller } from './authenticate.ts';
import { answerHotRoutes, type HotRoute } from './hot-routes.ts';
import { requestDurations } from './metrics-routes.ts';
import { ErrorRenderers } from './render-error.ts';

const owner: Caller = { actor: 'owner', role: 'admin' };
const echo: HotRoute = {
  url: '/echo/:name',
  permission: 'write',
  bodyLimit: 1_000,
  match: (path) => /^\/echo\/(\w+)$/.exec(path)?.[1],
  async answer(name, body) {
    if (name === 'broken') throw new PlatformError('http/bad-request', 'it is broken');
    return { body: `${name}: ${body}`, headers: ['content-type', 'text/plain'] };
  },
};

/** A server whose framework answers everything with 418. */
async function start(authenticate: () => Caller | undefined | Promise<Caller | undefined> = () => owner) {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    createServer((request, response) => {
      request.resume();
      response.writeHead(418).end();
    }),
  );
  const closing = new AbortController();
  answerHotRoutes({ server } as unknown as FastifyInstance, {
    ...{ routes: [echo], headers: { 'x-content-type-options': 'nosniff' }, authenticate, closing: closing.signal },
    checkHost: ({ headers }) => {
      if (headers.host !== 'here') throw new PlatformError('http/wrong-host', String(headers.host));
    },
    ...{ requestId: () => 'r1', renderers: new ErrorRenderers(), log: pino({ enabled: false }) },
    durations: requestDurations(new Registry()),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string, options: RequestOptions = {}, body = '{}') => {
    const headers = {
      host: 'here',
      'content-type': 'application/json',
      ...(options.headers as Record<string, string>),
    };
    const request = send({ port, path, method: 'POST', agent: false, ...options, headers });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  const owned = stack.move();
  return { ask, closing, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('a plain request is answered beside the framework, in one piece or several', async () => {
  await using server = await start();
  const { status, headers, body } = await server.ask('/echo/ada', {}, '{"x":1}');
  assert.deepEqual([status, body], [200, 'ada: {"x":1}']);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['x-request-id'], 'r1');
  assert.equal(headers['content-length'], '12');
});

test('an answer that was begun when the server begins to close is the last on its connection', async () => {
  await using server = await start(async () => {
    server.closing.abort();
    return owner;
  });
  const { status, headers } = await server.ask('/echo/ada', { agent: new Agent({ keepAlive: true }) });
  assert.deepEqual([status, headers.connection], [200, 'close']);
});

test('whatever is not plain, or not of the route, is the framework’s', async () => {
  await using server = await start();
  const odd: readonly (readonly [string, RequestOptions, string?])[] = [
    ['/echo/a%2fb', {}],
    ['/other', {}],
    ['/echo/ada', { method: 'PUT' }],
    ['/echo/ada', { headers: { 'content-type': 'text/plain' } }],
    ['/echo/ada', { headers: { origin: 'http://here' } }],
    ['/echo/ada', { headers: { 'sec-fetch-site': 'cross-site' } }],
    ['/echo/ada', { headers: { 'content-encoding': 'gzip' } }],
    ['/echo/ada', { headers: { 'transfer-encoding': 'chunked' } }],
    ['/echo/ada', {}, 'x'.repeat(1_001)],
  ];
  for (const [path, options, body] of odd) {
    const { status } = await server.ask(path, options, body);
    assert.equal(status, 418, JSON.stringify([path, options]));
  }
  server.closing.abort();
  assert.equal((await server.ask('/echo/ada')).status, 418);
});

test('who may not call gets no further than with the framework', async () => {
  await using nobody = await start(() => undefined);
  const refused = await nobody.ask('/echo/ada');
  assert.equal(refused.status, 401);
  assert.equal(JSON.parse(refused.body).code, 'http/unauthenticated');
  assert.match(String(refused.headers['www-authenticate']), /^Basic/);
  await using viewer = await start(async () => ({ actor: 'user:eve', role: 'viewer' }));
  assert.equal(JSON.parse((await viewer.ask('/echo/ada')).body).code, 'http/forbidden');
  await using thrown = await start(() => Promise.reject(new PlatformError('http/unauthenticated', 'go on')));
  assert.equal((await thrown.ask('/echo/ada')).status, 401);
  const elsewhere = await viewer.ask('/echo/ada', { headers: { host: 'elsewhere' } });
  assert.equal(JSON.parse(elsewhere.body).code, 'http/wrong-host');
});

test('an error of the route is a problem, and the server lives on', async () => {
  await using server = await start();
  const { status, headers, body } = await server.ask('/echo/broken');
  assert.deepEqual([status, JSON.parse(body).code], [400, 'http/bad-request']);
  assert.match(String(headers['content-type']), /^application\/problem\+json/);
  assert.equal((await server.ask('/echo/ada')).status, 200);
});
