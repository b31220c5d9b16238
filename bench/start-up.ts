/** How long `rondo --help` and `rondo up` take, beside a bare Node. Budget: 150 ms for help, 1 s to ready. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(import.meta.dirname, '..', 'bin', 'rondo.mjs');
const rounds = 11;

const bare = median(() => timed(['-e', '0']));
const help = median(() => timed([program, '--help']));
const ready: number[] = [];
for (let round = 0; round < 5; round += 1) ready.push(await coldStart());
console.log(`node -e 0      ${bare.toFixed(0)} ms`);
console.log(`rondo --help   ${help.toFixed(0)} ms`);
console.log(`rondo up       ${middle(ready).toFixed(0)} ms to ready, on an empty folder`);

function timed(words: readonly string[]): number {
  const from = performance.now();
  spawnSync(process.execPath, words, { stdio: 'ignore' });
  return performance.now() - from;
}

async function coldStart(): Promise<number> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-bench-'));
  const from = performance.now();
  const child = spawn(process.execPath, [program, 'up', '--port', '0', '--json'], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const ms = performance.now() - from;
  child.kill('SIGTERM');
  await once(child, 'close');
  return ms;
}

function median(measure: () => number): number {
  measure(); // fills the compile cache
  return middle(Array.from({ length: rounds }, measure));
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
