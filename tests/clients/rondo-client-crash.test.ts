/** `rondo/client` when something dies: the server in the middle of logging, answers on their way, the program itself. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Run, type StoredRun } from '../../src/client/client.ts';
import { columnsModel } from '../fixtures/onnx/tiny-models.ts';
import { spawnServer } from '../journeys/spawned-server.ts';

test('kill -9 of the server in the middle of logging: every point arrives, each once', {
  timeout: 300_000,
}, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await using open = new AsyncDisposableStack();
  const start = async (port?: string) =>
    open.use(await spawnServer({ dataFolder: join(folder.path, 'data'), ...(port && { port }) }));
  let server = await start();
  const { url } = server;
  const client = connect({ url, firstPauseMs: 20, spoolFolder: folder.path });
  await using run = await client.startRun({ experimentName: 'killed' });
  let logged = 0;
  const logSome = (points: number) => {
    for (let i = 0; i < points; i++) run.logMetric('loss', 1 / (logged + 1), { step: logged++ });
  };
  for (let kill = 1; kill <= 3; kill++) {
    const stop = new AbortController();
    const logging = logUntil(stop.signal, () => logSome(100));
    await wait(211 * kill); // into the middle of another batch each time
    await server.kill();
    logSome(kill === 2 ? 55_000 : 500); // once more than memory takes
    server = await start(new URL(url).port);
    stop.abort();
    await logging;
  }
  await run.end();
  assert.deepEqual(await stepsOf(url, run.id), allSteps(logged));
  assert.ok(logged > 56_000);
  assert.equal((await client.getRun(run.id)).status, 'FINISHED');
});

test('every first answer gets lost, and nothing is there twice', { timeout: 300_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await using server = await spawnServer({ dataFolder: join(folder.path, 'data') });
  await using proxy = await losingProxy(server.url);
  const client = connect({ url: proxy.url, firstPauseMs: 1, patienceMs: 60_000, spoolFolder: folder.path });
  const work = async (run: Run) => {
    await run.logParams({ depth: 3 });
    for (let step = 0; step < 2500; step++) run.logMetric('loss', step, { step });
    await run.logText('as it was', 'notes.txt');
    const model = await run.logModel({
      name: 'model',
      files: { 'model.onnx': columnsModel() },
      signature: { inputs: [], outputs: [] },
    });
    const again = () => client.registerModel({ name: 'line', model, runId: run.id });
    assert.deepEqual([(await again()).version, (await again()).version], [1, 2]);
    return run.id;
  };
  const runId = await client.startRun({ experimentName: 'lost', runName: 'once' }, work);
  assert.ok(proxy.lost() >= 15, `only ${proxy.lost()} answers were lost`);

  const direct = connect({ url: server.url, spoolFolder: folder.path });
  const runs: StoredRun[] = [];
  for await (const run of direct.searchRuns({ experimentNames: ['lost'] })) runs.push(run);
  assert.deepEqual(
    runs.map((run) => [run.runId, run.status, run.params, run.metrics]),
    [[runId, 'FINISHED', { depth: '3' }, { loss: 2499 }]],
  );
  assert.deepEqual(await stepsOf(server.url, runId), allSteps(2500));
  const versions = await server.must<{ model_versions: unknown[] }>(
    'GET',
    `/api/2.0/mlflow/model-versions/search?filter=${encodeURIComponent("name='line'")}`,
  );
  assert.equal(versions.model_versions.length, 2);
});

test('a program that ends with its run open: all it logged arrives, and the run ends as it did', {
  timeout: 300_000,
}, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await using server = await spawnServer({ dataFolder: join(folder.path, 'data') });
  const ends = async (ending: string, code: number | null, signal?: NodeJS.Signals) => {
    const program = logAndLeave({ url: server.url, folder: folder.path, points: 5000, ending });
    const runId = await program.line();
    if (signal) {
      await program.line();
      program.process.kill(signal);
    }
    assert.equal(await program.exited, code ?? signal, ending);
    assert.deepEqual(await stepsOf(server.url, runId), allSteps(5000), ending);
    return (await connect({ url: server.url, spoolFolder: folder.path }).getRun(runId)).status;
  };
  assert.equal(await ends('last-line', 0), 'FINISHED');
  assert.equal(await ends('exit', 3), 'FAILED');
  assert.equal(await ends('throw', 1), 'FAILED');
  assert.equal(await ends('wait-for-signal', null, 'SIGTERM'), 'KILLED');
  assert.equal(await ends('wait-for-signal', null, 'SIGINT'), 'KILLED');
  assert.deepEqual(await spooled(folder.path), []);
});

test('what a program could not send before its end, the next one sends', { timeout: 300_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-client-'));
  await using first = await spawnServer({ dataFolder: join(folder.path, 'data') });
  const { url } = first;
  const program = logAndLeave({ url, folder: folder.path, points: 1500, ending: 'wait-for-line' });
  const runId = await program.line();
  await first.kill();
  program.process.stdin?.end('go\n');
  assert.equal(await program.exited, 0);
  const [file = ''] = await spooled(folder.path);
  assert.ok(
    program.said().includes(`What run ${runId} has not sent waits in ${join(folder.path, file)}`),
    program.said(),
  );

  await using second = await spawnServer({ dataFolder: join(folder.path, 'data'), port: new URL(url).port });
  const next = logAndLeave({ url, folder: folder.path, points: 1, ending: 'last-line' });
  assert.equal(await next.exited, 0);
  assert.deepEqual(await spooled(folder.path), []);
  assert.deepEqual(await stepsOf(second.url, runId), allSteps(1500));
  assert.equal((await connect({ url, spoolFolder: folder.path }).getRun(runId)).status, 'FINISHED');
});

async function logUntil(signal: AbortSignal, log: () => void): Promise<void> {
  while (!signal.aborted) {
    log();
    await wait(5);
  }
}

const allSteps = (count: number): readonly number[] => Array.from({ length: count }, (_, step) => step);

const stepsOf = async (url: string, runId: string): Promise<readonly number[]> =>
  (await connect({ url }).getMetricHistory(runId, 'loss')).map(({ step }) => step).toSorted((a, b) => a - b);

const spooled = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));

type Program = {
  readonly process: ChildProcess;
  /** The next line of its output. */
  line(): Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  readonly said: () => string;
};

function logAndLeave(options: { url: string; folder: string; points: number; ending: string }): Program {
  const { url, folder, points, ending } = options;
  const path = join(import.meta.dirname, '..', 'fixtures', 'log-and-leave.ts');
  const child = spawn(process.execPath, ['--conditions=rondo-source', path, url, folder, String(points), ending], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (part) => (said += part));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    process: child,
    line: async () => String((await lines.next()).value),
    exited: once(child, 'exit').then(([code, signal]) => code ?? signal),
    said: () => said,
  };
}

/** Passes requests on; the first time that it sees one, it cuts the connection instead of giving the answer. */
async function losingProxy(target: string): Promise<AsyncDisposable & { readonly url: string; lost(): number }> {
  const seen = new Set<string>();
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers, socket } = request;
    const body = await buffer(request);
    const { 'content-type': type = 'text/plain' } = headers;
    const hasBody = method !== 'GET';
    const answer = await fetch(new URL(url, target), {
      method,
      headers: { 'content-type': type },
      ...(hasBody && { body }),
    });
    const text = await answer.text();
    const what = `${method} ${url} ${body.toString('base64')}`;
    if (seen.has(what)) response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    else socket.destroy();
    seen.add(what);
  };
  const server = createServer((request, response) => void pass(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    lost: () => seen.size,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
