/** What an import writes comes back as it was; what is here already and is something else is never overwritten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { eachDatabase, type TestDatabase } from '../storage/test-databases.ts';
import { differingFields } from './import-report.ts';
import { writeRecords } from './import-store.ts';
import { readRecords, summarizePoints } from './imported-store.ts';
import { type EntityRecord, type MlflowRecord, nameOf, type PointsRecord } from './mlflow-record.ts';
import { PointsDigest } from './points-digest.ts';

const runId = 'ab'.repeat(16);
const modelId = `m-${'cd'.repeat(16)}`;

const experiment = {
  kind: 'experiment',
  id: '734512340987123456', // as file stores give them: beyond 2^53
  name: 'größer 試験',
  artifactLocation: 'mlflow-artifacts:/734512340987123456',
  lifecycle: 'deleted',
  createdAt: 1_700_000_000_000,
  updatedAt: 1_700_000_000_001,
  tags: [{ key: 'team', value: 'größe' }],
} as const satisfies EntityRecord;

const run = {
  kind: 'run',
  id: runId,
  experimentId: experiment.id,
  name: 'Über 🚀',
  userId: 'ada',
  status: 'FINISHED',
  startTime: 1_700_000_000_002,
  endTime: '4611686018427387904',
  artifactUri: `${experiment.artifactLocation}/${runId}/artifacts`,
  lifecycle: 'deleted',
  deletedAt: 1_700_000_000_009,
  params: [
    { key: 'depth', value: '3' },
    { key: 'empty', value: '' },
  ],
  tags: [{ key: 'mlflow.runName', value: 'Über 🚀' }],
  datasets: [
    {
      name: 'd',
      digest: '1',
      sourceType: 'local',
      source: '{}',
      schema: '{}',
      tags: [{ key: 'mlflow.data.context', value: 'eval' }],
    },
    { name: 'c', digest: '2', sourceType: 'local', source: '{}', tags: [] },
  ],
  modelInputs: [modelId],
  modelOutputs: [{ modelId, step: '4611686018427387905' }],
} as const satisfies EntityRecord;

const loggedModel = {
  kind: 'logged-model',
  id: modelId,
  experimentId: experiment.id,
  name: 'model',
  artifactLocation: `${experiment.artifactLocation}/models/${modelId}/artifacts`,
  status: 'LOGGED_MODEL_READY',
  lifecycle: 'active',
  modelType: 'sklearn',
  sourceRunId: runId,
  createdAt: 1,
  updatedAt: 2,
  params: [{ key: 'C', value: '1' }],
  tags: [{ key: 'kind', value: 'linear' }],
  metrics: [
    { key: 'auc', value: 'NaN', timestamp: 3, step: 4, runId, datasetName: 'd', datasetDigest: '1' },
    { key: 'loss', value: 0.1, timestamp: 3, step: 0, runId },
  ],
} as const satisfies EntityRecord;

const model = {
  kind: 'model',
  name: 'iris',
  description: '',
  createdAt: 5,
  updatedAt: 6,
  tags: [{ key: 'owner', value: 'ada' }],
} as const satisfies EntityRecord;

const version = (number: number) =>
  ({
    kind: 'version',
    model: 'iris',
    version: number,
    deleted: false,
    source: `models:/${modelId}`,
    storageLocation: loggedModel.artifactLocation,
    runId,
    loggedModelId: modelId,
    description: 'the first',
    stage: 'Production',
    status: 'READY',
    createdAt: 7,
    updatedAt: 8,
    tags: [{ key: 'validated', value: 'true' }],
    aliases: number === 1 ? ['champion', 'newest'] : [],
  }) as const satisfies EntityRecord;

const gone = {
  ...{ kind: 'version', model: 'iris', version: 4, deleted: true, source: '', storageLocation: '' },
  ...{ stage: 'None', status: 'READY', createdAt: 9, updatedAt: 9, tags: [], aliases: [] },
} as const satisfies EntityRecord;

const points = {
  kind: 'points',
  runId,
  experimentId: experiment.id,
  key: 'loss',
  steps: [1, '4611686018427387904', -5, 1],
  timestamps: [10, 20, 30, 10],
  values: [0.1, 'NaN', -Number.MAX_VALUE, 0.30000000000000004],
} as const;
const series: PointsRecord = {
  ...points,
  steps: [...points.steps],
  timestamps: [...points.timestamps],
  values: [...points.values],
};

const all: readonly EntityRecord[] = [experiment, run, loggedModel, model, version(1), version(2), gone].map((one) =>
  structuredClone(one as EntityRecord),
);
const write = (database: TestDatabase, records: readonly MlflowRecord[]) =>
  database.write((tx) => writeRecords(tx, records, { newId: () => crypto.randomUUID(), projectOf: () => 'default' }));

eachDatabase((name, open) => {
  test(`${name}: records come back as they were written, also when they are written twice`, async () => {
    await using database = await open();
    for (const records of [all, [series, series], all, [series]]) await write(database, records);
    for (const record of all) {
      const [found] = await readRecords(database.read, record.kind, [nameOf(record)]);
      assert.ok(found, nameOf(record));
      assert.deepEqual(differingFields(record, found), [], nameOf(record));
    }
    const digest = new PointsDigest();
    digest.add('loss', series.steps, series.timestamps, series.values);
    const { [runId]: found } = await summarizePoints(database.read, [runId]);
    assert.deepEqual({ ...found, latest: '' }, { ...digest.summary, latest: '' });
    const latest = new PointsDigest();
    latest.add('loss', ['4611686018427387904'], [20], ['NaN']);
    assert.equal(found?.latest, latest.summary.digest);
  });

  test(`${name}: what was logged since comes in, and nothing that is here is taken away`, async () => {
    await using database = await open();
    await write(database, all);
    await write(database, [
      {
        ...run,
        ...structuredClone({ status: 'FAILED', tags: [{ key: 'new', value: 'tag' }] } as const),
      } as EntityRecord,
    ]);
    const [found] = await readRecords(database.read, 'run', [runId]);
    assert.ok(found?.kind === 'run');
    assert.equal(found.status, 'FAILED');
    assert.deepEqual(found.tags.map(({ key }) => key).toSorted(), ['mlflow.runName', 'new']);
  });

  test(`${name}: another thing under the same id or name is refused, and the whole batch with it`, async () => {
    await using database = await open();
    await write(database, all);
    const others: readonly EntityRecord[] = [
      { ...experiment, name: 'other', createdAt: 1 },
      { ...experiment, id: '7' },
      { ...run, startTime: 1 },
      { ...loggedModel, createdAt: 77 },
      { ...model, createdAt: 77 },
      { ...version(2), createdAt: 77 },
    ].map((one) => structuredClone(one as EntityRecord));
    for (const other of others) {
      const harmless = {
        ...structuredClone(experiment as EntityRecord),
        id: '99',
        name: `with ${nameOf(other)}`,
      } as EntityRecord;
      await assert.rejects(
        write(database, [harmless, other]),
        (error) => error instanceof PlatformError && error.code === 'interop/collision' && error.hint !== undefined,
        nameOf(other),
      );
      assert.deepEqual(await readRecords(database.read, 'experiment', ['99']), []);
    }
  });

  test(`${name}: the points of two pages are summed up as those of one`, async () => {
    await using database = await open();
    await write(database, [structuredClone(experiment as EntityRecord), structuredClone(run as EntityRecord)]);
    const digest = new PointsDigest();
    const count = 22_000; // more than a page of the reader
    for (let at = 0; at < count; at += 5500) {
      const steps = Array.from({ length: 5500 }, (_, index) => at + index);
      const part = {
        ...series,
        key: at % 2 === 0 ? 'a' : 'b',
        steps,
        timestamps: steps,
        values: steps.map((step) => step / 7),
      };
      digest.add(part.key, part.steps, part.timestamps, part.values);
      await write(database, [part]);
    }
    const { [runId]: found } = await summarizePoints(database.read, [runId]);
    assert.equal(found?.points, count);
    assert.equal(found?.digest, digest.summary.digest);
  });
});
