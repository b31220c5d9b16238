/** The two dependency rules of ARCHITECTURE.md. The tables below are the documentation of who may import whom. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

/** Lower ranks never import higher ones; folders of one rank do not import each other. */
const ranks: readonly (readonly string[])[] = [
  ['client', 'statistics', 'onnx'],
  ['storage'],
  ['events'],
  ['http'],
  ['jobs', 'notify'],
  ['tracking', 'datasets'],
  ['registry'],
  ['mlflow', 'serving', 'pipelines', 'trash'],
  ['gates'],
  ['rollouts'],
  ['monitoring'],
  ['governance', 'interop'],
  ['lifecycle'],
  ['cli'],
];
const rankOf = new Map(ranks.flatMap((folders, rank) => folders.map((folder) => [folder, rank] as const)));

/** What `client/` and `statistics/` may import: nothing of ours, not even a lower rank. */
const alone = new Set(['client', 'statistics']);

/** Files with one of these suffixes touch the outside world; so do the folders and files listed after them. */
const outsideSuffix = /-(store|routes|worker|thread|adapter)\.ts$/;
const outsideFolders = new Set(['http', 'storage', 'jobs', 'client', 'cli']);
const outsideFiles = new Set(['main.ts', 'app.ts', 'config.ts']);
const pureModules = new Set(['typebox', 'typebox/value', 'typebox/compile', 'yaml', 'node:buffer']);
const pureOfCrypto = new Set(['createHash', 'hash']);
const impure =
  /\b(fetch\s*\(|process\.|console\.|Date\.now\s*\(|new Date\(\s*\)|Math\.random|performance\.|setTimeout|setInterval|setImmediate|randomUUID|await import\(|[^.\w]import\()/;

type Import = { from: string; names: string; typeOnly: boolean };
type Source = { path: string; folder: string | undefined; text: string; imports: Import[] };

const root = join(import.meta.dirname, '..', 'src');
const sources: Source[] = globSync('**/*.ts', { cwd: root }).map((path) => {
  const text = readFileSync(join(root, path), 'utf8');
  const [folder] = path.includes('/') ? path.split('/') : [undefined];
  return { path, folder, text, imports: importsOf(text) };
});

function importsOf(text: string): Import[] {
  const pattern = /^(?:import|export(?=[^'"]*\sfrom\s))\s+(type\s+)?([\w$\s{},*]*?)\s*(?:from\s*)?['"]([^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    from: match[3] ?? '',
    names: match[2] ?? '',
    typeOnly: Boolean(match[1]) || everyNameIsType(match[2] ?? ''),
  }));
}

function everyNameIsType(clause: string): boolean {
  const inner = clause.match(/^\{([\s\S]*)\}$/)?.[1];
  if (inner === undefined) return false;
  const names = inner
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return names.length > 0 && names.every((name) => name.startsWith('type '));
}

const resolve = (source: Source, target: string) => relative(root, normalize(join(root, dirname(source.path), target)));
/** Tests, and what only tests import. */
const isTest = (path: string) => path.endsWith('.test.ts') || /(^|\/)test-[\w-]+\.ts$/.test(path);
const touchesByName = (path: string) => outsideSuffix.test(path) || outsideFiles.has(path);

const known = new Map<string, boolean>();
/** Whether a file touches the outside world. One in a folder that may, and does not by itself, is plain like any other. */
function isOutside(path: string): boolean {
  if (touchesByName(path)) return true;
  if (!outsideFolders.has(path.split('/')[0] ?? '')) return false;
  const before = known.get(path);
  if (before !== undefined) return before;
  known.set(path, true); // for a cycle
  const source = sources.find((one) => one.path === path);
  const outside = source === undefined || outsideTouches(source).length > 0;
  known.set(path, outside);
  return outside;
}

/** Where a file would have to be told what it takes from the outside world by itself. */
function outsideTouches(source: Source): string[] {
  const found: string[] = [];
  for (const { from, names, typeOnly } of source.imports) {
    if (typeOnly) continue;
    if (from.startsWith('.')) {
      const target = resolve(source, from);
      if (isOutside(target)) found.push(`${source.path} imports ${target} as a value`);
    } else if (from === 'node:crypto') {
      const used = names
        .replace(/[{}]/g, '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name && !name.startsWith('type '));
      if (!used.every((name) => pureOfCrypto.has(name))) found.push(`${source.path} imports ${names} of node:crypto`);
    } else if (!pureModules.has(from)) found.push(`${source.path} imports ${from} as a value`);
  }
  const code = source.text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
  const used = code.match(impure);
  if (used) found.push(`${source.path} uses ${used[0]}`);
  return found;
}

test('the scan finds the sources and their imports', () => {
  assert.ok(sources.length > 20, `only ${sources.length} files found`);
  assert.ok(sources.flatMap((source) => source.imports).length > 40);
});

test('ARCHITECTURE.md tells of the same folders, in the same ranks', () => {
  const page = readFileSync(join(root, '..', 'ARCHITECTURE.md'), 'utf8');
  const listed = [...page.matchAll(/^src\/(\w+)\/ /gm)].map(([, folder = '']) => folder);
  assert.deepEqual(listed.toSorted(), ranks.flat().toSorted());
  const order = ranks.map((folders) => folders.join(', ')).join(' ← ');
  assert.ok(page.replace(/\s+/g, ' ').includes(`\`${order}\``), order);
});

test('every folder has a rank', () => {
  const unknown = sources.filter((source) => source.folder !== undefined && !rankOf.has(source.folder));
  assert.deepEqual(
    unknown.map((source) => source.path),
    [],
  );
});

test('a folder imports only lower folders', () => {
  const wrong: string[] = [];
  for (const source of sources) {
    for (const { from } of source.imports) {
      if (!from.startsWith('.')) continue;
      const target = resolve(source, from);
      if (target === 'errors.ts') continue;
      const targetFolder = target.includes('/') ? target.split('/')[0] : undefined;
      if (source.folder === undefined) {
        const composition = source.path === 'app.ts' || source.path === 'main.ts' || isTest(source.path);
        if (!composition && targetFolder !== undefined) wrong.push(`${source.path} imports ${target}`);
        continue;
      }
      if (targetFolder === source.folder) continue;
      // Tests open the real app, because contexts are tested on real stores.
      if (isTest(source.path) && (target === 'app.ts' || target.startsWith('../tests/'))) continue;
      if (targetFolder === undefined) {
        wrong.push(`${source.path} imports ${target}: only errors.ts is shared`);
        continue;
      }
      const own = rankOf.get(source.folder) ?? -1;
      const other = rankOf.get(targetFolder) ?? Number.POSITIVE_INFINITY;
      if (other >= own || alone.has(source.folder)) wrong.push(`${source.path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('plain logic sees the outside world only as types', () => {
  const plain = sources.filter(
    ({ path, folder }) => !isTest(path) && !touchesByName(path) && !outsideFolders.has(folder ?? ''),
  );
  assert.deepEqual(plain.flatMap(outsideTouches), []);
});

test('nothing that infer reaches imports the database', () => {
  const start = sources.find((source) => source.path === 'serving/infer-routes.ts');
  assert.ok(start, 'serving/infer-routes.ts is where the hot path starts');
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const queue = [start.path];
  while (queue.length > 0) {
    const path = queue.pop() ?? '';
    if (reached.has(path)) continue;
    reached.add(path);
    const source = byPath.get(path);
    if (!source) continue;
    for (const { from, typeOnly } of source.imports) {
      if (typeOnly) continue;
      assert.ok(from !== 'kysely' && from !== 'pg' && from !== 'node:sqlite', `${path} imports ${from}`);
      if (from.startsWith('.')) queue.push(resolve(source, from));
    }
  }
  assert.ok(reached.size > 3, 'the hot path was not followed');
  const database = [...reached].filter((path) => /^storage\/.*(database|sqlite|postgres)/.test(path));
  assert.deepEqual(database, []);
});
