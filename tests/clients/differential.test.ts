/**
 * The same requests to Rondo and to MLflow's own server: a fixed list and a random sequence. Whatever the two answer differently must be
 * a row of the table of allowed differences. RONDO_SEED chooses another sequence.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mlflowPage } from '../../docs/mlflow.ts';
import { eachDatabaseUrl } from '../../src/storage/test-databases.ts';
import { extent } from '../extent.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import {
  type AllowedDifference,
  allowanceFor,
  allowedDifferences,
  type Exchange,
} from './differential/allowed-differences.ts';
import { type Answer, answerDifferences, type Difference } from './differential/answer-differences.ts';
import { askedServer } from './differential/asked-server.ts';
import type { Call } from './differential/call.ts';
import { everyCall, lastCalls } from './differential/every-call.ts';
import { mlflowEndpoints } from './differential/mlflow-endpoints.ts';
import { startMlflowServer } from './differential/mlflow-server.ts';
import { mutate, mutations } from './differential/mutants.ts';
import { seededRandom } from './differential/random.ts';
import { randomCalls } from './differential/random-calls.ts';
import { findPythonClients } from './python-env.ts';

const python = findPythonClients();
const skip = python === undefined && 'no MLflow here: npm run setup:tests installs it';
const seed = Number(process.env['RONDO_SEED'] ?? 1);

/** Routes that MLflow cannot do here, and those where nothing can be wrong. */
const neverDone: readonly string[] = [
  // Only with a bucket behind it: large-files.test.ts.
  'GET /api/2.0/mlflow-artifacts/presigned/<path:artifact_path>',
  'POST /api/2.0/mlflow-artifacts/mpu/abort/<path:artifact_path>',
  'POST /api/2.0/mlflow-artifacts/mpu/complete/<path:artifact_path>',
  'POST /api/2.0/mlflow-artifacts/mpu/create/<path:artifact_path>',
  'POST /api/2.0/mlflow/artifacts/presigned-download-url',
  'POST /api/2.0/mlflow/artifacts/presigned-upload-url',
  // Calls somebody: mlflow-webhooks.test.ts.
  'POST /api/2.0/mlflow/webhooks/<webhook_id>/test',
];
const neverRefused: readonly string[] = ['GET /api/3.0/mlflow/server-info', 'GET /health', 'GET /version'];

eachDatabaseUrl(extent.databases, (database, newUrl) => {
  const claim = `${database}: answers are those of MLflow, apart from the rows of one table`;
  test(claim, { skip, timeout: 900_000 }, async (context) => {
    const randomly = randomCalls(seededRandom(seed), extent.randomCalls);
    const calls = [...everyCall, ...randomly, ...lastCalls];
    context.diagnostic(`${everyCall.length} calls and a random sequence of ${randomly.length}, RONDO_SEED=${seed}`);
    const exchanges = await askBoth(calls, await newUrl());

    const used = new Map<AllowedDifference, Set<string>>(allowedDifferences.map((row) => [row, new Set()]));
    const unexplained = exchanges.flatMap((exchange) => {
      for (const difference of answerDifferences(exchange.ours, exchange.theirs)) {
        const row = allowanceFor(exchange, difference);
        if (row) used.get(row)?.add(difference.field);
      }
      return unexplainedOf(exchange).map((difference) => told(exchange.call, difference));
    });
    assert.deepEqual(unexplained, [], `RONDO_SEED=${seed}`);
    const unused = [...used].flatMap(([{ route, calls, fields }, needed]) =>
      fields.filter((field) => !needed.has(field)).map((field) => `${route}: ${calls.join(', ')}: ${field}`),
    );
    assert.deepEqual(unused, [], 'allowed differences that no answer needs any more');

    assert.ok(python); // the test is skipped without it
    const { here: endpoints } = mlflowEndpoints(python);
    const without = (isWanted: (status: number) => boolean) =>
      endpoints
        .filter(({ matches }) => !exchanges.some(({ call, theirs }) => matches(call) && isWanted(theirs.status)))
        .map(({ name }) => name);
    assert.ok(endpoints.length >= 80);
    assert.deepEqual(
      without((status) => status < 300),
      neverDone,
    );
    assert.deepEqual(
      without((status) => status >= 400),
      neverRefused,
    );
    context.diagnostic(`each of MLflow's ${endpoints.length} routes of this kind is asked rightly and wrongly`);

    const random = seededRandom(seed);
    let wrongAnswers = 0;
    const missed = mutations.flatMap((mutation) => {
      const mutants = mutantsOf(exchanges, (answer) => mutate(answer, mutation, random));
      assert.ok(mutants.length >= 5, `too few answers for the mutation "${mutation.name}"`);
      wrongAnswers += mutants.length;
      const unnoticed = mutants.filter((mutant) => unexplainedOf(mutant).length === 0);
      return unnoticed.map(
        ({ call, ours }) => `${mutation.name}: ${call.label}: ${JSON.stringify(ours).slice(0, 200)}`,
      );
    });
    assert.deepEqual(missed, [], 'wrong answers that were not noticed');
    context.diagnostic(
      `${mutations.length} ways to answer wrongly, tried on ${wrongAnswers} answers, were all noticed`,
    );
  });
});

test('the groups of MLflow that are not here answer so, and clients fall back', { skip }, async () => {
  assert.ok(python); // the test is skipped without it
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-left-out-'));
  await using server = await spawnServer({ dataFolder: join(folder.path, 'rondo') });
  const { ask } = askedServer(server.url);
  const { leftOut } = mlflowEndpoints(python);
  assert.ok(leftOut.length >= 100);
  for (const { name, method, path } of leftOut) {
    const body = method === 'GET' ? undefined : {};
    const { status, body: said } = await ask({ label: name, method, path: path.replace(/<[\w:]+>/g, '1'), body });
    const { error_code, message } = said as { error_code: string; message: string };
    assert.deepEqual([status, error_code], [404, 'ENDPOINT_NOT_FOUND'], name);
    assert.match(message, / are not part of this server/, name);
  }
});

test('the page of differences is as `npm run docs` writes it', async () => {
  const page = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'mlflow-compatibility.md');
  assert.equal(await readFile(page, 'utf8'), mlflowPage());
});

test('no two calls of the fixed list have one label, so that an allowed difference is of one call', () => {
  const labels = [...everyCall, ...lastCalls].map(({ label }) => label);
  assert.deepEqual(labels, [...new Set(labels)]);
  assert.ok(labels.length >= 300);
});

/** @param databaseUrl where Rondo keeps what it is told; MLflow has SQLite */
async function askBoth(calls: readonly Call[], databaseUrl: string | undefined): Promise<readonly Exchange[]> {
  assert.ok(python); // the test is skipped without it
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-differential-'));
  const theirFolder = join(folder.path, 'mlflow');
  await mkdir(theirFolder);
  await using theirServer = await startMlflowServer({
    ...{ python, folder: theirFolder, workers: 1 },
    env: { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' }, // ten processes that none of the calls needs
  });
  await using ourServer = await spawnServer({
    dataFolder: join(folder.path, 'rondo'),
    env: { DATABASE_URL: databaseUrl },
  });
  const [us, them] = [askedServer(ourServer.url), askedServer(theirServer.url)];
  const exchanges: Exchange[] = [];
  for (const call of calls) {
    const [ours, theirs] = await Promise.all([us.ask(call), them.ask(call)]);
    exchanges.push({ call, ours, theirs });
  }
  return exchanges;
}

const unexplainedOf = (exchange: Exchange): readonly Difference[] =>
  answerDifferences(exchange.ours, exchange.theirs).filter((difference) => !allowanceFor(exchange, difference));

/** Of answers that are the same on both sides: where a difference is allowed, a mutant may hide behind it. */
function mutantsOf(
  exchanges: readonly Exchange[],
  change: (answer: Answer) => Answer | undefined,
): readonly Exchange[] {
  return exchanges.flatMap((exchange) => {
    if (answerDifferences(exchange.ours, exchange.theirs).length > 0) return [];
    const ours = change(exchange.ours);
    return ours === undefined ? [] : [{ ...exchange, ours }];
  });
}

const told = (call: Call, { field, ours, theirs }: Difference): string =>
  [
    `${call.label}: ${call.method} ${call.path} ${JSON.stringify(call.body ?? call.params ?? call.data)}`.slice(0, 400),
    `  ${field}`,
    `    ours   ${JSON.stringify(ours)?.slice(0, 300)}`,
    `    theirs ${JSON.stringify(theirs)?.slice(0, 300)}`,
  ].join('\n');
