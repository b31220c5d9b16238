/** The pages of docs/reference are what the sources say, and the catalogue of errors is what the sources use. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandsPage } from '../docs/commands.ts';
import { errorsPage } from '../docs/errors.ts';
import { type ErrorCode, errorCatalogue } from '../src/errors.ts';

const root = join(import.meta.dirname, '..');
const page = (name: string) => readFileSync(join(root, 'docs', 'reference', name), 'utf8');

test('the pages of errors and of commands are as `npm run docs` writes them', async () => {
  assert.equal(page('errors.md'), errorsPage());
  assert.equal(page('cli.md'), await commandsPage());
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
