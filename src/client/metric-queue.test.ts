import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { sendLeftFile } from './left-metrics.ts';
import { metricQueue } from './metric-queue.ts';
import { openSpool } from './metric-spool.ts';
import { RequestError, type Rest, UnavailableError } from './rest-client.ts';
import { sendMetrics } from './send-metrics.ts';
import type { WireMetric } from './wire-metric.ts';

const folder = await mkdtempDisposable(join(tmpdir(), 'rondo-queue-'));
after(() => folder.remove());

/** What happens to a queue: metrics are logged, the server goes and comes, somebody waits for what was logged. */
const happenings = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('log' as const), count: fc.integer({ min: 1, max: 1500 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), times: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'pause' as const }) },
  ),
  { maxLength: 25 },
);

test('whatever fails in between, every metric arrives, in order', async () => {
  await fc.assert(
    fc.asyncProperty(happenings, fc.integer({ min: 1, max: 3000 }), async (all, mostInMemory) => {
      const server = keepingServer();
      const queue = metricQueue({
        send: (batch) => sendMetrics(server.rest, 'r', batch),
        openSpool: spool,
        mostInMemory,
      });
      let logged = 0;
      for (const one of all) {
        if (one.kind === 'log') {
          for (let i = 0; i < one.count; i++) queue.add([{ key: 'm', value: 1, timestamp: 0, step: logged++ }]);
        }
        if (one.kind === 'fail') server.failures = one.times;
        if (one.kind === 'flush') await queue.flush().catch(isUnavailable);
        if (one.kind === 'pause') await new Promise(setImmediate);
      }
      server.failures = 0;
      await queue.flush();
      assert.deepEqual(
        server.kept.map(({ step }) => step),
        Array.from({ length: logged }, (_, step) => step),
      );
      assert.ok(server.largest <= 1000);
      assert.deepEqual(await readdir(folder.path), []);
    }),
    { numRuns: 30 },
  );
});

test('what a program leaves behind is in the file, and arrives from there, once', async () => {
  await fc.assert(
    fc.asyncProperty(happenings, fc.integer({ min: 1, max: 3000 }), async (all, mostInMemory) => {
      const server = keepingServer();
      const queue = metricQueue({
        send: (batch) => sendMetrics(server.rest, 'r', batch),
        openSpool: spool,
        mostInMemory,
      });
      const steps = new Set<unknown>();
      for (const one of all) {
        if (one.kind === 'log') {
          for (let i = 0; i < one.count; i++) {
            queue.add([{ key: 'm', value: 1, timestamp: 0, step: steps.size }]);
            steps.add(steps.size);
          }
        }
        if (one.kind === 'fail') server.failures = one.times;
        if (one.kind === 'flush') await queue.flush().catch(isUnavailable);
        if (one.kind === 'pause') await new Promise(setImmediate);
      }
      const file = queue.leave({ status: 'FAILED', endTime: 7 });
      server.failures = 0;
      await sendLeftFile(server.rest, file);
      assert.deepEqual(new Set(server.kept.map(({ step }) => step)), steps);
      assert.deepEqual(server.ends, [{ run_id: 'r', status: 'FAILED', end_time: 7 }]);
      assert.deepEqual(await readdir(folder.path), []);
    }),
    { numRuns: 30 },
  );
});

test('what memory has no room for waits in a file that only this user reads, until it has arrived', async () => {
  const server = keepingServer();
  const queue = metricQueue({
    send: (batch) => sendMetrics(server.rest, 'r', batch),
    openSpool: spool,
    mostInMemory: 10,
  });
  for (let step = 0; step < 25; step++) queue.add([{ key: 'm', value: Number.NaN, timestamp: 0, step }]);
  const [name = ''] = await readdir(folder.path);
  const lines = (await readFile(join(folder.path, name), 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, 1 + 15);
  assert.equal(lines.at(-1), '{"key":"m","value":"NaN","timestamp":0,"step":24}');
  assert.equal((await stat(join(folder.path, name))).mode & 0o777, 0o600);
  await queue.flush();
  assert.equal(server.kept.length, 25);
  assert.deepEqual(await readdir(folder.path), []);
});

test('a line that a full disk or a kill cut off is passed over, and those around it are not', async () => {
  const server = keepingServer();
  const path = join(folder.path, 'torn');
  const line = (step: number) => `{"key":"m","value":1,"timestamp":0,"step":${step}}\n`;
  await writeFile(path, `{"url":"http://127.0.0.1:5000","runId":"r"}\n${line(1)}{"key":"m","val\n${line(2)}{"key`);
  await sendLeftFile(server.rest, { path, from: 0 });
  assert.deepEqual(
    server.kept.map(({ step }) => step),
    [1, 2],
  );
});

test('a metric that is refused takes no other along, and the error counts and names them', async () => {
  const server = keepingServer((metric) => metric.key === 'bad name!');
  const queue = metricQueue({ send: (batch) => sendMetrics(server.rest, 'r', batch), openSpool: spool });
  const isBad = (step: number) => step === 17 || step >= 1990;
  for (let step = 0; step < 2000; step++) {
    queue.add([{ key: isBad(step) ? 'bad name!' : 'good', value: 1, timestamp: 0, step }]);
  }
  await assert.rejects(queue.flush(), (error: unknown) => {
    assert.ok(error instanceof RequestError);
    assert.equal(error.message, '11 metrics were refused, first "bad name!" at step 17: no such name');
    return true;
  });
  assert.equal(server.kept.length, 1989);
  await queue.flush();
});

test('a run that the server does not take anything for costs a few requests, not one for each metric', async () => {
  const server = keepingServer(() => true);
  const queue = metricQueue({ send: (batch) => sendMetrics(server.rest, 'r', batch), openSpool: spool });
  queue.add(Array.from({ length: 1000 }, (_, step) => ({ key: 'm', value: 1, timestamp: 0, step })));
  await assert.rejects(queue.flush(), /^RequestError: 1000 metrics were refused/);
  assert.ok(server.requests < 100, `${server.requests}`);
});

const spool = () => openSpool(folder.path, { url: 'http://127.0.0.1:5000', runId: 'r' });

function isUnavailable(error: unknown): void {
  assert.ok(error instanceof UnavailableError);
}

type Kept = {
  /** So many of the next requests fail: half of them before they are done, half after. */
  failures: number;
  requests: number;
  largest: number;
  readonly kept: WireMetric[];
  readonly ends: unknown[];
  readonly rest: Rest;
};

/** Takes a batch whole or not at all, and a point that it has as the same point, as MLflow does. */
function keepingServer(refuses: (metric: WireMetric) => boolean = () => false) {
  const known = new Set<unknown>();
  const server: Kept = {
    failures: 0,
    requests: 0,
    largest: 0,
    kept: [],
    ends: [],
    rest: {
      url: 'http://127.0.0.1:5000',
      authorization: undefined,
      async call(_method, path, content): Promise<unknown> {
        await new Promise(setImmediate);
        server.requests += 1;
        if (path === 'runs/update') return server.ends.push(content);
        const metrics = content['metrics'] as readonly WireMetric[]; // our own client wrote it
        server.largest = Math.max(server.largest, metrics.length);
        const isLost = server.failures > 0;
        if (isLost) server.failures -= 1;
        if (isLost && server.failures % 2 === 0) throw new UnavailableError('it', new Error('connect ECONNREFUSED'));
        if (metrics.some(refuses)) throw new RequestError(400, 'INVALID_PARAMETER_VALUE', 'no such name');
        server.kept.push(...metrics.filter(({ step }) => !known.has(step)));
        for (const { step } of metrics) known.add(step);
        if (isLost) throw new UnavailableError('it', new Error('socket hang up'));
        return {};
      },
      upload: () => Promise.reject(new Error('no metric')),
    },
  };
  return server;
}
