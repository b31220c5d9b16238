/** The pages of docs/reference are what the sources say, and the catalogue of errors is what the sources use. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandsPage } from '../docs/commands.ts';
import { errorsPage } from '../docs/errors.ts';
import { projectFilePage } from '../docs/rondo-yaml.ts';
import { type ErrorCode, errorCatalogue } from '../src/errors.ts';

const root = join(import.meta.dirname, '..');
const page = (name: string) => readFileSync(join(root, 'docs', 'reference', name), 'utf8');

test('the pages of errors, commands and rondo.yaml are as `npm run docs` writes them', async () => {
  assert.equal(page('errors.md'), errorsPage());
  assert.equal(page('cli.md'), await commandsPage());
  assert.equal(page('rondo-yaml.md'), projectFilePage());
});

test('every error of the catalogue is used, and says a sentence', () => {
  const sources = globSync('src/**/*.ts', { cwd: root, exclude: ['src/errors.ts', 'src/**/*.test.ts'] });
  const text = sources.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    assert.ok(text.includes(`'${code}'`), `nobody throws ${code}`);
    assert.match(errorCatalogue[code].says('The thing'), /^[A-Z`'].*[.?]$/, code);
  }
});

test('a fix names no command that does not exist', async () => {
  const known = new Set([...(await commandsPage()).matchAll(/^##+ rondo (.+)$/gm)].map(([, words = '']) => words));
  const sources = globSync('src/**/*.ts', { cwd: root, exclude: ['src/**/*.test.ts'] });
  const named = sources.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/(?:fix|hint): .*?['"`(: ]rondo ([a-z]+)/g)].map(
      ([, name = '']) => ({ path, name }),
    ),
  );
  assert.ok(named.length > 10);
  assert.deepEqual(
    named.filter(({ name }) => !known.has(name)),
    [],
  );
});

test('why each library was chosen stands in decision 1', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  assert.ok(names.length > 30);
  const note = readFileSync(join(root, 'docs', 'decisions', '0001-dependencies.md'), 'utf8');
  const rows = note.split('\n').filter((line) => line.startsWith('| '));
  const named = new Set(
    rows.flatMap((line) => (line.split('|')[1] ?? '').replaceAll('\\', '').match(/[@\w][\w/.*-]*/g) ?? []),
  );
  const isNamed = (name: string) => named.has(name) || named.has(`${name.split('/')[0]}/*`);
  assert.deepEqual(
    names.filter((name) => !isNamed(name)),
    [],
  );
});
