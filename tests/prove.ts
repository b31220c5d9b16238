/**
 * `npm run prove`: the tests with real clients and the kills, at their full extent, which takes about an hour; what they said is written
 * to docs/proof.md. Arguments narrow it down to paths that hold one of them, and then nothing is written.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { everyClient, installPythonClients } from './clients/python-env.ts';

type Proved = { readonly claim: string; readonly result: 'yes' | 'no' | 'skipped'; readonly said: string[] };

const root = join(import.meta.dirname, '..');
const only = process.argv.slice(2);
const files = globSync(['tests/clients/*.test.ts', 'tests/journeys/crash*.test.ts'], { cwd: root })
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  .sort();
const startedAt = new Date();
const commit = git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ', with changes');

for (const name of everyClient) console.log(`client ${name}: ${await installPythonClients(name)}`);
process.env['RONDO_PROVE'] = '1';
const proved: Proved[] = [];
const tests = run({ files: files.map((file) => join(root, file)), cwd: root, concurrency: 1 });
tests.on('test:pass', ({ name, nesting, skip }) => {
  if (nesting === 0) proved.push({ claim: name, result: skip === undefined ? 'yes' : 'skipped', said: [] });
});
tests.on('test:fail', ({ name, nesting }) => {
  if (nesting === 0) proved.push({ claim: name, result: 'no', said: [] });
});
tests.on('test:diagnostic', ({ message, nesting }) => {
  if (nesting === 0 && !runnersOwn.test(message)) proved.at(-1)?.said.push(message);
});
const runnersOwn = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
for await (const text of tests.compose(spec)) process.stdout.write(text);

const allProved = proved.length > 0 && proved.every(({ result }) => result === 'yes');
if (only.length === 0) await writeFile(join(root, 'docs', 'proof.md'), page());
console.log(allProved ? '\nAll proved.' : '\nNot proved.');
process.exit(allProved ? 0 : 1);

function page(): string {
  const minutes = Math.round((Date.now() - startedAt.getTime()) / 60_000);
  const [{ model } = { model: 'unknown' }] = cpus();
  const rows = proved.map(({ claim, result, said }) => `| ${cell(claim)} | ${result} | ${cell(said.join('; '))} |`);
  return [
    '# What `npm run prove` said last',
    '',
    `Begun ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${minutes} minutes, commit ${commit}.`,
    `${cpus().length} × ${model.trim()}, Node ${process.versions.node}, ${process.platform}.`,
    '',
    'Written by `tests/prove.ts`. The same tests run in `npm test`, with fewer clients, calls and kills, and on SQLite only.',
    '',
    '| claim | holds | what it saw |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function git(...args: readonly string[]): string {
  return spawnSync('git', [...args], { cwd: root, encoding: 'utf8' }).stdout.trim();
}
