import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEvents } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { executionRoutes } from './execution-routes.ts';
import { openHouse } from './fixtures/house-adapter.ts';

eachDatabase((name, open) => {
  test(`${name}: steps run in order, their outputs are kept, and a model becomes a version with its lineage`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    const { id, operation } = await house.run();
    const job = await house.ended(operation);
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    assert.deepEqual(await house.reasons(id), { prepare: 'done: first time', train: 'done: first time' });
    assert.equal(await readFile(join(house.folder, 'out/model.txt'), 'utf8'), '6 deep 6');
    const [request] = house.registered;
    assert.ok(request);
    assert.equal(await readFile(request.path, 'utf8'), '6 deep 6');
    const { datasets, seed, params, command } = request.lineage;
    assert.deepEqual(
      [datasets, seed, params],
      [[{ name: 'numbers', version: 1, context: 'training' }], 42, { depth: 6 }],
    );
    assert.deepEqual(command, ['node', 'train.mjs', '--depth', '6']);
    const log = await readFile(join(database.folder, 'executions', `${id}.jsonl`), 'utf8');
    assert.match(log, /"step":"prepare","stream":"out","line":"rows 3"/);
    assert.match(log, /"step":"train","stream":"err","line":"seed 42 --depth\|6"/);
    if (name === 'sqlite') {
      const events = await readEvents(database.read, { limit: 10 });
      assert.deepEqual(
        events.map(({ type }) => type),
        ['pipelines.execution-started', 'datasets.version-added', 'pipelines.execution-finished'],
      );
    }
  });

  test(`${name}: a second run answers from the cache, and says what would have made it run`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await house.ended((await house.run()).operation);

    const second = await house.run();
    assert.equal((await house.ended(second.operation)).state, 'done');
    assert.deepEqual(await house.reasons(second.id), {
      prepare: 'cached: unchanged, from execution 1',
      train: 'cached: unchanged, from execution 1',
    });
    assert.equal(house.registered.length, 1);

    const deeper = await house.run({ params: { depth: 8 } });
    await house.ended(deeper.operation);
    assert.deepEqual(await house.reasons(deeper.id), {
      prepare: 'cached: unchanged, from execution 2',
      train: 'done: params.depth changed 6 → 8',
    });

    const back = await house.run();
    await house.ended(back.operation);
    assert.equal((await house.reasons(back.id)).train, 'cached: unchanged, from execution 2');
    assert.equal(
      await readFile(join(house.folder, 'out/model.txt'), 'utf8'),
      '6 deep 6',
      'the cached output is restored',
    );

    await writeFile(join(house.folder, 'numbers.csv'), 'n\n1\n2\n4\n');
    await rm(join(house.folder, 'out'), { recursive: true });
    const other = await house.run();
    await house.ended(other.operation);
    assert.deepEqual(await house.reasons(other.id), {
      prepare: 'done: dataset numbers changed 1 → 2',
      train: 'done: prepare wrote another out/sum.txt',
    });

    const forced = await house.run({ force: true });
    await house.ended(forced.operation);
    assert.deepEqual(await house.reasons(forced.id), { prepare: 'done: forced', train: 'done: forced' });
  });

  test(`${name}: a second execution waits until the first has left the folder, a cancelled one is passed over`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    const [first, second, third] = [await house.run(), await house.run({ params: { depth: 7 } }), await house.run()];
    await house.jobs.cancel(second.operation);
    assert.equal((await house.ended(second.operation)).state, 'cancelled');
    assert.equal((await house.ended(first.operation)).state, 'done');
    assert.equal((await house.ended(third.operation)).state, 'done');
    assert.deepEqual(await house.reasons(third.id), {
      prepare: 'cached: unchanged, from execution 1',
      train: 'cached: unchanged, from execution 1',
    });
    assert.match((await house.reasons(second.id)).train ?? '', /^skipped/);
  });

  test(`${name}: refused data stops the execution before any command`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(join(house.folder, 'numbers.csv'), 'n\n1\n-2\n3\n');
    const { id, operation } = await house.run();
    const job = await house.ended(operation);
    assert.equal(job.state, 'failed');
    assert.match(job.error?.message ?? '', /numbers breaks its checks\. n at least 0: 1 of 3 values/);
    assert.match((await house.reasons(id)).prepare ?? '', /^skipped/);
  });

  test(`${name}: a failing step fails the execution with what it said last, and those after it are skipped`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(join(house.folder, 'prepare.mjs'), 'console.error("no room left"); process.exit(3);');
    const { id, operation } = await house.run();
    const job = await house.ended(operation);
    assert.equal(job.state, 'failed');
    assert.match(job.error?.message ?? '', /prepare: It exited with 3: no room left/);
    assert.match((await house.reasons(id)).train ?? '', /^skipped/);
  });

  test(`${name}: cancelling kills the step's whole process group`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(
      join(house.folder, 'prepare.mjs'),
      `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
       const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
       writeFileSync('pids', process.pid + ' ' + child.pid); setInterval(() => {}, 1000);`,
    );
    const { id, operation } = await house.run();
    const pids = await appears(join(house.folder, 'pids'));
    await house.jobs.cancel(operation);
    assert.equal((await house.ended(operation)).state, 'cancelled');
    assert.deepEqual((await house.reasons(id)).train, 'skipped: a step before it did not succeed');
    for (const pid of pids.split(' ').map(Number)) await gone(pid);
  });

  test(`${name}: an execution goes on in the next server when the first one dies in the middle`, async () => {
    await using database = await open();
    let execution: { id: string; operation: string };
    {
      await using house = await openHouse(database);
      await writeFile(
        join(house.folder, 'train.mjs'),
        `import { existsSync, writeFileSync } from 'node:fs';
         if (!existsSync('second')) { writeFileSync('second', String(process.pid)); setInterval(() => {}, 1000); }
         else writeFileSync('out/model.txt', 'done');`,
      );
      execution = await house.run();
      await appears(join(house.folder, 'second'));
    }
    await using house = await openHouse(database, { fresh: false });
    const job = await house.ended(execution.operation);
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    assert.deepEqual(await house.reasons(execution.id), { prepare: 'done: first time', train: 'done: first time' });
    assert.equal(house.registered.length, 1);
  });

  test(`${name}: kill -9 of the server in the middle of a step takes the step along, and the next server finishes`, async () => {
    await using database = await open();
    const { server, id, operation, step } = await doomedServer(database);
    server.kill('SIGKILL');
    await gone(step);

    await using house = await openHouse(database, { fresh: false });
    const job = await house.ended(operation);
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    assert.deepEqual(await house.reasons(id), { prepare: 'done: first time', train: 'done: first time' });
    assert.equal(await readFile(join(database.folder, 'project/out/model.txt'), 'utf8'), 'done');
  });

  if (name === 'sqlite') {
    test('kill -9 of server and worker at once takes the step along', async () => {
      await using database = await open();
      const { server, worker, step } = await doomedServer(database);
      process.kill(worker, 'SIGKILL');
      server.kill('SIGKILL');
      await gone(step);
    });
  }

  test(`${name}: executions are started, listed and read over HTTP, their log page by page`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await using server = await openTestServer();
    await server.register(executionRoutes(house.routes));
    const get = async (path: string) => (await server.inject(path)).json();
    const payload = { params: { depth: 3 } };
    const answer = await server.inject({ method: 'POST', url: '/api/v1/projects/p/executions', payload });
    assert.equal(answer.statusCode, 202, answer.body);
    const { execution, operation, number } = answer.json();
    assert.equal((await house.ended(operation)).state, 'done');
    assert.equal(number, 1);
    const view = await get(`/api/v1/executions/${execution}`);
    assert.deepEqual(
      view.steps.map(({ name, state, params, model }: Record<string, unknown>) => [name, state, params, model]),
      [
        ['prepare', 'done', {}, undefined],
        ['train', 'done', { depth: 3 }, { model: 'sums', version: 1 }],
      ],
    );
    const all = await get(`/api/v1/executions/${execution}/log`);
    assert.deepEqual(
      all.items.map(({ stream, line }: Record<string, string>) => `${stream} ${line}`),
      ['note $ node prepare.mjs', 'out rows 3', 'note $ node train.mjs --depth 3', 'err seed 42 --depth|3'],
    );
    assert.deepEqual(await get(`/api/v1/executions/${execution}/log?after=${all.next}`), { items: [], next: all.next });
    assert.equal((await get(`/api/v1/executions/${execution}/log?step=train`)).items.length, 2);
    assert.equal((await get('/api/v1/projects/p/executions')).items[0].number, 1);
    assert.equal((await server.inject('/api/v1/executions/none')).statusCode, 404);
  });

  test(`${name}: a worker killed in the middle of a step fails it, and takes the command along`, async () => {
    await using database = await open();
    await using house = await openHouse(database);
    await writeFile(
      join(house.folder, 'prepare.mjs'),
      `import { writeFileSync } from 'node:fs'; writeFileSync('pids', String(process.pid)); setInterval(() => {}, 1000);`,
    );
    const { operation } = await house.run();
    const pid = Number(await appears(join(house.folder, 'pids')));
    for (const worker of house.jobs.workerPids) process.kill(worker, 'SIGKILL');
    const job = await house.ended(operation);
    assert.equal(job.state, 'failed');
    assert.match(job.error?.message ?? '', /worker process died/);
    await gone(pid);
  });
});

/** A server of its own process, in the middle of a step that would never end. */
async function doomedServer({ folder, url }: { readonly folder: string; readonly url: string | undefined }) {
  const script = join(import.meta.dirname, 'fixtures', 'doomed-server-worker.ts');
  const server = spawn(process.execPath, [script, folder, url ?? ''], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  const { id, operation }: { id: string; operation: string } = JSON.parse(line);
  const [step = 0, worker = 0] = (await appears(join(folder, 'project', 'second'))).split(' ').map(Number);
  return { server, id, operation, step, worker };
}

async function appears(path: string): Promise<string> {
  while (true) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text) return text;
    await sleep(10);
  }
}

async function gone(pid: number): Promise<void> {
  while (true) {
    try {
      process.kill(pid, 0);
    } catch {
      return; // no such process
    }
    if (/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))) return;
    await sleep(10);
  }
}
