/** `npm test`: every test of the project, in three groups, with one closing line. Arguments narrow it down to paths that hold one of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPages } from './build-pages.ts';

const root = join(import.meta.dirname, '..');
const only = process.argv.slice(2);

/**
 * Two at a time: tests beside the code in four processes, each with one PostgreSQL, and whole-system tests in a process each. The
 * demo has the machine for itself, since what it tells depends on how fast answers come.
 */
const demo = 'tests/journeys/demo.test.ts';
/** They begin, so that no long one is left alone at the end. */
const longest = ['clients/import-mlflow', 'journeys/ui-pages', 'clients/credit', 'journeys/run-list'];
const groups = [
  {
    patterns: ['src/**/*.test.ts', 'examples/**/*.test.ts'],
    options: ['--test-isolation=none', '--test-timeout=300000'],
    processes: 4,
  },
  {
    patterns: ['tests/**/*.test.ts'],
    without: [demo],
    options: ['--test-isolation=none'],
    processes: Number.POSITIVE_INFINITY,
    before: buildPages,
  },
  { patterns: [demo], options: ['--test-isolation=none'] },
];

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** Kept until it is shown, and then shown as it comes. */
class Output {
  #held = '';
  #isShown = false;
  /** The end of it. */
  tail = '';

  write(text: string): void {
    if (this.#isShown) process.stdout.write(text);
    else this.#held += text;
    this.tail = (this.tail + text).slice(-200_000);
  }

  show(): void {
    if (!this.#isShown) process.stdout.write(this.#held);
    this.#isShown = true;
    this.#held = '';
  }
}

const found: Counts[] = [];
for (const { patterns, without = [], options, processes = 1, before } of groups) {
  const files = chosen(patterns, without);
  if (files.length === 0) continue;
  before?.();
  found.push(...(await runBeside(dealt(files, Math.min(processes, files.length)), options)));
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

function chosen(patterns: readonly string[], without: readonly string[]): readonly string[] {
  const exclude = ['**/node_modules/**', ...without];
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude }));
  const place = (file: string) => longest.findIndex((name) => file.includes(name)) + 1 || longest.length + 1;
  return files
    .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
    .sort()
    .toSorted((a, b) => place(a) - place(b));
}

/** In turn, so that the files of a folder, which take about as long as each other, are spread. */
function dealt(files: readonly string[], hands: number): readonly (readonly string[])[] {
  const all = Array.from({ length: hands }, (_, hand) => files.filter((_, place) => place % hands === hand));
  return all.filter((some) => some.length > 0);
}

/** Two at a time; what they say is shown one after the other. */
async function runBeside(
  parts: readonly (readonly string[])[],
  options: readonly string[],
): Promise<readonly Counts[]> {
  const runs = parts.map((files) => ({ files, output: new Output(), isOver: false }));
  const showAll = () => {
    for (const { output, isOver } of runs) {
      output.show();
      if (!isOver) return;
    }
  };
  const counts: Counts[] = [];
  const waiting = runs.values();
  const lane = async () => {
    for (const one of waiting) {
      showAll();
      counts.push(await run(one.files, options, one.output));
      one.isOver = true;
    }
    showAll();
  };
  await Promise.all([lane(), lane()]);
  return counts;
}

/** Reads the closing lines of a runner; one that has none, or fails without a failed test, is a failure. */
async function run(files: readonly string[], options: readonly string[], output: Output): Promise<Counts> {
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', ...options, ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Threads and processes start in half the time with what others have compiled; where the program itself keeps it.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.write(text));
  const [code, signal] = await once(child, 'close');
  const count = (name: string) =>
    Number([...output.tail.matchAll(new RegExp(`^ℹ ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? Number.NaN);
  const [passed, failed, skipped] = [
    count('pass'),
    count('fail') + count('cancelled'),
    count('skipped') + count('todo'),
  ];
  if (Number.isNaN(passed + failed + skipped)) {
    output.write(`The test process ended early (${signal ?? code}).\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return { passed, failed: code === 0 ? failed : Math.max(1, failed), skipped };
}
