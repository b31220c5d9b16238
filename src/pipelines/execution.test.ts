import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { datasetKinds } from '../datasets/dataset-worker.ts';
import { readEvents } from '../events/event-store.ts';
import { forkWorker } from '../jobs/fork-worker.ts';
import type { Job } from '../jobs/job.ts';
import { type Jobs, startJobs } from '../jobs/start-jobs.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { type ExecutionRequest, requestExecution } from './execution-routes.ts';
import { executionStore } from './execution-store.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import { pipelineKinds } from './pipeline-worker.ts';
import { type ModelRequest, type Registrations, startRegistrations } from './registration-worker.ts';

const entry = join(import.meta.dirname, 'fixtures', 'test-worker.ts');

const prepare = `
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
mkdirSync('out', { recursive: true });
const rows = readFileSync(process.env.RONDO_DATA_NUMBERS, 'utf8').trim().split('\\n').slice(1).map(Number);
console.log('rows ' + rows.length);
writeFileSync('out/sum.txt', String(rows.reduce((a, b) => a + b, 0)));
`;
const train = `
import { readFileSync, writeFileSync } from 'node:fs';
const { depth } = JSON.parse(process.env.RONDO_PARAMS);
console.error('seed ' + process.env.RONDO_SEED + ' ' + process.argv.slice(2).join('|'));
writeFileSync('out/model.txt', readFileSync('out/sum.txt', 'utf8') + ' deep ' + depth);
`;
const pipeline: PipelineConfig = {
  prepare: { run: 'node prepare.mjs', reads: ['numbers', 'prepare.mjs'], writes: ['out/sum.txt'] },
  train: {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the grammar of commands
    run: 'node train.mjs --depth ${params.depth}',
    reads: ['prepare', 'train.mjs'],
    params: { depth: 6 },
    seed: 42,
    model: 'out/model.txt',
  },
};

type House = AsyncDisposable & {
  readonly folder: string;
  readonly jobs: Jobs;
  readonly registered: ModelRequest[];
  run(request?: Partial<ExecutionRequest>): Promise<{ id: string; operation: string }>;
  ended(operation: string): Promise<Job>;
  reasons(id: string): Promise<Record<string, string>>;
};

async function openHouse(
  database: Database & { readonly folder: string },
  config = pipeline,
  folder = '',
): Promise<House> {
  const stack = new AsyncDisposableStack();
  const data = database.folder;
  const project = folder || join(data, 'project');
  await mkdir(project, { recursive: true });
  if (!folder) {
    await writeFile(join(project, 'numbers.csv'), 'n\n1\n2\n3\n');
    await writeFile(join(project, 'prepare.mjs'), prepare);
    await writeFile(join(project, 'train.mjs'), train);
  }
  const registered: ModelRequest[] = [];
  const late: { registrations?: Registrations } = {};
  const deps = { now: Date.now, newId: randomUUID };
  const logFolder = join(data, 'executions');
  const exports = { exportEndpoint: async () => {}, tempFolder: join(data, 'temp') };
  const jobs = await startJobs({
    ...deps,
    database,
    spawn: () => forkWorker({ entry, env: { ...process.env, TEST_DATA_FOLDER: data } }),
    kinds: {
      ...datasetKinds({ ...deps, ...exports }),
      ...pipelineKinds({
        ...deps,
        ...exports,
        logFolder,
        read: database.read,
        stepEnvironment: async () => ({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000' }),
        onRegistering: () => late.registrations?.look(),
      }),
    },
    pollMs: 50,
    onError: (error) => assert.fail(String(error)),
  });
  stack.use(jobs);
  late.registrations = stack.use(
    startRegistrations({
      ...deps,
      database,
      run: (kind, input, options) => jobs.run(kind, input, options),
      registerModel: async (request) => {
        registered.push(request);
        return { model: request.model, version: registered.length, runId: 'run-of-the-program' };
      },
      onError: (error) => assert.fail(String(error)),
    }),
  );
  const readProject = async () => ({
    folder: project,
    pipeline: config,
    data: { numbers: { source: 'numbers.csv', checks: [{ column: 'n', min: 0 }] } },
    model: 'sums',
  });
  return {
    folder: project,
    jobs,
    registered,
    run: (request = {}) =>
      requestExecution({ ...deps, database, readProject, logFolder }, { project: 'p', actor: 'user:ada', ...request }),
    async ended(operation) {
      await jobs.wait(operation, { waitMs: 30_000 });
      return (await jobs.find(operation))?.job as Job; // just submitted
    },
    async reasons(id) {
      const steps = await executionStore(database.read).steps(id);
      return Object.fromEntries(steps.map(({ step, state, reason }) => [step, `${state}: ${reason}`]));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

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
    assert.match(job.error?.message ?? '', /prepare exited with 3: no room left/);
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
    await using house = await openHouse(database, pipeline, join(database.folder, 'project'));
    const job = await house.ended(execution.operation);
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    assert.deepEqual(await house.reasons(execution.id), { prepare: 'done: first time', train: 'done: first time' });
    assert.equal(house.registered.length, 1);
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
