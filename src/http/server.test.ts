import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { parseJson } from './json-body.ts';
import { originGuard } from './request-origin.ts';
import { startServer } from './server.ts';
import { openTestServer } from './test-server.ts';

const Row = Type.Object(
  { name: Type.String({ maxLength: 50 }), count: Type.Optional(Type.Integer({ minimum: 0 })) },
  { additionalProperties: false },
);

/** Echoes what a schema let through. */
async function openEchoServer(...options: Parameters<typeof openTestServer>) {
  const app = await openTestServer(...options);
  app.post(
    '/api/v1/rows',
    { config: { permission: 'write' }, schema: { body: Row } },
    async (request) => request.body ?? null,
  );
  app.post(
    '/api/v1/pause',
    { config: { permission: 'write' }, schema: { body: Type.Optional(Row) } },
    async (request) => ({ body: request.body ?? null }),
  );
  app.get(
    '/api/v1/rows/:name',
    {
      config: { permission: 'read' },
      schema: {
        params: Type.Object({ name: Type.String({ pattern: '^[a-z]+$' }) }),
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 9, default: 5 }),
          all: Type.Optional(Type.Boolean()),
        }),
      },
    },
    async ({ params, query }) => ({ ...(params as object), ...(query as object) }),
  );
  return app;
}

const json = { 'content-type': 'application/json' };

test('a route without a permission does not register', async () => {
  await using app = await openTestServer();
  assert.throws(() => app.get('/api/v1/open', async () => ({})), { code: 'http/undeclared-route' });
  assert.throws(() => app.get('/api/v1/hook', { config: { permission: 'signed' } }, async () => ({})), {
    code: 'http/undeclared-route',
  });
});

test('a signed route is entered by whoever its verify names', async () => {
  await using app = await openTestServer({ authenticate: () => undefined });
  const verify = async (request: { headers: Record<string, unknown> }) => {
    if (request.headers['x-signature'] !== 'right') throw new PlatformError('http/unauthenticated', 'call the hook');
    return 'webhook:github';
  };
  app.post('/api/v1/hook', { config: { permission: 'signed', verify } }, async (request) => ({ actor: request.actor }));
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/hook' })).statusCode, 401);
  const entered = await app.inject({ method: 'POST', url: '/api/v1/hook', headers: { 'x-signature': 'right' } });
  assert.deepEqual(entered.json(), { actor: 'webhook:github' });
});

test('a problem has type, status, code, places and the id of the request', async () => {
  await using app = await openEchoServer();
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v1/rows',
    payload: { count: -1, 'a/b': 1 },
    headers: { 'x-request-id': 'trace-12345' },
  });
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  const { errors, ...problem } = answer.json();
  assert.deepEqual(
    new Set(errors.map(({ pointer }: { pointer: string }) => pointer)),
    new Set(['/name', '/a~1b', '/count']),
  );
  assert.equal(problem.status, 400);
  assert.equal(problem.code, 'http/bad-request');
  assert.equal(problem.type, '/api/v1/errors/http/bad-request');
  assert.equal(problem.requestId, 'trace-12345');
  assert.equal(answer.headers['x-request-id'], 'trace-12345');
  assert.equal((await app.inject({ url: problem.type })).json().status, 400);
});

test('text in the URL becomes numbers and booleans, and defaults are filled in', async () => {
  await using app = await openEchoServer();
  assert.deepEqual((await app.inject('/api/v1/rows/abc?all=true')).json(), { name: 'abc', limit: 5, all: true });
  assert.equal((await app.inject('/api/v1/rows/abc?limit=ten')).json().errors[0].pointer, '/limit');
});

test('an optional body may be absent, and an empty one too', async () => {
  await using app = await openEchoServer();
  assert.deepEqual((await app.inject({ method: 'POST', url: '/api/v1/pause' })).json(), { body: null });
  assert.deepEqual((await app.inject({ method: 'POST', url: '/api/v1/pause', headers: json, payload: '' })).json(), {
    body: null,
  });
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/rows' })).statusCode, 400);
});

test('what cannot be read is a 4xx with the reason, and the server lives on', async () => {
  await using app = await openEchoServer();
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const bad: [string | Buffer, number][] = [
    ['{"name":', 400],
    ['', 400],
    ['null', 400],
    ['[]', 400],
    ['"text"', 400],
    ['{"name":7}', 400],
    ['{"name":"a","count":1e999}', 400],
    ['{"name":"a","count":1.5}', 400],
    [`{"name":${deep}}`, 400],
    [deep, 400],
    ['{"__proto__":{"admin":true}}', 400],
    ['{"\\u005f_proto__":{}}', 400],
    ['\ufeff{"name":"a"}', 400],
    [Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400],
    [Buffer.alloc(2 ** 20 + 1, 0x20), 413],
  ];
  for (const [payload, status] of bad) {
    const answer = await app.inject({ method: 'POST', url: '/api/v1/rows', headers: json, payload });
    assert.equal(answer.statusCode, status, `${String(payload).slice(0, 30)}: ${answer.body}`);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    assert.ok(answer.json().detail.length > 10);
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/rows',
      headers: { 'content-type': type },
      payload: '{"name":"a"}',
    });
    assert.equal(answer.statusCode, 415);
  }
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/rows', payload: { name: 'a' } })).statusCode, 200);
});

test('a body of 100 MB is refused before it has arrived', async () => {
  await using app = await openEchoServer();
  const { port } = await startServer(app, { host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /api/v1/rows HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n{"name":"',
  );
  const [first] = await once(socket, 'data');
  assert.match(String(first), /^HTTP\/1\.1 413 /);
  socket.destroy();
});

test('no path is read in two ways', async () => {
  await using app = await openEchoServer();
  const paths = [
    '..%2f',
    '%2e%2e%2fetc',
    '..%5c',
    'a%00.txt',
    'a%2Fb',
    '..\\x',
    '%zz',
    '../../etc/passwd',
    '%252e%252e%252f',
    'a b',
    '..;/x',
  ];
  for (const path of paths) {
    const answer = await app.inject(`/api/v1/rows/${path}`);
    assert.ok([400, 404].includes(answer.statusCode), `${path}: ${answer.statusCode}`);
  }
});

test('slashes too many in an address are ignored, except behind the start of a name', async () => {
  await using app = await openEchoServer({ staticPrefix: '/ml', names: /\/+files\// });
  app.get('/files/*', { config: { permission: 'read' } }, async ({ url }) => ({ url }));
  for (const url of ['//api//v1///rows/abc', '/ml//api/v1/rows//abc?limit=5', '//ml//api/v1/rows/abc'])
    assert.deepEqual((await raw(app, url)).body, { name: 'abc', limit: 5 }, url);
  assert.deepEqual((await raw(app, '//files/a//b?c=//d')).body, { url: '/files/a//b?c=//d' });
});

test('headers of 60 KiB arrive, more than 64 KiB are refused', async () => {
  await using app = await openEchoServer();
  assert.equal((await raw(app, '/api/v1/rows/abc', { 'x-long': 'x'.repeat(60 * 1024) })).status, 200);
  assert.equal((await raw(app, '/api/v1/rows/abc', { 'x-long': 'x'.repeat(65 * 1024) })).status, 431);
});

test('a name of 1,000 characters in an address arrives, however it is encoded', async () => {
  await using app = await openTestServer();
  app.get('/api/v1/things/:name', { config: { permission: 'read' } }, async ({ params }) => params);
  for (const name of ['x'.repeat(1000), '😀'.repeat(500), '%'.repeat(1000), 'ä b'.repeat(333)]) {
    const { body } = await raw(app, `/api/v1/things/${encodeURIComponent(name)}`);
    assert.deepEqual(body, { name });
  }
});

/** Over a socket: `inject` tidies addresses and has no limits. */
async function raw(
  app: FastifyInstance,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | undefined; readonly body: unknown }> {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo; // a TCP server that listens has one
  const sent = request({ port, host: '127.0.0.1', path, headers, agent: false }).end();
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  assert.ok(answer);
  return { status: answer.statusCode, body: JSON.parse(await textOf(answer)) };
}

test('whatever is asked, the answer is not a 5xx', async () => {
  await using app = await openEchoServer();
  await fc.assert(
    fc.asyncProperty(
      fc.webPath(),
      fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH'),
      fc.json(),
      async (path, method, payload) => {
        const answer = await app.inject({
          method: method as 'POST',
          url: path === '' ? '/' : path,
          headers: json,
          payload,
        });
        assert.ok(answer.statusCode < 500, `${method} ${path}: ${answer.body}`);
      },
    ),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      async (payload) => {
        const answer = await app.inject({ method: 'POST', url: '/api/v1/rows', headers: json, payload });
        assert.ok(answer.statusCode === 200 || answer.statusCode === 400, answer.body);
      },
    ),
    { numRuns: 300 },
  );
});

test('JSON that is not too deep reads as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
      const text = JSON.stringify(value);
      if (text.includes('__proto__')) return;
      assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text));
    }),
  );
});

test('brackets inside strings are not depth', () => {
  const text = JSON.stringify(['['.repeat(1000), '\\"['.repeat(100), '\\']);
  assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text));
  assert.doesNotThrow(() => parseJson(Buffer.from(`${'['.repeat(64)}${']'.repeat(64)}`)));
  assert.throws(() => parseJson(Buffer.from(`${'['.repeat(65)}${']'.repeat(65)}`)), { code: 'http/bad-request' });
});

test('a wrong method is told with the right ones, an unknown address is not found', async () => {
  await using app = await openEchoServer();
  const wrong = await app.inject({ method: 'DELETE', url: '/api/v1/rows/abc' });
  assert.equal(wrong.statusCode, 405);
  assert.match(String(wrong.headers.allow), /GET/);
  assert.equal((await app.inject('/api/v1/nothing')).statusCode, 404);
});

test('a face writes its own errors, the framework’s too', async () => {
  await using app = await openEchoServer();
  app.rondo.renderErrors('/api/2.0/face', (error) => ({
    status: error.status === 405 ? 404 : error.status,
    body: { error_code: error.code },
  }));
  app.post('/api/2.0/face/run', { config: { permission: 'write' }, schema: { body: Row } }, async () => ({}));
  const post = (payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url: '/api/2.0/face/run', headers: { 'content-type': type }, payload });
  assert.deepEqual((await app.inject('/api/2.0/face/none')).json(), { error_code: 'http/not-found' });
  assert.equal((await app.inject('/api/2.0/face/run')).statusCode, 404);
  assert.deepEqual((await post('{')).json(), { error_code: 'http/bad-request' });
  assert.deepEqual((await post('x', 'text/plain')).json(), { error_code: 'http/unsupported-media-type' });
  assert.deepEqual((await post(' '.repeat(2 ** 20 + 1))).json(), { error_code: 'http/too-large' });
  assert.match(String((await app.inject('/api/2.0/facet')).headers['content-type']), /problem/);
});

test('a failure nobody foresaw tells nothing of its inside', async () => {
  await using app = await openTestServer();
  app.get('/api/v1/broken', { config: { permission: 'read' } }, async () => {
    throw new Error('the password is hunter2 at /srv/secret.ts');
  });
  const answer = await app.inject('/api/v1/broken');
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json().code, 'http/internal');
  assert.doesNotMatch(answer.body, /hunter2|secret/);
});

test('only its own names reach the server', async () => {
  const { checkHost } = originGuard({
    host: '10.1.2.3',
    allowedHosts: ['*.lab.example', 'ml.example:8080', '192.168.*'],
    corsAllowedOrigins: [],
  });
  const allowed = [
    'localhost',
    'localhost:5000',
    '127.0.0.1',
    '127.0.0.1:9',
    '[::1]',
    '[::1]:5000',
    '10.1.2.3:5000',
    'LOCALHOST',
    'a.lab.example',
    'b.a.lab.example:1',
    'ml.example:8080',
    '192.168.7.7:5000',
    '172.17.0.2:5000',
  ];
  for (const host of allowed)
    assert.doesNotThrow(() => checkHost({ hosts: [host], localAddress: '::ffff:172.17.0.2' }), host);
  const refused = [
    'evil.example',
    'localhost.',
    'localhost.evil.example',
    '127.0.0.1:80@evil.example',
    '127.0.0.1.evil.example',
    '127.1',
    '2130706433',
    '0',
    'lab.example',
    'ml.example:8081',
    'localhost:port',
    '',
    ' localhost',
    'localhost,evil.example',
    '[::1',
    '10.1.2.4',
    '0.0.0.0',
  ];
  for (const host of refused)
    assert.throws(() => checkHost({ hosts: [host], localAddress: undefined }), { code: 'http/wrong-host' }, host);
  assert.throws(() => checkHost({ hosts: [], localAddress: undefined }), { code: 'http/wrong-host' });
  assert.throws(() => checkHost({ hosts: ['localhost', 'localhost'], localAddress: undefined }), {
    code: 'http/wrong-host',
  });
});

test('without a list of hosts, addresses of private networks are taken', () => {
  const { checkHost } = originGuard({ host: '0.0.0.0', allowedHosts: [], corsAllowedOrigins: [] });
  const check = (host: string) => () => checkHost({ hosts: [host], localAddress: '172.17.0.2' });
  for (const host of ['10.1.2.4', '192.168.1.5:5000', '172.16.0.1', '172.31.255.1:80', '[fd00::1]:5000', '[fc12::]'])
    assert.doesNotThrow(check(host), host);
  const refused = [
    ...['8.8.8.8', '172.32.0.1', '169.254.169.254', '[fe80::1]', '[2001:db8::1]', '10.1.2', '110.1.2.3', '10.1.2.3.4'],
    ...['10.evil.example', '192.168.evil.example', '10.1.2.3.evil.example', 'fd00.evil.example', '[fd00.evil]'],
  ];
  for (const host of refused) assert.throws(check(host), { code: 'http/wrong-host' }, host);
});

test('only pages of known origins change anything', () => {
  const { checkOrigin } = originGuard({
    host: '127.0.0.1',
    allowedHosts: [],
    corsAllowedOrigins: ['https://*.lab.example'],
  });
  const post =
    (origin: string | undefined, fetchSite?: string, method = 'POST') =>
    () =>
      checkOrigin({ method, hosts: ['ml.example:5000'], origin, fetchSite });
  for (const origin of [
    undefined,
    'http://ml.example:5000',
    'https://ml.example:5000',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://[::1]:8080',
    'https://a.lab.example',
  ]) {
    assert.doesNotThrow(post(origin), origin);
  }
  for (const origin of [
    'null',
    'http://evil.example',
    'http://ml.example',
    'http://ml.example:5000.evil.example',
    'http://localhost.evil.example',
    'http://localhost@evil.example',
    'file://',
    'https://lab.example',
    'http://a.lab.example',
    '',
  ]) {
    assert.throws(post(origin), { code: 'http/cross-origin' }, origin);
  }
  assert.throws(post(undefined, 'cross-site'), { code: 'http/cross-origin' });
  assert.throws(post(undefined, 'same-site'), { code: 'http/cross-origin' });
  assert.doesNotThrow(post(undefined, 'same-origin'));
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    assert.throws(post('http://evil.example', undefined, method), { code: 'http/cross-origin' });
  assert.doesNotThrow(post('http://evil.example', 'cross-site', 'GET'));
});

test('the guards stand before every route but health', async () => {
  await using app = await openEchoServer({ corsAllowedOrigins: ['https://lab.example'] });
  const headers = { host: 'evil.example' };
  assert.equal((await app.inject({ url: '/metrics', headers })).statusCode, 403);
  assert.equal((await app.inject({ url: '/', headers })).statusCode, 403);
  assert.equal((await app.inject({ url: '/nothing', headers })).statusCode, 403);
  assert.equal((await app.inject({ url: '/health/live', headers })).statusCode, 200);
  const change = await app.inject({
    method: 'POST',
    url: '/api/v1/rows',
    headers: { origin: 'https://evil.example' },
    payload: { name: 'a' },
  });
  assert.equal(change.json().code, 'http/cross-origin');
  const preflight = (origin: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/api/v1/rows',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  assert.equal((await preflight('https://lab.example')).headers['access-control-allow-origin'], 'https://lab.example');
  assert.equal((await preflight('https://lab.example')).statusCode, 204);
  assert.equal((await preflight('https://evil.example')).headers['access-control-allow-origin'], undefined);
});

test('what is not our own page cannot run in our origin', async () => {
  await using app = await openEchoServer();
  const { headers } = await app.inject('/api/v1/openapi.json');
  assert.match(String(headers['content-security-policy']), /sandbox/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('OpenAPI 3.1 lists our own API and not the faces', async () => {
  await using app = await openEchoServer();
  app.get('/api/2.0/mlflow/x', { config: { permission: 'read' } }, async () => ({}));
  const document = (await app.inject('/api/v1/openapi.json')).json();
  assert.equal(document.openapi, '3.1.0');
  assert.ok(document.paths['/api/v1/rows'].post.requestBody);
  assert.equal(document.paths['/api/v1/rows/{name}'].get.parameters.length, 3);
  assert.equal(document.paths['/api/2.0/mlflow/x'], undefined);
});

test('without pages, the root says how to build them', async () => {
  await using app = await openTestServer();
  assert.match((await app.inject('/')).body, /npm run build:ui/);
});

test('pages: hashed files stay for ever, deep addresses get the page, the API keeps its 404', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-ui-'));
  await mkdir(join(folder.path, 'assets'));
  await writeFile(join(folder.path, 'index.html'), '<!doctype html><head></head>');
  await writeFile(join(folder.path, 'assets', 'index-abc.js'), 'console.log(1)\n'.repeat(100));
  await using app = await openTestServer({ uiFolder: folder.path, staticPrefix: '/team' });
  const html = { accept: 'text/html' };

  const page = await app.inject({ url: '/', headers: html });
  assert.match(page.body, /<base href="\/team\/" \/>/);
  assert.match(String(page.headers['content-security-policy']), /script-src 'self'/);
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.equal((await app.inject({ url: '/models/flight-delay/3', headers: html })).body, page.body);
  assert.equal((await app.inject({ url: '/team/models/flight-delay', headers: html })).body, page.body);

  const script = await app.inject({ url: '/assets/index-abc.js', headers: { 'accept-encoding': 'gzip, br' } });
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(script.headers['content-encoding'], 'br');
  const again = await app.inject({
    url: '/assets/index-abc.js',
    headers: { 'if-none-match': String(script.headers.etag) },
  });
  assert.equal(again.statusCode, 304);

  for (const url of ['/api/v1/nothing', '/v2/nothing', '/assets/gone.js', '/team/api/v1/nothing']) {
    assert.equal((await app.inject({ url, headers: html })).statusCode, 404, url);
  }
  assert.equal((await app.inject('/assets/..%2findex.html')).statusCode, 400);
});

test('readiness says why not, and a closing server is not ready', async () => {
  await using app = await openTestServer({ readiness: () => ({ reasons: ['the disk is full'] }) });
  const answer = await app.inject('/health/ready');
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json().reasons, ['the disk is full']);
});

test('a request that was begun gets its answer while the server closes', async () => {
  const app = await openTestServer();
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  app.get('/api/v1/slow', { config: { permission: 'read' } }, async () => {
    begin();
    await mayAnswer;
    return { done: true };
  });
  const { url } = await startServer(app, { host: '127.0.0.1', port: 0 });
  const response = fetch(`${url}/api/v1/slow`);
  await begun;
  const closed = app.close();
  answer();
  assert.deepEqual(await (await response).json(), { done: true });
  await closed;
});

test('a port that is taken is not replaced by another', async () => {
  await using first = await openTestServer();
  await using second = await openTestServer();
  const { port } = await startServer(first, { host: '127.0.0.1', port: 0 });
  await assert.rejects(startServer(second, { host: '127.0.0.1', port }), { code: 'http/port-in-use' });
});

test('what is no HTTP at all gets a 400 and the server lives on', async () => {
  await using app = await openTestServer();
  const { url, port } = await startServer(app, { host: '127.0.0.1', port: 0 });
  const bad = [
    'nonsense\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: xchunked\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`,
  ];
  for (const text of bad) {
    const socket = connect(port, '127.0.0.1');
    socket.write(text);
    const [first] = await once(socket, 'data');
    assert.match(String(first), /^HTTP\/1\.1 4\d\d /, text.slice(0, 60));
    socket.destroy();
  }
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
});
