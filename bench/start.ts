/** How long the program takes to say something: `--help`, and `up` on an empty folder until it is ready. `node bench/start.ts [rounds]` */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuOf } from './process-use.ts';
import { quantile } from './quantile.ts';

const [rounds = '9'] = process.argv.slice(2);
const program = join(import.meta.dirname, '..', 'bin', 'rondo.mjs');

type Time = { readonly wallMs: number; readonly cpuMs: number };

/** @returns until the first line, with what the process had used of the processor by then; it is ended afterwards */
async function timeOf(words: readonly string[]): Promise<Time> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-bench-'));
  const began = performance.now();
  const child = spawn(process.execPath, [program, ...words, '--data', join(folder.path, 'data')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  const time = { wallMs: performance.now() - began, cpuMs: cpuOf(child.pid) };
  child.kill('SIGTERM');
  await exited;
  return time;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

const measured = [
  { what: '--help', words: ['--help'], targetMs: 150 },
  { what: 'up, until ready', words: ['up', '--port', '0', '--json'], targetMs: 1_000 },
];
console.log('what             wall ms   CPU ms  target ms  of target');
for (const { what, words, targetMs } of measured) {
  await timeOf(words); // fills the compile cache, as the first start ever does
  const times: Time[] = [];
  for (let round = 0; round < Number(rounds); round++) times.push(await timeOf(words));
  const wall = median(times.map(({ wallMs }) => wallMs));
  const cells = [
    what.padEnd(15),
    wall.toFixed(0).padStart(8),
    median(times.map(({ cpuMs }) => cpuMs))
      .toFixed(0)
      .padStart(8),
    String(targetMs).padStart(10),
    `${((wall / targetMs) * 100).toFixed(0)} %`.padStart(10),
  ];
  console.log(cells.join(' '));
}
