/** `npm test`: every test of the project, in two groups, with one closing line. Arguments are globs that narrow it down. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');
const only = process.argv.slice(2);

/** Tests beside the code share one process, and with it one PostgreSQL; whole-system tests get a process each. */
const beside = chosen(['src/**/*.test.ts', 'examples/**/*.test.ts']);
const whole = chosen(['tests/**/*.test.ts']);

type Counts = { passed: number; failed: number; skipped: number };
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };

if (process.env['RONDO_TEST_GROUP'] === 'beside') {
  add(counts, await runGroup(beside, 'none'));
  process.stdout.write(`\n@counts ${JSON.stringify(counts)}\n`);
  process.exit(counts.failed > 0 ? 1 : 0);
}

if (beside.length > 0) add(counts, runBesideInItsOwnProcess());
if (whole.length > 0) add(counts, await runGroup(whole, 'process'));

if (counts.skipped > 0) {
  console.log(
    `\n${counts.skipped} tests need a browser or Python clients that are not here: npm run setup:tests installs them.`,
  );
}
if (counts.passed + counts.failed === 0) console.log('\nNo test matched.');
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);

function chosen(patterns: readonly string[]): string[] {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] }));
  const matching = only.length === 0 ? files : files.filter((file) => only.some((part) => file.includes(part)));
  return matching.sort().map((file) => join(root, file));
}

/** One process for all of them keeps their database server and caches shared; a crash of it is a failed run, not a lost one. */
function runBesideInItsOwnProcess(): Counts {
  const child = spawnSync(process.execPath, [import.meta.filename, ...only], {
    env: { ...process.env, RONDO_TEST_GROUP: 'beside' },
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  const [output = '', closing] = child.stdout.split('\n@counts ');
  process.stdout.write(output);
  if (closing === undefined) {
    console.log(`The test process ended early (${child.signal ?? child.status}).`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return JSON.parse(closing) as Counts; // Written a few lines above.
}

async function runGroup(files: readonly string[], isolation: 'none' | 'process'): Promise<Counts> {
  const found: Counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({ files: [...files], isolation, concurrency: 1 });
  const leaf = (data: { details: { type?: string } }) => data.details.type !== 'suite';
  stream.on('test:pass', (data) => {
    if (!leaf(data)) return;
    if (data.skip !== undefined && data.skip !== false) found.skipped++;
    else found.passed++;
  });
  stream.on('test:fail', (data) => {
    if (leaf(data)) found.failed++;
  });
  const report = stream.compose(spec);
  for await (const chunk of report) process.stdout.write(chunk);
  return found;
}

function add(total: Counts, more: Counts): void {
  total.passed += more.passed;
  total.failed += more.failed;
  total.skipped += more.skipped;
}
