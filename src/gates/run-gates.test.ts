import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { columnsModel, columnsSignature } from '../../tests/fixtures/onnx/tiny-models.ts';
import type { EventTables } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { forkWorker } from '../jobs/fork-worker.ts';
import type { Job } from '../jobs/job.ts';
import { startJobs } from '../jobs/start-jobs.ts';
import type { ModelVersion } from '../registry/model-version.ts';
import { versionStore } from '../registry/version-store.ts';
import type { VersionRef } from '../serving/traffic.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase, type OpenTestDatabase } from '../storage/test-databases.ts';
import type { GateReport } from './gate.ts';
import { gateRoutes } from './gate-routes.ts';
import type { GatesConfig } from './gates-config.ts';
import { gateKinds } from './gates-worker.ts';

const gates: GatesConfig = {
  data: 'out/test.parquet',
  tests: [
    { metric: 'auc', atLeast: 0.55 },
    { metric: 'log_loss', notWorseThan: 'champion', margin: 0.005 },
    { metric: 'auc', by: 'origin', atLeast: 0.5, minRows: 500 },
    {
      fairness: 'demographic_parity_difference',
      by: { distance: [500, 1000] },
      threshold: 0.1,
      atMost: 0.1,
      minRows: 500,
    },
    { latency: 'p99', below: '1s', batch: 1 },
    { parity: 'out/expected.parquet', tolerance: 1e-4 },
  ],
};

/** Rows whose truth was drawn with the probabilities of the model with bias 0, and that model's answers, as Parquet. */
async function writeRows(folder: string): Promise<{ rows: Uint8Array; expected: Uint8Array }> {
  const [rows, expected] = [join(folder, 'rows.parquet'), join(folder, 'expected.parquet')];
  const instance = await DuckDBInstance.create(':memory:');
  const db = await instance.connect();
  await db.run(`
    CREATE TABLE scored AS
    SELECT *, 1 / (1 + exp(-(distance / 1000.0 + CASE origin WHEN 'ATL' THEN 0.5 WHEN 'ORD' THEN 1 WHEN 'LAX' THEN -1 ELSE 0 END))) AS score
    FROM (SELECT i, (i * 7919) % 2000 AS distance, ['ATL', 'ORD', 'LAX', 'GST'][1 + least((i * 31) % 40 // 13, 3)::INT] AS origin FROM range(4000) t(i))`);
  await db.run(
    `COPY (SELECT distance, origin, (hash(i) % 1000000) / 1e6 < score AS late FROM scored) TO '${rows}' (FORMAT parquet)`,
  );
  await db.run(`COPY (SELECT distance, origin, score FROM scored LIMIT 500) TO '${expected}' (FORMAT parquet)`);
  db.closeSync();
  instance.closeSync();
  return { rows: await readFile(rows), expected: await readFile(expected) };
}

type Wishes = { readonly champion?: VersionRef; readonly target?: string };

/** A database with versions whose models have the given biases, and everything that gates need around it. */
async function openHouse(
  open: OpenTestDatabase,
  biases: readonly number[],
  { champion, target = 'late' }: Wishes = {},
) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await open());
  const blobs = await openBlobFolder(join(database.folder, 'gate-blobs'));
  const files = await writeRows(database.folder);
  const gateDataDigest = (await blobs.put(files.rows)).digest;
  const parityDigest = (await blobs.put(files.expected)).digest;
  for (const bias of biases) {
    const { digest, size } = await blobs.put(columnsModel({ bias }));
    await database.write(async (tx) => {
      const versions = versionStore(tx);
      const { model, version } = await versions.insert({
        model: 'flight-delay',
        project: 'flights',
        source: 'x',
        storageLocation: 'x',
        stage: 'None',
        status: 'READY',
        createdAt: 1,
        tags: [],
        lineage: { datasets: [] },
        gateDataDigest,
        parityDigest,
      });
      const files = [{ path: 'model.onnx', digest, size }];
      const sealed = { onnxDigest: digest, files, ...columnsSignature, findings: [], sealedAt: 1 };
      await versions.update(model, version, { sealed }, 2);
    });
  }
  const seal = async ({ model, version }: VersionRef): Promise<ModelVersion> => {
    const found = await versionStore(database.read).find(model, version);
    assert.ok(found);
    return found;
  };
  const rulesOf = async () => ({ gates, task: 'binary' as const, target, ...(champion && { champion }) });
  const entry = join(import.meta.dirname, 'fixtures', 'test-worker.ts');
  const jobs = stack.use(
    await startJobs({
      database,
      spawn: () => forkWorker({ entry, env: process.env }),
      kinds: gateKinds({ read: database.read, blobs, seal, rulesOf, now: () => 1000 }),
      now: Date.now,
      newId: randomUUID,
    }),
  );
  const app = stack.use(await openTestServer());
  await app.register(gateRoutes({ database, now: () => 1000, newId: randomUUID }));
  return Object.assign(stack, {
    database,
    /** Asks over HTTP and waits for the job. */
    async run(version: number, body?: object): Promise<Job> {
      const url = `/api/v1/models/flight-delay/versions/${version}/gates`;
      const answer = await app.inject({ method: 'POST', url, ...(body && { payload: body }) });
      assert.equal(answer.statusCode, 202, answer.body);
      const { operation } = answer.json<{ operation: string }>();
      await jobs.wait(operation, { waitMs: 30_000 });
      const found = await jobs.find(operation);
      assert.ok(found);
      return found.job;
    },
    latest: (version: number) =>
      app.inject({ method: 'GET', url: `/api/v1/models/flight-delay/versions/${version}/gates` }),
  });
}

const outcomesOf = ({ tests }: GateReport) => tests.map(({ kind, verdict }) => [kind, verdict.outcome]);

eachDatabase((name, open) => {
  test(`${name}: a sound first version passes everything that applies, and the report says what it rests on`, async () => {
    await using house = await openHouse(open, [0]);
    const job = await house.run(1);
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    const report = (await house.latest(1)).json<GateReport>();
    assert.deepEqual(report, job.result);
    assert.equal(report.outcome, 'pass');
    assert.deepEqual(outcomesOf(report), [
      ['floor', 'pass'],
      ['paired', 'inconclusive'],
      ['floor', 'pass'],
      ['fairness', 'pass'],
      ['latency', 'pass'],
      ['parity', 'pass'],
    ]);
    assert.equal(report.tests[1]?.applies, false);
    assert.equal(report.tests[0]?.verdict.n, 4000);
    assert.deepEqual(report.tests[2]?.slices?.find(({ slice }) => slice === 'GST')?.outcome, 'small');
  });

  test(`${name}: a version with shifted probabilities keeps its AUC and is refused by the paired test and by parity`, async () => {
    await using house = await openHouse(open, [0, 1.5], { champion: { model: 'flight-delay', version: 1 } });
    const job = await house.run(2);
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    const report = job.result as GateReport; // what recordGates returned
    assert.deepEqual(report.against, { model: 'flight-delay', version: 1 });
    assert.deepEqual(outcomesOf(report).slice(0, 2), [
      ['floor', 'pass'],
      ['paired', 'fail'],
    ]);
    assert.deepEqual(outcomesOf(report).at(-1), ['parity', 'fail']);

    const rows = house.database.read.withTables<EventTables>().selectFrom('events');
    const event = await rows
      .select(['subject', 'reason', 'data'])
      .where('type', '=', 'gates.decided')
      .executeTakeFirst();
    assert.equal(event?.subject, 'model/flight-delay/2');
    assert.equal(JSON.parse(event?.data ?? '').outcome, 'fail');
    assert.match(event?.reason ?? '', /^log_loss not worse than champion by more than 0.005: log_loss differs by/);
  });

  test(`${name}: another version than the champion can be asked for, and nobody is compared with himself`, async () => {
    await using house = await openHouse(open, [0, 1.5], { champion: { model: 'flight-delay', version: 2 } });
    const against = async (version: number, body?: object) =>
      ((await house.run(version, body)).result as GateReport).against;
    assert.equal(await against(2), undefined);
    assert.deepEqual(await against(2, { against: { model: 'flight-delay', version: 1 } }), {
      model: 'flight-delay',
      version: 1,
    });
  });

  test(`${name}: rows without the truth fail the operation, name the column and say what to do`, async () => {
    await using house = await openHouse(open, [0], { target: 'delayed' });
    const job = await house.run(1);
    assert.equal(job.state, 'failed');
    assert.deepEqual([job.error?.code, job.error?.subject], ['gates/missing-column', 'delayed']);
    assert.match(job.error?.hint ?? '', /they have distance, origin, late/);
    assert.equal((await house.latest(1)).statusCode, 404);
  });

  test(`${name}: a version without a report, and one that does not exist, are 404 with their own codes`, async () => {
    await using house = await openHouse(open, [0]);
    const untested = await house.latest(1);
    assert.deepEqual([untested.statusCode, untested.json<{ code: string }>().code], [404, 'gates/no-report']);
    const absent = await house.latest(7);
    assert.deepEqual([absent.statusCode, absent.json<{ code: string }>().code], [404, 'registry/version-not-found']);
  });
});

test('a version is judged by the rules of the project that ships it, whatever its own tags say', async () => {
  const asked: string[] = [];
  const sealed = { onnxDigest: 'a', files: [], inputs: [], outputs: [], findings: [], sealedAt: 1 };
  const version = { model: 'm', version: 1, project: 'of-its-tag', sealed } as unknown as ModelVersion; // all that is looked at
  const kinds = gateKinds({
    ...{ read: {} as Db, blobs: { path: (digest) => digest }, now: () => 1 },
    seal: async () => version,
    rulesOf: async ({ project }) => {
      asked.push(project);
      return undefined;
    },
  });
  const job = { input: { model: 'm', version: 1 }, project: 'shipping' } as unknown as Job; // all that is read of it
  const prepared = kinds['gates.run']?.prepare?.(job, new AbortController().signal);
  await assert.rejects(prepared ?? Promise.resolve(), { code: 'gates/no-gates' });
  assert.deepEqual(asked, ['shipping']);
});
