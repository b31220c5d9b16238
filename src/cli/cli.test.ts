import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseProject } from '../lifecycle/project-file.ts';
import { planPipeline } from '../pipelines/pipeline.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'rondo.mjs');

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function start(cwd: string, words: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [program, ...words], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(cwd: string, words: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = start(cwd, words, env);
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (part) => (said.stdout += part));
  child.stderr?.on('data', (part) => (said.stderr += part));
  const [code] = await once(child, 'close');
  return { code, ...said };
}

/** A server in the folder, gone at the end of the test. */
async function up(cwd: string, words: readonly string[] = []) {
  const child = start(cwd, ['up', '--port', '0', '--json', ...words]);
  const [line] = await once(child.stdout ?? child, 'data');
  const ready: { url: string; port: number; pid: number } = JSON.parse(String(line));
  const stop = async (): Promise<number | null> => {
    if (child.exitCode !== null) return child.exitCode;
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    return code;
  };
  return { ...ready, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

const folder = () => mkdtempDisposable(join(tmpdir(), 'rondo-cli-'));

test('help names every command, and every command has help', async () => {
  await using place = await folder();
  const { code, stdout } = await run(place.path, ['--help']);
  assert.equal(code, 0);
  const names = [
    'up',
    'init',
    'doctor',
    'users',
    'data',
    'run',
    'runs',
    'models',
    'trash',
    'gc',
    'ship',
    'rollout',
    'rollback',
    'predict',
    'labels',
    'monitors',
    'alerts',
    'webhooks',
    'replay',
    'audit',
  ];
  for (const name of names) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
  const helps = await Promise.all(['ship', 'up', 'rollout'].map((name) => run(place.path, [name, '--help'])));
  for (const help of helps) assert.match(help.stdout, /^Usage: rondo /);
});

test('a typing error exits with 2, says what was meant, and leaves stdout empty', async () => {
  await using place = await folder();
  const command = await run(place.path, ['rnu']);
  assert.equal(command.code, 2);
  assert.equal(command.stdout, '');
  assert.match(command.stderr, /^error\[cli\/usage\]: Unknown command 'rnu'\.\n {2}fix: did you mean run\?/);
  const option = await run(place.path, ['runs', '--limt', '3', '--json']);
  assert.equal(JSON.parse(option.stderr).error.fix, 'did you mean --limit?');
});

test('without a server and without data, commands exit with 6 and say how to start one', async () => {
  await using place = await folder();
  const { code, stderr } = await run(place.path, ['models']);
  assert.equal(code, 6);
  assert.match(stderr, /rondo up/);
  const named = await run(place.path, ['models', '--server', 'http://127.0.0.1:1']);
  assert.equal(named.code, 6);
  assert.match(named.stderr, /^error\[cli\/unreachable\]/);
});

test('settings that cannot be are usage errors', async () => {
  await using place = await folder();
  for (const words of [
    ['up', '--port', '70000'],
    ['up', '--backend-store-uri', 'sqlite:///mlflow.db'],
    ['up', '--static-prefix', 'x y'],
  ]) {
    const { code, stderr } = await run(place.path, words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^error\[config\/invalid\]/);
  }
  for (const [name, value] of [
    ['MLFLOW_WEBHOOK_ALLOWED_SCHEMES', 'https,ftp'],
    ['MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS', 'perhaps'],
    ['MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX', '(?P<name>x)'],
  ] as const) {
    const { code, stderr } = await run(place.path, ['up'], { [name]: value });
    assert.equal(code, 2, stderr);
    assert.match(stderr, new RegExp(`^error\\[config/invalid\\]: .*${name}`));
  }
});

test('beyond loopback, one line tells both ways to an administrator', async () => {
  await using place = await folder();
  const { code, stderr } = await run(place.path, ['up', '--host', '0.0.0.0', '--port', '0']);
  assert.equal(code, 4);
  assert.match(stderr, /rondo users add .*RONDO_ADMIN_PASSWORD/);
});

test('an administrator is made without a server, and its token opens the door', async () => {
  await using place = await folder();
  const added = await run(place.path, ['users', 'add', 'ada', '--role', 'admin', '--json']);
  assert.deepEqual(JSON.parse(added.stdout).role, 'admin', added.stderr);
  const token = (await run(place.path, ['users', 'token', 'ada', '--quiet'])).stdout.trim();
  assert.match(token, /^rdo_/);
  await using server = await up(place.path, ['--host', '0.0.0.0']);
  const url = `http://127.0.0.1:${server.port}/api/v1/me`;
  assert.equal((await fetch(url)).status, 401);
  const me = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual(await me.json(), { actor: 'token:ada/cli', role: 'admin' });
  // The commands of the same user need no token: server.json has one, for their eyes only.
  assert.equal((await run(place.path, ['users', 'list'])).code, 0);
  const refused = await run(place.path, ['users', 'list'], { RONDO_TOKEN: 'rdo_wrong' });
  assert.equal(refused.code, 4);
});

test('up says where in one line, writes server.json for its owner only, and leaves nothing behind', async () => {
  await using place = await folder();
  const server = await up(place.path);
  const file = join(place.path, 'rondo-data', 'server.json');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal(JSON.parse(await readFile(file, 'utf8')).url, server.url);
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
  const listed = await run(place.path, ['models', '--json']);
  assert.deepEqual(JSON.parse(listed.stdout), { items: [] });
  assert.equal(await server.stop(), 0);
  await assert.rejects(stat(file), { code: 'ENOENT' });
  await assert.rejects(fetch(server.url));
});

test('a data folder that is in use is told with the server that has it', async () => {
  await using place = await folder();
  await using server = await up(place.path);
  const { code, stderr } = await run(place.path, ['up', '--port', '0']);
  assert.equal(code, 1);
  assert.match(stderr, /^error\[storage\/folder-in-use\]/);
  assert.ok(stderr.includes(server.url) && stderr.includes(String(server.pid)));
});

test('a port that is in use is never replaced, and its holder is named', async () => {
  await using place = await folder();
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stderr } = await run(place.path, ['up', '--port', String(port)]);
  holder.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^error\\[http/port-in-use\\]: Port ${port} is in use by process ${process.pid} `));
});

test('a folder that cannot be made is one line with a way out', async () => {
  await using place = await folder();
  await writeFile(join(place.path, 'file'), '');
  const { code, stderr } = await run(place.path, ['up', '--port', '0', '--data', join(place.path, 'file', 'data')]);
  assert.equal(code, 1);
  assert.match(stderr, /^error\[storage\/cannot-open\]: The data folder .* cannot be written\.\n/);
  assert.match(stderr, /--data/);
});

test('init writes a file that passes its own check, and replaces none', async () => {
  await using place = await folder();
  const written = await run(place.path, ['init', '--name', 'churn']);
  assert.equal(written.code, 0, written.stderr);
  const text = await readFile(join(place.path, 'rondo.yaml'), 'utf8');
  assert.match(text, /^project: churn$/m);
  const { pipeline = {}, data } = parseProject(text).config;
  assert.deepEqual(
    planPipeline(pipeline, Object.keys(data ?? {}), {}).map(({ name, datasets }) => [name, datasets]),
    [['train', ['examples']]],
  );
  assert.match(await readFile(join(place.path, '.gitignore'), 'utf8'), /^rondo-data\/$/m);
  const again = await run(place.path, ['init']);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /--force/);
});

test('doctor finds this machine fit', async () => {
  await using place = await folder();
  const { code, stdout } = await run(place.path, ['doctor', '--port', '0', '--json']);
  const { findings } = JSON.parse(stdout);
  assert.deepEqual(
    findings.filter(({ state }: { state: string }) => state === 'fail'),
    [],
  );
  assert.equal(code, 0);
});

test('runs of every experiment are listed without arguments, and a wrong filter is a usage error', async () => {
  await using place = await folder();
  await using server = await up(place.path);
  const mlflow = async (path: string, body: unknown) => {
    const answer = await fetch(`${server.url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return answer.json() as Promise<{ experiment_id: string }>;
  };
  const { experiment_id } = await mlflow('experiments/create', { name: 'second' });
  for (const id of ['0', experiment_id]) await mlflow('runs/create', { experiment_id: id, run_name: `of-${id}` });
  const all = await run(place.path, ['runs']);
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /of-0/);
  assert.match(all.stdout, new RegExp(`of-${experiment_id}`));
  const named = await run(place.path, ['runs', '--experiment', 'second', '--json']);
  assert.deepEqual(
    JSON.parse(named.stdout).items.map(({ name }: { name: string }) => name),
    [`of-${experiment_id}`],
  );
  const wrong = await run(place.path, ['runs', '--filter', 'metrics.auc >']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^error\[tracking\/invalid-filter\]/);
});

test('what was deleted is listed, comes back, and goes for good', async () => {
  await using place = await folder();
  await using server = await up(place.path);
  const mlflow = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${server.url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return answer.json() as Promise<{ experiment_id: string }>;
  };
  const { experiment_id: id } = await mlflow('experiments/create', { name: 'gone' });
  const remove = () => mlflow('experiments/delete', { experiment_id: id });
  await remove();
  const listed = await run(place.path, ['trash', '--json']);
  assert.deepEqual(
    JSON.parse(listed.stdout).items.map((item: { kind: string; id: string }) => `${item.kind}/${item.id}`),
    [`experiment/${id}`],
  );
  const restored = await run(place.path, ['trash', 'restore', `experiment/${id}`]);
  assert.equal(restored.stdout, 'Restored experiment gone.\n', restored.stderr);
  await remove();
  const dry = await run(place.path, ['gc', '--dry-run', '--older-than', '0s']);
  assert.match(dry.stdout, /^would go +count +size\nexperiments +1/, dry.stderr);
  const kept = JSON.parse((await run(place.path, ['gc', '--json'])).stdout);
  assert.deepEqual(
    kept.kept.map(({ what, count }: { what: string; count: number }) => [what, count]),
    [['deleted items', 1]],
  );
  const gone = await run(place.path, ['gc', '--older-than', '0s']);
  assert.match(gone.stdout, /^gone +count +size\nexperiments +1/, gone.stderr);
  const unknown = await run(place.path, ['trash', 'purge', `experiment/${id}`]);
  assert.match(unknown.stderr, /^error\[trash\/not-found\]: .*\n {2}fix: .+\n$/);
});

test('a name that does not exist is one sentence with a fix, whatever the command', async () => {
  await using place = await folder();
  await using _server = await up(place.path);
  for (const words of [
    ['runs', 'nope'],
    ['models', 'nope'],
    ['ship', 'nope'],
    ['rollout', 'watch', 'nope'],
    ['rollback', 'nope'],
    ['replay', 'nope'],
    ['monitors', 'nope'],
    ['users', 'remove', 'nope'],
    ['webhooks', 'remove', 'nope'],
    ['data', 'log', '--project', 'p', 'nope'],
  ]) {
    const { code, stdout, stderr } = await run(place.path, words);
    assert.deepEqual([code, stdout], [1, ''], words.join(' '));
    assert.match(stderr, /^error\[[a-z-]+\/[a-z-]+\]: .*nope.*\n {2}fix: .+\n$/, words.join(' '));
  }
});
