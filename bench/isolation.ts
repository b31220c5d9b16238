/**
 * Whether other work makes answers slow: p99 of `infer` on a quiet server, next to the same while 2,000 metrics a second are ingested,
 * runs are searched ten times a second and one dataset after another is added. Rounds alternate; medians are shown. `node bench/isolation.ts [rounds] [seconds]`
 */
import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { treesModel } from '../tests/fixtures/onnx/tiny-models.ts';
import { registerModel, type Spawned, ship, spawnServer, until } from '../tests/journeys/spawned-server.ts';
import { quantile } from './quantile.ts';

const [rounds = '5', seconds = '4'] = process.argv.slice(2);
const features = 20;
const mlflow = '/api/2.0/mlflow';
const clients = 4;

await using folder = await mkdtempDisposable(join(process.env['RONDO_BENCH'] ?? tmpdir(), 'rondo-bench-'));
await using server = await spawnServer({ dataFolder: join(folder.path, 'data') });
await writeFile(
  join(folder.path, 'rondo.yaml'),
  'project: trees\ndata: {rows: {source: rows.csv}}\nmodel: {name: trees, task: binary, target: late}\nendpoint: {name: trees}\n',
);
await server.must('PUT', '/api/v1/projects/trees', { folder: folder.path });
const bytes = treesModel({ trees: 100, depth: 6, features });
await ship(server, await registerModel(server, { name: 'trees', files: { 'model.onnx': bytes } }), 'trees');
const data = Array.from({ length: features }, (_, i) => i / features);
const body = { inputs: [{ name: 'input', datatype: 'FP32', shape: [1, features], data }] };
await until('it serves', async () => (await server.call('POST', '/v2/models/trees/infer', body)).status === 200);
const bodyFile = join(folder.path, 'body.json');
await writeFile(bodyFile, JSON.stringify(body));

type Round = { perSecond: number; failures: number; p50: number; p99: number };
const times: Record<'quiet' | 'busy', Round[]> = { quiet: [], busy: [] };
const done = { metrics: 0, searches: 0, datasets: 0 };
await load();
for (let round = 0; round < Number(rounds); round++) {
  times.quiet.push(await load());
  const stop = new AbortController();
  const work = keepBusy(server, stop.signal);
  times.busy.push(await load());
  stop.abort();
  await work;
}

console.log(`beside the busy rounds: ${done.metrics} metrics, ${done.searches} searches, ${done.datasets} datasets`);
console.log('server   requests/s   p50 ms   p99 ms  of quiet  failures');
for (const kind of ['quiet', 'busy'] as const) {
  const cells = [
    kind.padEnd(8),
    median(kind, 'perSecond').toFixed(0).padStart(10),
    median(kind, 'p50').toFixed(2).padStart(8),
    median(kind, 'p99').toFixed(2).padStart(8),
    `${(median(kind, 'p99') / median('quiet', 'p99')).toFixed(2)}×`.padStart(9),
    String(times[kind].reduce((sum, { failures }) => sum + failures, 0)).padStart(9),
  ];
  console.log(cells.join(' '));
}

async function load(): Promise<Round> {
  const url = `${server.url}/v2/models/trees/infer`;
  const args = [join(import.meta.dirname, 'serving-load.ts'), url, String(clients), seconds, bodyFile];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as Round; // what that file prints
}

function median(kind: keyof typeof times, name: 'perSecond' | 'p50' | 'p99'): number {
  const all = times[kind].map((round) => round[name]);
  return quantile(all, 0.5);
}

async function keepBusy(on: Spawned, signal: AbortSignal): Promise<void> {
  type Created = { run: { info: { run_id: string } } };
  const { run } = await on.must<Created>('POST', `${mlflow}/runs/create`, { experiment_id: '0' });
  // At the pace of some training runs and people, not as fast as it goes: that would measure the machine.
  const every = async (ms: number, work: () => Promise<void>) => {
    while (!signal.aborted) await Promise.all([work(), wait(ms)]);
  };
  let step = 0;
  await Promise.all([
    every(50, async () => {
      const metrics = Array.from({ length: 100 }, () => ({ key: 'loss', value: 1 / ++step, timestamp: step, step }));
      await on.must('POST', `${mlflow}/runs/log-batch`, { run_id: run.info.run_id, metrics });
      done.metrics += metrics.length;
    }),
    every(100, async () => {
      await on.must('POST', `${mlflow}/runs/search`, { experiment_ids: ['0'], filter: 'metrics.loss < 0.5' });
      done.searches++;
    }),
    every(0, async () => {
      const rows = Array.from({ length: 50_000 }, (_, i) => `${i},${done.datasets},${Math.sqrt(i)}`);
      await writeFile(join(folder.path, 'rows.csv'), `id,part,root\n${rows.join('\n')}\n`);
      const { operation } = await on.must<{ operation: string }>(
        'POST',
        '/api/v1/projects/trees/datasets/rows/versions',
        {},
      );
      const ended = await on.must<{ state: string }>('GET', `/api/v1/operations/${operation}?wait=30`);
      if (ended.state !== 'done') throw new Error(JSON.stringify(ended));
      done.datasets++;
    }),
  ]);
}
