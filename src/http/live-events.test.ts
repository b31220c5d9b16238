import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LiveEvent, liveEventRoutes } from './live-events.ts';
import { startServer } from './server.ts';
import { openTestServer } from './test-server.ts';

/** A log in memory with the shape of the real one. */
function openLog() {
  const events: LiveEvent[] = [];
  const listeners = new Set<() => void>();
  return {
    append(type: string, project = 'flights') {
      events.push({ position: events.length + 1, type, project, subject: 'endpoint/flights', actor: 'owner', at: 0 });
      for (const listener of listeners) listener();
    },
    source: {
      read: async ({ after, limit }: { after: number; limit: number }) => events.slice(after, after + limit),
      lastPosition: async () => events.length,
      onAppend(listener: () => void) {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    },
    listening: () => listeners.size,
  };
}

async function follow(
  log: ReturnType<typeof openLog>,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
) {
  const app = await openTestServer();
  await app.register(liveEventRoutes({ source: log.source, pingEveryMs: 20 }));
  const { url } = await startServer(app, { host: '127.0.0.1', port: 0 });
  const response = await fetch(`${url}/api/v1/events/stream${query}`, { headers });
  const messages = messagesOf(response);
  return { app, response, messages, next: async () => (await messages.next()).value };
}

async function* messagesOf(response: Response): AsyncGenerator<Record<string, string>> {
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      );
      text = text.slice(end + 2);
    }
  }
}

async function events(next: () => Promise<Record<string, string> | undefined>, count: number) {
  const found: { id: string | undefined; type: string }[] = [];
  while (found.length < count) {
    const message = await next();
    if (message?.data && message.event === undefined)
      found.push({ id: message.id, type: JSON.parse(message.data).type });
  }
  return found;
}

test('a new connection gets what happens from now on', async () => {
  const log = openLog();
  log.append('rollouts.started');
  const { app, response, next } = await follow(log);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.deepEqual(await next(), { retry: '2000' });
  log.append('rollouts.step-entered');
  log.append('rollouts.promoted');
  assert.deepEqual(await events(next, 2), [
    { id: '2', type: 'rollouts.step-entered' },
    { id: '3', type: 'rollouts.promoted' },
  ]);
  await app.close();
});

test('Last-Event-ID continues where the connection broke', async () => {
  const log = openLog();
  for (let at = 0; at < 1200; at += 1) log.append('tracking.run-started');
  const { app, next } = await follow(log, { headers: { 'last-event-id': '100' } });
  const found = await events(next, 1100);
  assert.deepEqual([found[0]?.id, found.at(-1)?.id], ['101', '1200']);
  await app.close();
});

test('types and project narrow it down, and the ping carries the position', async () => {
  const log = openLog();
  const { app, next } = await follow(log, { query: '?types=rollouts.,gates.&project=flights' });
  log.append('tracking.run-started');
  log.append('gates.decided', 'other');
  log.append('gates.decided');
  log.append('tracking.run-ended');
  assert.deepEqual(await events(next, 1), [{ id: '3', type: 'gates.decided' }]);
  for (;;) {
    const message = await next();
    if (message?.event === 'ping' && message.id === '4') break;
  }
  await app.close();
});

test('who was away too long is told of the gap', async () => {
  const log = openLog();
  for (let at = 0; at < 10_100; at += 1) log.append('tracking.run-started');
  const { app, next } = await follow(log, { headers: { 'last-event-id': '5' } });
  await next();
  assert.deepEqual(await next(), { event: 'gap', id: '100', data: '{"from":5,"to":100}' });
  await app.close();
});

test('a closing server ends its streams, and a closed stream stops listening', async () => {
  const log = openLog();
  const { app, messages, next } = await follow(log);
  await next();
  await app.close();
  for await (const message of messages) assert.equal(message.event, 'ping');
  assert.equal(log.listening(), 0);
});

test('who asks for the head of the stream only gets it, and the answer ends', async () => {
  await using app = await openTestServer();
  const log = openLog();
  await app.register(liveEventRoutes({ source: log.source, pingEveryMs: 20 }));
  const { url } = await startServer(app, { host: '127.0.0.1', port: 0 });
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(`${url}/api/v1/events/stream`, { method: 'HEAD', signal });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(log.listening(), 0);
});
