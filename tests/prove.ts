/**
 * `npm run prove`: the tests with real clients and the kills, at their full extent, which takes about an hour; what they said is written
 * to docs/proof.md. Arguments narrow it down to paths that hold one of them, and then only their rows are written anew.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { everyClient, installPythonClients } from './clients/python-env.ts';

type Proved = {
  readonly file: string;
  readonly claim: string;
  readonly result: 'yes' | 'no' | 'skipped';
  readonly said: string[];
};

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs', 'proof.md');
const only = process.argv.slice(2);
const everyFile = globSync(['tests/clients/*.test.ts', 'tests/journeys/crash*.test.ts'], { cwd: root }).sort();
const files = everyFile.filter((file) => only.length === 0 || only.some((part) => file.includes(part)));
const commit = git('rev-parse', '--short=10', 'HEAD') + (git('status', '--porcelain', '--', '.', ':!docs') ? ' +' : '');
const at = new Date().toISOString().slice(0, 16).replace('T', ' ');

for (const name of everyClient) console.log(`client ${name}: ${await installPythonClients(name)}`);
process.env['RONDO_PROVE'] = '1';
const proved: Proved[] = [];
const tests = run({ files: files.map((file) => join(root, file)), cwd: root, concurrency: 1 });
const add = ({ name, file }: { name: string; file?: string }, result: Proved['result']) =>
  proved.push({ file: basename(file ?? '', '.test.ts'), claim: name, result, said: [] });
tests.on('test:pass', (event) => {
  if (event.nesting === 0) add(event, event.skip === undefined ? 'yes' : 'skipped');
});
tests.on('test:fail', (event) => {
  if (event.nesting === 0) add(event, 'no');
});
tests.on('test:diagnostic', ({ message, nesting }) => {
  if (nesting === 0 && !runnersOwn.test(message)) proved.at(-1)?.said.push(message);
});
const runnersOwn = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
for await (const text of tests.compose(spec)) process.stdout.write(text);

const allProved = proved.length > 0 && proved.every(({ result }) => result === 'yes');
await writeFile(page, pageOf([...rowsKept(), ...proved.map(rowOf)].sort()));
console.log(allProved ? '\nAll proved.' : '\nNot proved.');
process.exit(allProved ? 0 : 1);

function pageOf(rows: readonly string[]): string {
  const [{ model } = { model: 'unknown' }] = cpus();
  return [
    '# What `npm run prove` said last',
    '',
    `On ${cpus().length} × ${model.trim()}, Node ${process.versions.node}, ${process.platform}; times are UTC. A commit with a + had changes beside it.`,
    '',
    'Written by `tests/prove.ts`. The same tests run in `npm test`, with fewer clients, calls and kills, and on SQLite only.',
    '',
    '| test | claim | holds | what it saw | commit | when |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function rowOf({ file, claim, result, said }: Proved): string {
  return `| ${[file, claim, result, said.join('; '), commit, at].map(cell).join(' | ')} |`;
}

/** Of tests that were not asked this time. */
function rowsKept(): readonly string[] {
  if (!existsSync(page)) return [];
  const asked = new Set(files.map((file) => basename(file, '.test.ts')));
  const there = new Set(everyFile.map((file) => basename(file, '.test.ts')));
  const rows = readFileSync(page, 'utf8').split('\n');
  return rows.filter((row) => {
    const file = /^\| ([\w-]+) \|/.exec(row)?.[1];
    return file !== undefined && there.has(file) && !asked.has(file);
  });
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function git(...args: readonly string[]): string {
  return spawnSync('git', [...args], { cwd: root, encoding: 'utf8' }).stdout.trim();
}
