/** The server is killed while runs are logged, again and again: all metric points, params, tags and artifacts that it took are there. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { type Spawned, spawnServer, until } from './spawned-server.ts';

const mlflow = '/api/2.0/mlflow';
const files = '/api/2.0/mlflow-artifacts/artifacts';
const kinds = ['points', 'batches', 'params', 'tags', 'artifacts'] as const;
type Kind = (typeof kinds)[number];

/** Everything is numbered, and what a number stands for follows from it: how many of each the server has taken. */
type Taken = { readonly runId: string; readonly root: string; readonly count: Record<Kind, number> };

eachDatabaseUrl(extent.databases, (database, newUrl) => {
  test(`${database}: nothing that was logged and acknowledged is lost by ${extent.kills} times kill -9`, {
    timeout: 3_600_000,
  }, async (context) => {
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-crash-'));
    const url = await newUrl();
    const env = url === undefined ? {} : { DATABASE_URL: url };
    await using open = new AsyncDisposableStack();
    const start = async () => open.use(await spawnServer({ dataFolder: place.path, env }));

    let server = await start();
    const all: Taken[] = [];
    const readyMs: number[] = [];
    for (let kill = 1; kill <= extent.kills; kill++) {
      const taken = await startRun(server);
      all.push(taken);
      const logging = Promise.all(kinds.map((kind) => log(server, taken, kind)));
      await Promise.race([logging, until('some of everything is taken', async () => hasAll(taken))]);
      await wait(50 + ((kill * 37) % 211)); // never at the same moment of a write twice
      await server.kill();
      await logging;
      const startedAt = performance.now();
      server = await start();
      readyMs.push(performance.now() - startedAt);
      await checkRun(server, taken);
    }
    for (const taken of all) await checkRun(server, taken);
    const verified = await server.must<{ bad?: unknown }>('POST', '/api/v1/audit/verify');
    assert.equal(verified.bad, undefined, JSON.stringify(verified));

    const sums = kinds.map((kind) => `${all.reduce((sum, { count }) => sum + count[kind], 0)} ${kind}`);
    context.diagnostic(
      `${extent.kills} kills; acknowledged and found again: ${sums.join(', ')}; a batch has ${batchSize} points`,
    );
    context.diagnostic(`ready again after ${told(readyMs, 0.5)} (median), ${told(readyMs, 1)} at most`);
  });
});

const batchSize = 50;

const hasAll = ({ count }: Taken): boolean => kinds.every((kind) => count[kind] > 0);

const told = (times: readonly number[], share: number): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return `${((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1000).toFixed(2)} s`;
};

async function startRun(server: Spawned): Promise<Taken> {
  type Created = { run: { info: { run_id: string; artifact_uri: string } } };
  const { run } = await server.must<Created>('POST', `${mlflow}/runs/create`, { experiment_id: '0' });
  return {
    runId: run.info.run_id,
    root: run.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, ''),
    count: { points: 0, batches: 0, params: 0, tags: 0, artifacts: 0 },
  };
}

/** One after another, until the server is gone. */
async function log(server: Spawned, taken: Taken, kind: Kind): Promise<void> {
  for (;;) {
    try {
      await send[kind](server, taken, taken.count[kind]);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return; // the connection broke: no answer, no promise
    }
    taken.count[kind] += 1;
  }
}

const send: Readonly<Record<Kind, (server: Spawned, taken: Taken, number: number) => Promise<unknown>>> = {
  points: (server, { runId }, step) =>
    server.must('POST', `${mlflow}/runs/log-metric`, { run_id: runId, key: 'point', ...pointOf(step) }),
  batches: (server, { runId }, number) => {
    const metrics = batchOf(number).map((step) => ({ key: 'batch', ...pointOf(step) }));
    return server.must('POST', `${mlflow}/runs/log-batch`, { run_id: runId, metrics });
  },
  params: (server, { runId }, number) =>
    server.must('POST', `${mlflow}/runs/log-parameter`, { run_id: runId, key: `p${number}`, value: `v${number}` }),
  tags: (server, { runId }, number) =>
    server.must('POST', `${mlflow}/runs/set-tag`, { run_id: runId, key: `t${number}`, value: `v${number}` }),
  artifacts: (server, { root }, number) => server.must('PUT', `${files}/${root}/a${number}`, bytesOf(number)),
};

const pointOf = (step: number) => ({ value: step / 7, timestamp: step, step });
const batchOf = (number: number): readonly number[] =>
  Array.from({ length: batchSize }, (_, i) => number * batchSize + i);

/** From a byte to some hundred kilobytes. */
const bytesOf = (number: number): Uint8Array => Buffer.alloc(1 + ((number * 99_991) % 300_000), `artifact ${number}`);

async function checkRun(server: Spawned, taken: Taken): Promise<void> {
  const { runId, root, count } = taken;
  const numbers = (kind: Kind) => Array.from({ length: count[kind] }, (_, number) => number);
  await checkHistory(server, { runId, key: 'point', steps: numbers('points') });
  await checkHistory(server, { runId, key: 'batch', steps: numbers('batches').flatMap(batchOf) });

  type Found = { run: { data: { params?: Pair[]; tags?: Pair[] } } };
  type Pair = { key: string; value: string };
  const { run } = await server.must<Found>('GET', `${mlflow}/runs/get?run_id=${runId}`);
  const found = new Map([...(run.data.params ?? []), ...(run.data.tags ?? [])].map(({ key, value }) => [key, value]));
  for (const number of numbers('params')) assert.equal(found.get(`p${number}`), `v${number}`);
  for (const number of numbers('tags')) assert.equal(found.get(`t${number}`), `v${number}`);

  // One more may be there, whose answer got lost: then it is whole, too.
  type Listed = { files?: { path: string }[] };
  const listed = await server.must<Listed>('GET', `${mlflow}/artifacts/list?run_id=${runId}`);
  const names = new Set([
    ...numbers('artifacts').map((number) => `a${number}`),
    ...(listed.files ?? []).map((f) => f.path),
  ]);
  assert.ok(names.size <= count.artifacts + 1);
  for (const name of names) {
    const answer = await fetch(new URL(`${files}/${root}/${name}`, server.url));
    assert.equal(answer.status, 200, name);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytesOf(Number(name.slice(1)))), name);
  }
}

async function checkHistory(
  server: Spawned,
  { runId, key, steps }: { readonly runId: string; readonly key: string; readonly steps: readonly number[] },
): Promise<void> {
  const values = new Map<number, number>();
  for (let token: string | undefined = ''; token !== undefined; ) {
    type Page = { metrics?: { step: number; value: number }[]; next_page_token?: string };
    const query: string = `run_id=${runId}&metric_key=${key}&max_results=25000${token && `&page_token=${token}`}`;
    const page: Page = await server.must('GET', `${mlflow}/metrics/get-history?${query}`);
    for (const { step, value } of page.metrics ?? []) values.set(Number(step), value);
    token = page.next_page_token || undefined;
  }
  for (const step of steps) assert.equal(values.get(step), step / 7, `${key} ${step}`);
}
