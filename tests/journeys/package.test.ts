/** What `npm publish` would send, as somebody without the clone uses it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtempDisposable, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, registerModel, ship, spawnServer, until } from './spawned-server.ts';

const clone = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
const notPacked = new Set(['.git', 'node_modules', 'dist', 'rondo-demo', 'rondo-data']);

test('the package serves a model in an empty folder', { timeout: 600_000 }, async (t) => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-package-'));
  const app = join(place.path, 'app');
  const installed = join(app, 'node_modules', 'rondo');
  const rondo = (...words: string[]) =>
    run('npx', ['--no-install', 'rondo', ...words], { cwd: app, env: { ...process.env, NODE_OPTIONS: '' } });

  await t.test('it installs', async () => {
    // Packing builds anew, and other tests look at what is built.
    const copy = join(place.path, 'clone');
    await cp(clone, copy, { recursive: true, filter: (path) => !notPacked.has(relative(clone, path)) });
    await symlink(join(clone, 'node_modules'), join(copy, 'node_modules'));
    await run('npm', ['pack', '--pack-destination', place.path], { cwd: copy });
    const [tarball = ''] = (await readdir(place.path)).filter((name) => name.endsWith('.tgz'));
    await mkdir(app);
    await writeFile(join(app, 'package.json'), '{"private": true}\n');
    // Without the libraries for graphics cards, which the runtime would fetch from elsewhere.
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
    const quick = ['--prefer-offline', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...quick, join(place.path, tarball)], { cwd: app, env });
  });

  await t.test('it has what it needs and no test', async () => {
    const files = await readdir(installed, { recursive: true });
    const needed = [
      'dist/main.js',
      'dist/client/client.d.ts',
      'dist/ui/index.html',
      'examples/flights/rondo.yaml',
      'LICENSE',
    ];
    assert.deepEqual(
      needed.filter((name) => !files.includes(name)),
      [],
    );
    assert.deepEqual(
      files.filter((name) => /\.test\.|(^|\/)test-|\.tgz$|\.map$/.test(name)),
      [],
    );
  });

  await t.test('it says its version, and which package the demo needs', async () => {
    assert.match((await rondo('--version')).stdout, /^\d+\.\d+\.\d+/);
    const demo = await rondo('demo', '--exit').catch((error: { code: number; stderr: string }) => error);
    assert.ok('code' in demo && demo.code !== 0);
    assert.match(demo.stderr, /npm install vega-datasets/);
  });

  await t.test(
    'it registers, ships and answers; its workers run, its log verifies, and it ends when told',
    async () => {
      await writeFile(join(app, 'rows.csv'), 'a,b\n1,x\n2,y\n');
      await writeFile(join(app, 'labels.csv'), 'key,value\na,1\n');
      const model = 'model: {name: line, task: regression, target: z}\nendpoint: {name: line}\n';
      await writeFile(join(app, 'rondo.yaml'), `project: lines\ndata: {rows: {source: rows.csv}}\n${model}`);
      await using server = await spawnServer({
        dataFolder: join(app, 'rondo-data'),
        program: ['npx', '--no-install', 'rondo'],
        cwd: app,
      });
      const bytes = linearModel({ weight: 2, bias: 1 });
      const version = await registerModel(server, { name: 'line', files: { 'model.onnx': bytes } });
      await ship(server, version);
      await until('the version serves', async () => (await infer(server, 0)).status === 200);
      assert.deepEqual((await infer(server, 3)).body.outputs[0].data, [7]);

      assert.match((await rondo('labels', 'add', 'line', 'labels.csv')).stdout, /^1 labels? added/);
      assert.equal(JSON.parse((await rondo('data', 'add', 'rows', '--json')).stdout).outcome, 'added');
      assert.equal(JSON.parse((await rondo('audit', 'verify', '--json')).stdout).bad, undefined);

      const page = await server.must<string>('GET', '/');
      const [script = ''] = /assets\/index-[\w-]+\.js/.exec(page) ?? [];
      assert.equal((await server.call('GET', `/${script}`)).status, 200, page);
      assert.equal((await server.must<{ openapi: string }>('GET', '/api/v1/openapi.json')).openapi, '3.1.0');
      assert.equal(await server.stop(), 0);
    },
  );
});
