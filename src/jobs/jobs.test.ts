import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { forkWorker } from './fork-worker.ts';
import type { Job } from './job.ts';
import { jobStore } from './job-store.ts';
import { type JobKind, type Jobs, startJobs } from './start-jobs.ts';

const entry = join(import.meta.dirname, 'fixtures', 'test-worker.ts');

type Wishes = { kinds?: Record<string, JobKind>; idleMs?: number };

function start(database: Database, { kinds = {}, idleMs = 60_000 }: Wishes = {}): Promise<Jobs> {
  return startJobs({
    database,
    spawn: () => forkWorker({ entry, env: process.env }),
    kinds,
    now: Date.now,
    newId: randomUUID,
    pollMs: 50,
    idleMs,
    onError: (error) => assert.fail(String(error)),
  });
}

async function ended(jobs: Jobs, id: string): Promise<Job> {
  await jobs.wait(id, { waitMs: 20_000 });
  const found = await jobs.find(id);
  assert.ok(found);
  return found.job;
}

const submit = (jobs: Jobs, kind: string, input: unknown, rest = {}) =>
  jobs.submit({ kind, input, actor: 'user:ada', ...rest });

eachDatabase((name, open) => {
  test(`${name}: a submitted job runs in another process and its result is kept`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const job = await ended(jobs, (await submit(jobs, 'test.add', { a: 2, b: 3 })).id);
    assert.equal(job.state, 'done');
    const { sum, pid } = job.result as { sum: number; pid: number };
    assert.equal(sum, 5);
    assert.notEqual(pid, process.pid);
    assert.deepEqual(jobs.workerPids, [pid]);
  });

  test(`${name}: the result is applied in the transaction that ends the job`, async () => {
    await using database = await open();
    const kinds: Record<string, JobKind> = {
      'test.add': {
        apply: async (tx, job) => {
          await jobStore(tx).setProgress(job.id, { note: 'applied' });
          return 'what apply says';
        },
      },
    };
    await using jobs = await start(database, { kinds });
    const job = await ended(jobs, (await submit(jobs, 'test.add', { a: 1, b: 1 })).id);
    assert.deepEqual([job.state, job.result, job.progress.note], ['done', 'what apply says', 'applied']);
  });

  test(`${name}: when applying fails, nothing of it stays and the job has failed`, async () => {
    await using database = await open();
    const kinds: Record<string, JobKind> = {
      'test.add': {
        apply: async (tx, job) => {
          await jobStore(tx).setProgress(job.id, { note: 'applied' });
          throw new Error('the sum is wrong');
        },
      },
    };
    await using jobs = await start(database, { kinds });
    const job = await ended(jobs, (await submit(jobs, 'test.add', { a: 1, b: 1 })).id);
    assert.deepEqual([job.state, job.error?.message], ['failed', 'the sum is wrong']);
    assert.notEqual(job.progress.note, 'applied');
  });

  test(`${name}: a killed worker fails its job and the next job gets a new one`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const { id } = await submit(jobs, 'test.sleep', { ms: 60_000 });
    while ((await jobs.find(id))?.job.progress.note !== 'sleeping') await sleep(5);
    const [pid] = jobs.workerPids;
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    const job = await ended(jobs, id);
    assert.equal(job.state, 'failed');
    assert.equal(job.error?.code, 'jobs/crashed');
    assert.match(job.error?.message ?? '', /SIGKILL.*test\.sleep/);
    const next = await ended(jobs, (await submit(jobs, 'test.add', { a: 1, b: 2 })).id);
    assert.equal(next.state, 'done');
  });

  test(`${name}: a cancelled job is aborted, a waiting one never starts`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const running = await submit(jobs, 'test.sleep', { ms: 60_000 });
    const waiting = await submit(jobs, 'test.sleep', { ms: 60_000 });
    while ((await jobs.find(running.id))?.job.progress.note !== 'sleeping') await sleep(5);
    await jobs.cancel(waiting.id);
    await jobs.cancel(running.id);
    assert.equal((await ended(jobs, running.id)).state, 'cancelled');
    const never = await ended(jobs, waiting.id);
    assert.deepEqual([never.state, never.attempts], ['cancelled', 0]);
    await assert.rejects(jobs.cancel(running.id), { code: 'jobs/already-ended' });
  });

  test(`${name}: a job can be cancelled at any moment, also while its process starts`, async () => {
    await using database = await open();
    for (const delayMs of [0, 1, 2, 4, 8, 16, 32, 64]) {
      await using jobs = await start(database);
      const { id } = await submit(jobs, 'test.sleep', { ms: 60_000 });
      if (delayMs === 64) while ((await jobs.find(id))?.job.state !== 'running') await sleep(1);
      else await sleep(delayMs);
      await jobs.cancel(id);
      assert.equal((await ended(jobs, id)).state, 'cancelled', `after ${delayMs} ms`);
    }
  });

  test(`${name}: cancelling an operation cancels its parts, and it ends after the last of them`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const operation = await submit(jobs, 'test.whole', {}, { lane: 'none' });
    const part = await submit(jobs, 'test.sleep', { ms: 60_000 }, { parent: operation.id });
    await jobs.cancel(operation.id);
    assert.equal((await ended(jobs, part.id)).state, 'cancelled');
    assert.deepEqual(
      (await jobStore(database.read).list({ limit: 10 })).map(({ id }) => id),
      [operation.id],
    );
  });

  if (name === 'sqlite') {
    test('requests line up for the worker, and are refused when there are too many', async () => {
      await using database = await open();
      await using jobs = await start(database);
      const asked = Array.from({ length: 80 }, (_, a) => jobs.run<{ sum: number }>('test.add', { a, b: 1 }));
      const answers = await Promise.allSettled(asked);
      const sums = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value.sum] : []));
      assert.deepEqual(
        sums,
        Array.from({ length: sums.length }, (_, a) => a + 1),
        'the first ones, in their order',
      );
      assert.ok(sums.length >= 64 && sums.length < 80, `${sums.length} were answered`);
      const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      assert.ok(refused.every(({ code, data }) => code === 'http/unavailable' && data.retryAfterSeconds === 1));
      assert.equal((await jobs.run<{ sum: number }>('test.add', { a: 1, b: 1 })).sum, 2, 'there is room again');
    });
  }

  test(`${name}: jobs of a server that died run again, in a new server`, async () => {
    await using database = await open();
    let id: string;
    {
      await using jobs = await start(database);
      ({ id } = await submit(jobs, 'test.sleep', { ms: 60_000 }));
      while ((await jobs.find(id))?.job.progress.note !== 'sleeping') await sleep(5);
    }
    const between = await jobStore(database.read).find(id);
    assert.deepEqual([between?.state, between?.attempts], ['queued', 0]);
    await database.write(async (tx) => {
      // What a server leaves behind that had no time to say good-bye: a lease that has run out.
      await jobStore(tx).claim('compute', { owner: 'dead', until: 1 }, 1);
    });
    await using jobs = await start(database);
    while ((await jobs.find(id))?.job.progress.note !== 'sleeping') await sleep(5);
    assert.equal((await jobs.find(id))?.job.attempts, 2);
    await jobs.cancel(id);
    assert.equal((await ended(jobs, id)).state, 'cancelled');
  });

  test(`${name}: a job that took down its server three times is given up`, async () => {
    await using database = await open();
    await database.write(async (tx) => {
      const store = jobStore(tx);
      const progress = { note: '' };
      await store.insert({
        id: 'j',
        kind: 'test.add',
        lane: 'compute',
        actor: 'a',
        input: {},
        state: 'queued',
        attempts: 2,
        progress,
        createdAt: 1,
      });
      await store.claim('compute', { owner: 'dead', until: 1 }, 1);
    });
    await using jobs = await start(database);
    assert.equal((await ended(jobs, 'j')).error?.code, 'jobs/given-up');
  });

  test(`${name}: what a handler throws keeps its code, and its log and progress are kept`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const { id } = await submit(jobs, 'test.fail', {});
    assert.deepEqual((await ended(jobs, id)).error, {
      code: 'http/conflict',
      subject: 'the row',
      message: 'The row is locked.',
      hint: 'wait',
    });
    assert.deepEqual((await jobs.find(id))?.log, ['about to fail']);
  });
});

eachDatabase((name, open) => {
  test(`${name}: run answers with the output, bytes and big integers included`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const notes: string[] = [];
    const output = await jobs.run<{ bytes: Uint8Array; big: bigint }>(
      'test.echo',
      { bytes: new Uint8Array([1, 2]), big: 2n ** 60n },
      { onProgress: ({ note }) => notes.push(note) },
    );
    assert.deepEqual([[...output.bytes], output.big, notes], [[1, 2], 2n ** 60n, ['echoing']]);
  });

  test(`${name}: run can be aborted, and unknown kinds are named`, async () => {
    await using database = await open();
    await using jobs = await start(database);
    const abort = new AbortController();
    const sleeping = jobs.run('test.sleep', { ms: 60_000 }, { signal: abort.signal, onProgress: () => abort.abort() });
    await assert.rejects(sleeping, { code: 'jobs/cancelled' });
    await assert.rejects(jobs.run('test.nothing', {}), { code: 'jobs/unknown-kind' });
  });

  test(`${name}: preparing on the server gives the worker its input and may itself run jobs`, async () => {
    await using database = await open();
    const late: { jobs?: Jobs } = {};
    const kinds: Record<string, JobKind> = {
      'test.add': {
        prepare: async () => ({
          a: 40,
          b: ((await late.jobs?.run<{ sum: number }>('test.add', { a: 1, b: 1 })) ?? { sum: 0 }).sum,
        }),
      },
    };
    await using jobs = await start(database, { kinds });
    late.jobs = jobs;
    const job = await ended(jobs, (await submit(jobs, 'test.add', null)).id);
    assert.equal((job.result as { sum: number }).sum, 42);
  });
});
