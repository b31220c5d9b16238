/** The pages of docs/reference are what the sources say, and the catalogue of errors is what the sources use. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

const pages = globSync(['*.md', 'docs/**/*.md', 'examples/*/README.md'], { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}));

test('a link of a page leads somewhere', () => {
  const anchorsOf = (text: string) =>
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  const dead: string[] = [];
  for (const { path, text } of pages) {
    for (const [, target = ''] of text.replace(/```.*?```/gs, '').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, to))) dead.push(`${path}: ${target}`);
      else if (anchor && !anchorsOf(readFileSync(join(root, to), 'utf8')).includes(anchor))
        dead.push(`${path}: ${target}`);
    }
  }
  assert.ok(pages.length > 20);
  assert.deepEqual(dead, []);
});

test('a command that a page shows is there, with the options that it is given', async () => {
  const help = await commandsPage();
  const helpOf = new Map(
    [...help.matchAll(/^##+ rondo ([^\n]+)\n\n```text\n(.*?)^```/gms)].map(([, name = '', text = '']) => [name, text]),
  );
  const everywhere = help.slice(0, help.indexOf('\n## '));
  const wrong: string[] = [];
  let shown = 0;
  for (const { path, text } of pages.filter((page) => !page.path.includes('reference'))) {
    const code = [...text.matchAll(/```\w*[^\n]*\n(.*?)```|`(rondo [^`]+)`/gs)].map(
      ([, block, line]) => block ?? line ?? '',
    );
    for (const line of code.join('\n').split('\n')) {
      const [, words = ''] = /^(?:\w+=\S+ )*(?:npm run )?rondo (?:-- )?(.+?)(?: +#.*)?$/.exec(line) ?? [];
      if (!/^[a-z]/.test(words)) continue;
      shown += 1;
      const [one = '', two = ''] = words.split(' ');
      const name = helpOf.has(`${one} ${two}`) ? `${one} ${two}` : one;
      const options = helpOf.get(name);
      if (options === undefined) wrong.push(`${path}: ${line}`);
      for (const [option] of words.matchAll(/(?<= )--[a-z-]+/g)) {
        if (!`${options}${everywhere}`.includes(option)) wrong.push(`${path}: ${line}: ${option}`);
      }
    }
  }
  assert.ok(shown > 50, `only ${shown}`);
  assert.deepEqual(wrong, []);
});
