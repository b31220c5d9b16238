/**
 * Tracking beside MLflow's own server, the newest from PyPI, with as many workers as it starts by default and with one; the same
 * requests to all three in turn. `node bench/tracking.ts [runs to search among]`
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtempDisposable, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMlflowServer } from '../tests/clients/differential/mlflow-server.ts';
import { findPythonClients } from '../tests/clients/python-env.ts';
import { spawnServer } from '../tests/journeys/spawned-server.ts';
import { fillMlflow, fillRondo } from './fill-runs.ts';
import { resourcesOf } from './process-use.ts';
import { quantile, sayDisk } from './quantile.ts';

const [runs = '20000'] = process.argv.slice(2);
const python = findPythonClients();
if (python === undefined) {
  console.error('MLflow is not here: npm run setup:tests installs it.');
  process.exit(1);
}

type Server = AsyncDisposable & { readonly url: string; readonly pid: number };
type Kind = { readonly name: string; readonly start: (folder: string) => Promise<Server> };
const mlflow = (name: string, workers?: number): Kind => ({
  name,
  start: (folder) => startMlflowServer({ python, folder, ...(workers === undefined ? {} : { workers }) }),
});
const kinds: readonly Kind[] = [
  { name: 'rondo', start: (folder) => spawnServer({ dataFolder: folder }) },
  mlflow('mlflow'),
  mlflow('1 worker', 1),
];

await using place = await mkdtempDisposable(join(process.env['RONDO_BENCH'] ?? tmpdir(), 'rondo-bench-'));
const folderOf = (kind: Kind) => join(place.path, kind.name.replace(' ', '-'));

/** A line of the table: what each server reached, in the order of `kinds`, and what it used of the processor meanwhile. */
type Line = {
  readonly what: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly cpuMs?: readonly number[];
  readonly moreIsBetter?: boolean;
  /** Of the default server's value, or a limit of our own. */
  readonly target: { readonly times: number } | { readonly below: number };
};

console.log(`${runs} runs; ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`);
console.log(`An answer of ours means: on the disk. ${await sayDisk(place.path)}.`);
console.log('Ratios are to mlflow with its default workers; CPU is the servers’ own, without the client’s.\n');
console.log(
  ['what', ...kinds.map(({ name }) => name), 'ratio', 'of CPU', 'target', ''].map((name, i) => pad(name, i)).join(' '),
);

const ready: number[] = [];
const idle: number[] = [];
for (const kind of kinds) {
  const starts: number[] = [];
  for (let round = 0; round < 3; round++) {
    await rm(folderOf(kind), { recursive: true, force: true });
    await mkdir(folderOf(kind));
    const began = performance.now();
    await using server = await kind.start(folderOf(kind));
    starts.push(performance.now() - began);
    idle[kinds.indexOf(kind)] = resourcesOf(server.pid).mib;
  }
  ready.push(quantile(starts, 0.5) / 1_000);
}
add({ what: 'start to ready, empty folder', unit: 's', values: ready, target: { below: 1 } });

const shape = { runs: Number(runs), pointsPerMetric: 1 };
for (const kind of kinds) {
  if (kind.name === 'rondo') await fillRondo(folderOf(kind), shape);
  else fillMlflow(join(folderOf(kind), 'mlflow.db'), shape);
}

await using stack = new AsyncDisposableStack();
const servers: Server[] = [];
for (const kind of kinds) servers.push(stack.use(await kind.start(folderOf(kind))));

const api = '/api/2.0/mlflow';
type Answer = { run: { info: { run_id: string } }; next_page_token?: string; metrics?: unknown[]; runs?: unknown[] };

/** Tries again when a connection that was idle was being closed, as MLflow's clients do. */
const ask = (url: string, request: RequestInit = {}): Promise<Response> =>
  fetch(url, request).catch(() => fetch(url, request));

async function call(server: Server, method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await ask(`${server.url}${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as Answer; // of an endpoint of MLflow's
}

const newRun = async (server: Server): Promise<string> =>
  (await call(server, 'POST', `${api}/runs/create`, { experiment_id: '0', start_time: Date.now() })).run.info.run_id;
const runIds = await Promise.all(servers.map(newRun));
const runOf = (server: Server): string => runIds[servers.indexOf(server)] ?? '';

type Measured = { readonly ms: readonly number[]; readonly cpuMs: number };

/** How often the work is done: less often on the servers where it takes long. */
async function measure(
  [ours, theirs]: readonly [number, number],
  work: (server: Server, round: number) => Promise<unknown>,
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const [index, server] of servers.entries()) {
    await work(server, -1); // compilers and caches
    const before = resourcesOf(server.pid).cpuMs;
    const ms: number[] = [];
    for (let round = 0; round < (index === 0 ? ours : theirs); round++) {
      const began = performance.now();
      await work(server, round);
      ms.push(performance.now() - began);
    }
    measured.push({ ms, cpuMs: (resourcesOf(server.pid).cpuMs - before) / ms.length });
  }
  return measured;
}

const median = (measured: readonly Measured[]): readonly number[] => measured.map(({ ms }) => quantile(ms, 0.5));
const cpuOf = (measured: readonly Measured[]): readonly number[] => measured.map(({ cpuMs }) => cpuMs);

const logged = await measure([500, 100], (server, step) =>
  call(server, 'POST', `${api}/runs/log-metric`, {
    ...{ run_id: runOf(server), key: 'one', value: step / 7, timestamp: step + 1, step },
  }),
);
add({
  what: 'log-metric, p50',
  unit: 'ms',
  values: median(logged),
  cpuMs: cpuOf(logged),
  target: { times: 10 },
});

const batches = 100;
const points = 1_000;
const batched = await measure([batches, batches], (server, round) =>
  call(server, 'POST', `${api}/runs/log-batch`, {
    run_id: runOf(server),
    metrics: Array.from({ length: points }, (_, i) => {
      const step = round * points + i;
      return { key: 'many', value: Math.sin(step), timestamp: 1_700_000_000_000 + step, step };
    }),
  }),
);
add({
  what: 'log-batch of 1,000, points/s',
  unit: '',
  values: batched.map(({ ms }) => (ms.length * points * 1_000) / ms.reduce((sum, one) => sum + one, 0)),
  cpuMs: cpuOf(batched),
  moreIsBetter: true,
  target: { times: 15 },
});

const created = await measure([200, 20], async (server, round) => {
  await call(server, 'POST', `${api}/runs/log-batch`, {
    run_id: await newRun(server),
    metrics: Array.from({ length: 10 }, (_, i) => ({ key: `c${i}`, value: i, timestamp: 1, step: 0 })),
    params: Array.from({ length: 10 }, (_, i) => ({ key: `c${i}`, value: `${round}` })),
  });
});
add({
  what: 'run with 10 metrics, 10 params',
  unit: 'ms',
  values: median(created),
  cpuMs: cpuOf(created),
  target: { times: 10 },
});

for (const [what, filter] of [
  ['filter and order, p99', 'metrics.m1 < 0.1'],
  ['order alone, p99', undefined],
] as const) {
  const searched = await measure([200, 3], (server, round) =>
    call(server, 'POST', `${api}/runs/search`, {
      experiment_ids: ['0'],
      max_results: 100,
      order_by: [`metrics.m${2 + (Math.abs(round) % 5)} DESC`],
      ...(filter && { filter }),
    }),
  );
  add({
    what,
    unit: 'ms',
    values: searched.map(({ ms }) => quantile(ms, 0.99)),
    cpuMs: cpuOf(searched),
    target: { below: 50 },
  });
}

const history = await measure([5, 2], async (server) => {
  let token: string | undefined = '';
  let found = 0;
  while (token !== undefined) {
    const page = `run_id=${runOf(server)}&metric_key=many&max_results=25000&page_token=${token}`;
    const answer: Answer = await call(server, 'GET', `${api}/metrics/get-history?${page}`);
    found += answer.metrics?.length ?? 0;
    token = answer.next_page_token;
  }
  if (found < batches * points) throw new Error(`${server.url} has ${found} points`);
});
add({
  what: 'history of 100k points',
  unit: 'ms',
  values: median(history),
  cpuMs: cpuOf(history),
  target: { times: 10 },
});

const interval = await measure([20, 5], async (server) => {
  const query = `run_ids=${runOf(server)}&metric_key=many&max_results=320`;
  const { metrics } = await call(server, 'GET', `/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?${query}`);
  if (!metrics || metrics.length < 320) throw new Error(`${server.url} has ${metrics?.length} points`);
});
add({
  what: 'bulk-interval, 320 of 100k',
  unit: 'ms',
  values: median(interval),
  cpuMs: cpuOf(interval),
  target: { times: 10 },
});

const file = randomBytes(100_000_000);
const artifact = (server: Server, round: number) =>
  `${server.url}/api/2.0/mlflow-artifacts/artifacts/0/${runOf(server)}/artifacts/${round}.bin`;
const put = await measure([3, 3], async (server, round) => {
  const answer = await ask(artifact(server, round), { method: 'PUT', body: file });
  if (!answer.ok) throw new Error(await answer.text());
  await answer.arrayBuffer();
});
add({
  what: 'artifact of 100 MB, PUT',
  unit: 'ms',
  values: median(put),
  cpuMs: cpuOf(put),
  target: { times: 1 },
});
const got = await measure([3, 3], async (server, round) => {
  const bytes = await (await ask(artifact(server, round))).bytes();
  if (Buffer.compare(bytes, file) !== 0) throw new Error(`${server.url} gave other bytes back`);
});
add({
  what: 'artifact of 100 MB, GET',
  unit: 'ms',
  values: median(got),
  cpuMs: cpuOf(got),
  target: { times: 1 },
});

add({ what: 'memory, just started', unit: 'MiB', values: idle, target: { below: 400 } });
const loaded = servers.map(({ pid }) => resourcesOf(pid).mib);
add({ what: 'memory, after all of this', unit: 'MiB', values: loaded, target: { below: 400 } });

/** Prints a line as soon as it is known. */
function add({ what, unit, values, cpuMs, moreIsBetter, target }: Line): void {
  const [ours = Number.NaN, theirs = Number.NaN] = values;
  const ratio = moreIsBetter ? ours / theirs : theirs / ours;
  const [ourCpu, theirCpu] = cpuMs ?? [];
  const isReached = 'times' in target ? ratio >= target.times : ours < target.below;
  const cells = [
    what,
    ...values.map((value) => `${shown(value)} ${unit}`.trim()),
    `${shown(ratio)}×`,
    ourCpu && theirCpu ? `${shown(theirCpu / ourCpu)}×` : '–',
    'times' in target ? `${target.times}×` : `${target.below} ${unit}`,
    isReached ? '' : 'MISSED',
  ];
  console.log(cells.map((cell, i) => pad(cell, i)).join(' '));
}

function pad(cell: string, column: number): string {
  return column === 0 ? cell.padEnd(32) : cell.padStart(12);
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
