/** SIGTERM: what was begun is answered, what was answered is kept, and no process stays behind. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, linkProject, registerModel, type Spawned, ship, spawnServer, until } from './spawned-server.ts';

test('a server that is told to stop under load answers what was begun and keeps what it answered', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-stop-'));
  const dataFolder = join(place.path, 'data');
  await using open = new AsyncDisposableStack();
  const server = open.use(await spawnServer({ dataFolder }));
  // A buffered log is the one that may lose its end in a crash: never when it is told to stop.
  await linkProject(server, { folder: join(place.path, 'project'), more: '  log: buffered\n' });
  await ship(
    server,
    await registerModel(server, { name: 'line', files: { 'model.onnx': linearModel({ weight: 2, bias: 1 }) } }),
  );
  await until('it serves', async () => (await infer(server, 0)).status === 200);

  const answered: string[] = [];
  let refused = 0;
  const clients = Array.from({ length: 8 }, async () => {
    for (;;) {
      try {
        const { status, body } = await infer(server, answered.length);
        assert.equal(status, 200, JSON.stringify(body));
        answered.push(body.id);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        const code =
          error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? error.cause.code : '';
        // The door is shut; a request whose connection was open before would have got its answer.
        assert.match(String(code), /ECONNREFUSED|UND_ERR_SOCKET|ECONNRESET/);
        refused++;
        return;
      }
    }
  });
  await until('the load runs', async () => answered.length > 100);
  assert.equal(await server.stop(), 0);
  await Promise.all(clients);
  assert.equal(refused, clients.length);

  const again = open.use(await spawnServer({ dataFolder }));
  for (let at = 0; at < answered.length; at += 20) {
    await Promise.all(answered.slice(at, at + 20).map((id) => again.must('GET', `/api/v1/predictions/${id}`)));
  }
  assert.equal(await again.stop(), 0);
});

test('no process stays behind, not even one that works', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-stop-'));
  await using server = await spawnServer({ dataFolder: join(place.path, 'data') });
  const project = join(place.path, 'project');
  await linkProject(server, {
    folder: project,
    more: 'pipeline:\n  nap: {run: sleep 600, reads: [rondo.yaml], writes: [out.txt]}\n',
  });
  await server.must('POST', '/api/v1/projects/lines/executions', {});
  const nap = await until('the step runs', async () => {
    const all = await descendants(server);
    return all.some(({ command }) => command.startsWith('sleep 600')) && all;
  });
  assert.ok(nap.length >= 2, 'a worker and its step');
  assert.equal(await server.stop(), 0);
  await until('all are gone', async () =>
    (await Promise.all(nap.map(({ pid }) => isAlive(pid)))).every((alive) => !alive),
  );
});

type Process = { readonly pid: number; readonly parent: number; readonly command: string };

async function descendants({ pid }: Spawned): Promise<readonly Process[]> {
  const all = (await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(processOf))).flat();
  const found = new Set([pid]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const one of all) if (found.has(one.parent)) found.add(one.pid);
  }
  return all.filter((one) => one.pid !== pid && found.has(one.pid));
}

/** None when it has just ended. */
async function processOf(pid: string): Promise<readonly Process[]> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z'
      ? []
      : [{ pid: Number(pid), parent: Number(parent), command: command.replaceAll('\0', ' ').trim() }];
  } catch {
    return [];
  }
}

const isAlive = async (pid: number): Promise<boolean> => (await processOf(String(pid))).length > 0;
