/**
 * Searches among 100,000 runs and 50 million metric points, first 100, each over HTTP with whole runs in the answer.
 * `node bench/search.ts [rounds] [experiments] [data folder]`: of all the experiments, among which the runs are dealt. The folder is
 * filled when it is empty, and kept when it was named.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnServer } from '../tests/journeys/spawned-server.ts';
import { fillRondo } from './fill-runs.ts';
import { cpuOf } from './process-use.ts';
import { quantile } from './quantile.ts';

const [rounds = '100', experiments = '1', named] = process.argv.slice(2);
const targetMs = 50;
const shape = { runs: 100_000, pointsPerMetric: 50, experiments: Number(experiments) };

/** `n` changes from round to round, so that no answer is a repetition. */
type Search = { readonly share: string; readonly filter?: (n: number) => string; readonly order?: string };
const searches: readonly Search[] = [
  { share: 'all' },
  { share: 'all', order: 'metrics.m2 DESC' },
  { share: 'all', order: 'metrics.m2 ASC' },
  { share: 'all', order: 'params.p9' },
  { share: 'all', order: 'attributes.run_name ASC' },
  { share: 'all', order: 'attributes.end_time DESC' },
  { share: '10 %', filter: (n) => `metrics.m1 < ${0.1 - n / 1e5}`, order: 'metrics.m2 DESC' },
  { share: '1 %', filter: (n) => `metrics.m1 < ${0.01 - n / 1e5}`, order: 'metrics.m2 DESC' },
  { share: '0.01 %', filter: (n) => `metrics.m1 < ${0.0001 + n / 1e7}`, order: 'metrics.m2 DESC' },
  { share: 'none', filter: (n) => `metrics.m1 > ${2 + n}`, order: 'metrics.m2 DESC' },
  { share: '10 %', filter: (n) => `metrics.m1 < ${0.1 - n / 1e5}`, order: 'metrics.m1 DESC' },
  { share: '9 %', filter: (n) => `metrics.m1 < ${0.3 - n / 1e5} AND metrics.m3 > 0.7`, order: 'metrics.m2 DESC' },
  {
    share: '0.01 %',
    filter: (n) => `metrics.m1 < ${0.1 - n / 1e5} AND metrics.m3 < 0.1 AND metrics.m4 < 0.1 AND metrics.m5 < 0.1`,
    order: 'metrics.m2 DESC',
  },
  { share: '10 %', filter: (n) => `params.p0 = '${n % 10}'`, order: 'metrics.m2 DESC' },
  { share: '1 %', filter: (n) => `params.p9 = '${n}'`, order: 'metrics.m2 DESC' },
  { share: '10 %', filter: (n) => `tags.t4 = '${n % 10}'` },
  { share: '1 %', filter: (n) => `tags.t4 = '${n % 10}' AND params.p0 = '3'`, order: 'params.p2' },
  { share: '0.2 %', filter: (n) => `attributes.status = 'FAILED' AND params.p9 = '${n}'`, order: 'metrics.m2 DESC' },
  { share: '2 %', filter: (n) => `params.p9 = '${n}' OR params.p9 = '${n + 1}'`, order: 'metrics.m2 DESC' },
  { share: '9 %', filter: (n) => `NOT params.p0 = '${n % 10}' AND metrics.m1 < 0.1`, order: 'metrics.m2 DESC' },
  { share: '10 %', filter: (n) => `metrics.m1 < ${0.1 - n / 1e5}`, order: 'attributes.run_name ASC' },
  { share: '10 %', filter: (n) => `metrics.m1 < ${0.1 - n / 1e5}`, order: 'attributes.end_time DESC' },
];

const folder = named ?? (await mkdtemp(join(process.env['RONDO_BENCH'] ?? tmpdir(), 'rondo-bench-')));
await mkdir(folder, { recursive: true });
if (!existsSync(join(folder, 'rondo.db'))) {
  console.log(`${(await fillRondo(folder, shape)).toFixed(1)} bytes on the disk a point, with its key`);
}
{
  await using server = await spawnServer({ dataFolder: folder });
  console.log('share    p50 ms   p99 ms   CPU ms  within  runs  order, filter');
  for (const search of searches) {
    const times: number[] = [];
    let found = 0;
    let cpu = 0;
    for (let n = -3; n < Number(rounds); n += 1) {
      const body = {
        experiment_ids: Array.from({ length: shape.experiments }, (_, id) => String(id)),
        max_results: 100,
        ...(search.filter && { filter: search.filter(Math.abs(n) % 90) }),
        ...(search.order && { order_by: [search.order] }),
      };
      if (n === 0) cpu = cpuOf(server.pid);
      const began = performance.now();
      const answer = await fetch(`${server.url}/api/2.0/mlflow/runs/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      const took = performance.now() - began;
      if (answer.status !== 200) throw new Error(text);
      if (n < 0) continue; // compilers and caches
      times.push(took);
      found = (JSON.parse(text) as { runs?: unknown[] }).runs?.length ?? 0;
    }
    const at = (p: number) => quantile(times, p);
    const cells = [
      search.share.padEnd(6),
      at(0.5).toFixed(1).padStart(8),
      at(0.99).toFixed(1).padStart(8),
      ((cpuOf(server.pid) - cpu) / times.length).toFixed(1).padStart(8),
      (at(0.99) < targetMs ? 'yes' : 'NO').padStart(7),
      String(found).padStart(5),
      ` ${search.order ?? 'newest first'}; ${search.filter?.(1) ?? '–'}`,
    ];
    console.log(cells.join(' '));
  }
}
if (named === undefined) await rm(folder, { recursive: true });
