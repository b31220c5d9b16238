/**
 * Requests a second and latency of `infer` for one small model (100 trees, 20 features), with logging and summaries on, next to a
 * bare `node:http` server with the same inference threads and no more. `framework` is `buffered` for requests that are not plain
 * enough for `http/hot-routes.ts`: what they cost more is what that file saves. Rounds alternate; medians are shown.
 * `node bench/serving.ts [rounds] [seconds]`
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quantile, sayDisk } from './quantile.ts';

type Round = { perSecond: number; answers: number; failures: number; p50: number; p99: number; cpuUs: number };

const [rounds = '5', seconds = '3'] = process.argv.slice(2);
const kinds = ['bare', 'buffered', 'framework', 'durable'] as const;
const levels = [1, 8, 64];
const here = import.meta.dirname;
await using folder = await mkdtempDisposable(join(process.env['RONDO_BENCH'] ?? tmpdir(), 'rondo-bench-'));
const bodyFile = join(folder.path, 'body.json');
const data = Array.from({ length: 20 }, (_, i) => Math.round(((i * 37) % 100) * 1.37) / 137);
await writeFile(bodyFile, JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 20], data }] }));

const servers = await Promise.all(
  kinds.map(async (kind) => {
    const own = join(folder.path, kind);
    await mkdir(own);
    const child = fork(join(here, 'serving-server.ts'), [kind, own]);
    child.once('exit', (code) => {
      if (code) process.exit(code); // it has said why; nothing would answer
    });
    const [url] = (await once(child, 'message')) as [string];
    return { kind, child, url };
  }),
);

const results = new Map<string, Round[]>();
// Compilers need some ten thousand requests to be done with a server of this size.
for (const server of servers) await measure(server, 64, 10);
for (const connections of levels) {
  for (let round = 0; round < Number(rounds); round++) {
    for (const server of servers) {
      const key = `${server.kind}/${connections}`;
      results.set(key, [...(results.get(key) ?? []), await measure(server, connections, Number(seconds))]);
    }
  }
}
for (const { child } of servers) child.disconnect();

console.log(await sayDisk(folder.path));
console.log('server    connections  requests/s  of bare  p50 ms  p99 ms  CPU µs/request  failures');
for (const connections of levels) {
  const bare = results.get(`bare/${connections}`) ?? [];
  for (const kind of kinds) {
    const own = results.get(`${kind}/${connections}`) ?? [];
    // Within a round, since a machine that others use is faster in one than in the next.
    const shares = own.map(({ perSecond }, round) => perSecond / (bare[round]?.perSecond ?? Number.NaN));
    const cells = [
      kind.padEnd(9),
      String(connections).padStart(11),
      median(own, 'perSecond').toFixed(0).padStart(11),
      `${(quantile(shares, 0.5) * 100).toFixed(0)} %`.padStart(8),
      median(own, 'p50').toFixed(2).padStart(7),
      median(own, 'p99').toFixed(2).padStart(7),
      median(own, 'cpuUs').toFixed(0).padStart(15),
      String(own.reduce((sum, { failures }) => sum + failures, 0)).padStart(9),
    ];
    console.log(cells.join(' '));
  }
}

async function measure(
  { kind, child, url }: (typeof servers)[number],
  connections: number,
  duration: number,
): Promise<Round> {
  const before = await cpu(child);
  const args = [join(here, 'serving-load.ts'), url, String(connections), String(duration), bodyFile];
  if (kind === 'framework') args.push('application/json; charset=utf-8');
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const after = await cpu(child);
  const round = JSON.parse(stdout) as Omit<Round, 'cpuUs'>;
  return { ...round, cpuUs: (after - before) / round.answers };
}

async function cpu(child: ReturnType<typeof fork>): Promise<number> {
  child.send('cpu');
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage];
  return user + system;
}

function median(values: readonly Round[], name: keyof Round): number {
  const all = values.map((value) => value[name]);
  return quantile(all, 0.5);
}
