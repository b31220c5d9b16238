/** docs/tutorial.md works as it stands: its files are written, its commands run one after the other, and the story it tells is what happens. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';

const python = findPythonClients();
const root = join(import.meta.dirname, '..', '..');

/** ```` ```python file=train.py ````: a file; ```` ```sh ````: commands; ```` ```console ````: what the test does itself. */
const block = /^```(\w+)(?: file=(\S+))?\n(.*?)^```$/gms;

test('the tutorial leads from a script to a model that is served, replaced and put back', {
  skip: !python && 'no Python clients',
  timeout: 600_000,
}, async () => {
  const text = await readFile(join(root, 'docs', 'tutorial.md'), 'utf8');
  const blocks = [...text.matchAll(block)].map(([, kind = '', file, content = '']) => ({ kind, file, content }));
  assert.ok(blocks.filter(({ kind }) => kind === 'sh').length >= 6);

  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-tutorial-'));
  const path = `${dirname(python ?? '')}${delimiter}${process.env['PATH']}`;
  const options = { cwd: place.path, dataFolder: join(place.path, 'rondo-data'), env: { PATH: path } };
  await using stack = new AsyncDisposableStack();
  let server = stack.use(await spawnServer(options));
  const alias = `rondo() { '${process.execPath}' '${join(root, 'bin', 'rondo.mjs')}' "$@"; }`;
  const printed: string[] = [];
  for (const { kind, file, content } of blocks) {
    if (file !== undefined) await writeFile(join(place.path, file), content);
    if (kind === 'yaml') {
      await server[Symbol.asyncDispose](); // as the reader is told: it finds the project when it starts
      server = stack.use(await spawnServer(options));
    }
    if (kind !== 'sh') continue;
    const script = `set -e\n${alias}\n${content.replaceAll('http://127.0.0.1:5000', server.url)}`;
    const env = { ...process.env, PATH: path, HOME: place.path, MLFLOW_TRACKING_URI: server.url };
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: place.path, env });
    printed.push(stdout);
  }

  const said = printed.join('\n');
  assert.match(said, /3 trees/, 'the run that the script made by itself');
  assert.match(said, /cached/, 'a second run of the pipeline finds nothing to do');
  assert.match(said, /tumours@1/, 'the first version answers');
  assert.match(said, /promoted/, 'the second one takes over');
  const { champion } = await server.must<{ champion: { version: number } }>('GET', '/api/v1/endpoints/tumours');
  assert.equal(champion.version, 1, 'and the first one is back');
});
