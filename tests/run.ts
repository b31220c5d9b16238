/** `npm test`: every test of the project, in two groups, with one closing line. Arguments narrow it down to paths that hold one of them. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';

const root = join(import.meta.dirname, '..');
const only = process.argv.slice(2);

/**
 * Tests beside the code share one process, and with it one PostgreSQL; whole-system tests get a process each, two at a time. Both groups
 * run together: they wait a lot.
 */
const groups = [
  { patterns: ['src/**/*.test.ts', 'examples/**/*.test.ts'], options: ['--test-isolation=none'] },
  { patterns: ['tests/**/*.test.ts'], options: ['--test-concurrency=2'] },
];

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** These take longest, so they begin first. */
const long = ['demo', 'differential', 'moving', 'credit', 'mlflow-client', 'package'];

const begun = groups.flatMap(({ patterns, options }) => {
  const files = chosen(patterns);
  return files.length > 0 ? [run(files, options)] : [];
});
const found: Counts[] = [];
// One after the other, whichever is faster.
for (const { output, counts } of begun) {
  for await (const text of output) process.stdout.write(text);
  found.push(await counts);
}
const sum = (pick: (counts: Counts) => number) => found.reduce((total, counts) => total + pick(counts), 0);
const [passed, failed, skipped] = [sum((one) => one.passed), sum((one) => one.failed), sum((one) => one.skipped)];

if (skipped > 0) {
  console.log(
    `\n${skipped} tests need a browser, Python clients or a tool that are not here: npm run setup:tests installs them.`,
  );
}
if (passed + failed === 0) console.log('\nNo test matched.');
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

function chosen(patterns: readonly string[]): readonly string[] {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] }));
  const rank = (file: string) => long.indexOf(basename(file, '.test.ts')) + 1 || long.length + 1;
  return files
    .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Keeps what the runner says until it is to be shown. */
function run(files: readonly string[], options: readonly string[]): { output: Readable; counts: Promise<Counts> } {
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', ...options, ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Threads and processes start in half the time with what others have compiled; where the program itself keeps it.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
  });
  const output = new PassThrough({ highWaterMark: 2 ** 26 });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  child.once('close', () => output.end());
  return { output, counts: countsOf(child) };
}

/** Reads the runner's closing lines; a runner that has none, or fails without a failed test, is a failure. */
async function countsOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Counts> {
  let tail = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-200_000);
  });
  const [code, signal] = await once(child, 'close');
  const count = (name: string) =>
    Number([...tail.matchAll(new RegExp(`^ℹ ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? Number.NaN);
  const [passed, failed, skipped] = [
    count('pass'),
    count('fail') + count('cancelled'),
    count('skipped') + count('todo'),
  ];
  if (Number.isNaN(passed + failed + skipped)) {
    console.log(`The test process ended early (${signal ?? code}).`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return { passed, failed: code === 0 ? failed : Math.max(1, failed), skipped };
}
