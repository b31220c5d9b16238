import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventStore, readEvents } from '../events/event-store.ts';
import type { Database, Db } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { deleteExperiment, restoreExperiment } from './change-experiment.ts';
import { createLoggedModel } from './change-logged-model.ts';
import { deleteRun, updateRun } from './change-run.ts';
import { createExperiment } from './create-experiment.ts';
import { createRun } from './create-run.ts';
import { experimentStore } from './experiment-store.ts';
import { logBatch, logMetric, logParam } from './log-batch.ts';
import { logInputs } from './log-inputs.ts';
import { loggedModelStore } from './logged-model-store.ts';
import { metricStore } from './metric-store.ts';
import { runDetails } from './run-details-store.ts';
import { runInputStore } from './run-input-store.ts';
import { runStore } from './run-store.ts';
import { searchLoggedModels } from './search-logged-models-store.ts';
import { type RunSearch, searchRuns } from './search-runs-store.ts';

const newId = () => randomUUID().replaceAll('-', '');
const now = () => 1_000;
const stores = (tx: Db) => ({
  experiments: experimentStore(tx),
  runs: runStore(tx),
  metrics: metricStore(tx),
  loggedModels: loggedModelStore(tx),
  events: eventStore(tx),
  now,
  newId,
  random: () => 0.5,
});

const newExperiment = (database: Database, name = 'e') =>
  database.write((tx) =>
    createExperiment(stores(tx), { name, project: 'p', actor: 'owner', artifactRoot: 'mlflow-artifacts:/' }),
  );

async function newRun(database: Database, experimentId: string, name: string, startTime = 0): Promise<string> {
  const run = await database.write((tx) => createRun(stores(tx), { experimentId, actor: 'owner', name, startTime }));
  return run.id;
}

eachDatabase((dialect, open) => {
  const log = (database: Database, runId: string, value: number, step = 0, key = 'm') =>
    database.write((tx) => logMetric(stores(tx), runId, { key, value, timestamp: 1, step }));

  /** Five runs: values 0.75, NaN, none, -1 and 2.5. */
  async function fiveRuns(database: Database) {
    const experimentId = await newExperiment(database);
    const ids = new Map<string, string>();
    for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      const id = await newRun(database, experimentId, name, 10 * (index + 1));
      ids.set(name, id);
      await database.write((tx) =>
        logParam(stores(tx), id, { key: 'p', value: name === 'c' ? 'xyz' : name.toUpperCase() }),
      );
    }
    const values = { a: 0.75, b: Number.NaN, d: -1, e: 2.5 };
    for (const [name, value] of Object.entries(values)) await log(database, ids.get(name) ?? '', value);
    const names = async (search: Partial<RunSearch>) => {
      const all = { experimentIds: [experimentId], lifecycles: ['active'] as const, offset: 0, limit: 10 };
      const { runs } = await searchRuns(database.read, { ...all, ...search });
      return runs.map(({ name }) => name).join('');
    };
    return { experimentId, ids, names };
  }

  test(`${dialect}: NaN comes after values and before runs without the metric, in both directions`, async () => {
    await using database = await open();
    const { names } = await fiveRuns(database);
    assert.equal(await names({ orderBy: ['metrics.m'] }), 'daebc');
    assert.equal(await names({ orderBy: ['metrics.m DESC'] }), 'eadbc');
    assert.equal(await names({ orderBy: ['params.p DESC'] }), 'cedba');
    assert.equal(await names({ orderBy: ['metrics.none', 'start_time'] }), 'abcde');
    assert.equal(await names({}), 'edcba');
  });

  test(`${dialect}: pages cut an order anywhere without losing or repeating a run`, async () => {
    await using database = await open();
    const { names } = await fiveRuns(database);
    const pages: string[] = [];
    for (let offset = 0; offset < 6; offset += 2) pages.push(await names({ orderBy: ['metrics.m'], offset, limit: 2 }));
    assert.deepEqual(pages, ['da', 'eb', 'c']);
  });

  test(`${dialect}: filters find what MLflow finds`, async () => {
    await using database = await open();
    const { names } = await fiveRuns(database);
    assert.equal(await names({ filter: 'metrics.m = 0' }), '', 'NaN is not 0');
    assert.equal(await names({ filter: 'metrics.m != 0' }), 'edba', 'NaN is different from every number');
    assert.equal(await names({ filter: "params.p LIKE 'x%'" }), 'c');
    assert.equal(await names({ filter: "params.p LIKE 'X%'" }), '', 'LIKE tells capitals apart');
    assert.equal(await names({ filter: "params.p ILIKE 'X%'" }), 'c');
    assert.equal(await names({ filter: "params.nokey != 'A'" }), '', 'only runs that have the key');
    assert.equal(await names({ filter: 'params.nokey IS NULL' }), 'edcba');
    assert.equal(await names({ filter: "run_name = 'a' OR (metrics.m < 0 AND NOT params.p = 'A')" }), 'da');
    assert.equal(await names({ filter: 'start_time >= 20 AND start_time < 40' }), 'cb');
  });

  test(`${dialect}: logged models are found by what was measured on them, and NaN is other than every number`, async () => {
    await using database = await open();
    const experimentId = await newExperiment(database);
    const runId = await newRun(database, experimentId, 'r', 1);
    for (const [name, value] of Object.entries({ a: 1, b: Number.NaN, c: -1, d: undefined })) {
      const params = name === 'a' ? [{ key: 'p', value: 'x' }] : [];
      const { id } = await database.write((tx) => createLoggedModel(stores(tx), { experimentId, name, params }));
      const point = { key: 'm', value: value ?? 0, timestamp: 1, step: 0, modelId: id };
      if (value !== undefined) await database.write((tx) => logMetric(stores(tx), runId, point));
    }
    const names = async (filter: string) => {
      const { models } = await searchLoggedModels(database.read, {
        ...{ experimentIds: [experimentId], filter, offset: 0, limit: 10 },
        orderBy: [{ field: 'name', ascending: true }],
      });
      return models.map(({ name }) => name).join('');
    };
    assert.equal(await names('metrics.m != 1'), 'bc');
    assert.equal(await names('metrics.m NOT IN (1, 2)'), 'bc');
    assert.equal(await names('NOT metrics.m = 1'), 'bcd');
    assert.equal(await names('metrics.m <= 0 OR metrics.m = 0'), 'c');
    assert.equal(await names('params.p IS NULL'), 'bcd');
    assert.equal(await names('params.p IS NOT NULL AND metrics.m > 0'), 'a');
  });

  test(`${dialect}: a batch is logged once however often it is sent, and its latest point is the greatest`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    const metrics = [
      { key: 's', value: 3, timestamp: 5, step: 0 },
      { key: 's', value: Number.NaN, timestamp: 7, step: 3 },
      { key: 's', value: 1, timestamp: 1, step: 2n ** 62n },
      { key: 's', value: 1, timestamp: 1, step: 2n ** 62n },
    ];
    const batch = { runId: id, metrics, params: [{ key: 'lr', value: '0.1' }], tags: [] };
    for (let time = 0; time < 3; time++) await database.write((tx) => logBatch(stores(tx), batch));
    const points = await metricStore(database.read).history(id, 's', { offset: 0 });
    assert.deepEqual(
      points.map(({ timestamp, step, value }) => [timestamp, step, value]),
      [
        [1, 2n ** 62n, 1],
        [5, 0, 3],
        [7, 3, Number.NaN],
      ],
    );
    const [run] = await runDetails(database.read, [id]);
    assert.deepEqual(run?.metrics, [{ key: 's', value: 1, timestamp: 1, step: 2n ** 62n }]);
  });

  test(`${dialect}: a param cannot change, and then nothing of its batch is logged`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    const batch = (value: string) => ({
      runId: id,
      metrics: [{ key: 'm', value: 1, timestamp: 1, step: 0 }],
      params: [{ key: 'p', value }],
      tags: [],
    });
    await database.write((tx) => logParam(stores(tx), id, { key: 'p', value: '1' }));
    await assert.rejects(
      database.write((tx) => logBatch(stores(tx), batch('2'))),
      {
        code: 'tracking/param-changed',
        message: /Params were already logged='\[\{'key': 'p', 'old_value': '1', 'new_value': '2'\}\]'/,
      },
    );
    assert.deepEqual(await metricStore(database.read).history(id, 'm', { offset: 0 }), []);
  });

  test(`${dialect}: of sixteen values logged at once for one param, one is kept and the others are refused`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, (_, value) =>
        database.write((tx) => logParam(stores(tx), id, { key: 'p', value: String(value) })),
      ),
    );
    const kept = outcomes.findIndex(({ status }) => status === 'fulfilled');
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.deepEqual(await runStore(database.read).params(id, ['p']), [{ key: 'p', value: String(kept) }]);
  });

  test(`${dialect}: sixteen callers at once get sixteen experiments, and one of a name`, async () => {
    await using database = await open();
    const ids = await Promise.all(Array.from({ length: 16 }, (_, index) => newExperiment(database, `e${index}`)));
    assert.equal(new Set(ids).size, 16);
    const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => newExperiment(database, 'same')));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  test(`${dialect}: sixteen callers at once log to one series without losing a point`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    await Promise.all(Array.from({ length: 16 }, (_, step) => log(database, id, step, step)));
    const points = await metricStore(database.read).history(id, 'm', { offset: 0 });
    assert.equal(points.length, 16);
    assert.equal((await runDetails(database.read, [id]))[0]?.metrics[0]?.value, 15);
  });

  test(`${dialect}: a sample keeps the last point and never more than asked for`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    const metrics = Array.from({ length: 100 }, (_, step) => ({ key: 'm', value: step % 7, timestamp: step, step }));
    await database.write((tx) => logBatch(stores(tx), { runId: id, metrics, params: [], tags: [] }));
    const steps = async (count: number, range = {}) =>
      (await metricStore(database.read).sample(id, 'm', { count, ...range })).map(({ step }) => step);
    assert.deepEqual(await steps(4), [0, 25, 50, 99]);
    assert.deepEqual(await steps(1), [99]);
    assert.deepEqual(await steps(3, { from: 10, to: 12 }), [10, 11, 12]);
  });

  test(`${dialect}: points that share their step are sampled by timestamp and value`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    const metrics = Array.from({ length: 60 }, (_, i) => ({
      key: 'm',
      value: i % 2,
      timestamp: i >> 1,
      step: i % 3 === 0 ? 1 : 0,
    }));
    await database.write((tx) => logBatch(stores(tx), { runId: id, metrics, params: [], tags: [] }));
    const ordered = metrics.toSorted((a, b) => a.step - b.step || a.timestamp - b.timestamp || a.value - b.value);
    const points = ordered.map(({ step, timestamp, value }) => ({ value, timestamp, step }));
    const sample = await metricStore(database.read).sample(id, 'm', { count: 7 });
    assert.deepEqual(
      sample,
      [0, 9, 18, 27, 36, 44, 59].map((place) => points[place]),
    );
  });

  test(`${dialect}: a dataset is known by name and digest, and a run keeps its first tags`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    const input = (context: string) => ({
      dataset: { name: 'd', digest: '1', sourceType: 'local', source: 's' },
      tags: [{ key: 'mlflow.data.context', value: context }],
    });
    for (const context of ['train', 'eval']) {
      await database.write((tx) =>
        logInputs({ runs: runStore(tx), inputs: runInputStore(tx), newId }, id, {
          datasets: [input(context)],
          models: [],
        }),
      );
    }
    const [run] = await runDetails(database.read, [id]);
    assert.deepEqual(run?.datasets, [input('train')]);
    const found = await runInputStore(database.read).summaries([run?.experimentId ?? '']);
    assert.deepEqual(
      found.map(({ context }) => context),
      ['train'],
    );
  });

  test(`${dialect}: an experiment's making, a run's start, end with its counts, and deletion are events; what it logs is not`, async () => {
    await using database = await open();
    const id = await newRun(database, await newExperiment(database), 'r');
    await log(database, id, 1);
    await log(database, id, 2, 1);
    await database.write((tx) => updateRun(stores(tx), { runId: id, actor: 'owner', status: 'FINISHED', endTime: 9 }));
    await database.write((tx) => deleteRun(stores(tx), id, 'owner'));
    await database.write((tx) => deleteRun(stores(tx), id, 'owner'));
    if (dialect === 'postgres') return; // there the sequencer gives events their places
    const events = await readEvents(database.read, { limit: 10 });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['tracking.experiment-created', 'tracking.run-started', 'tracking.run-ended', 'tracking.run-deleted'],
    );
    assert.deepEqual(events[2]?.data, {
      experiment: '1',
      name: 'r',
      status: 'FINISHED',
      params: 0,
      tags: 1,
      metrics: 1,
      points: 2,
    });
  });

  test(`${dialect}: deleting an experiment deletes its runs, and its name stays taken`, async () => {
    await using database = await open();
    const experimentId = await newExperiment(database);
    const id = await newRun(database, experimentId, 'r');
    await database.write((tx) => deleteExperiment(stores(tx), experimentId, 'owner'));
    assert.equal((await runStore(database.read).find(id))?.lifecycle, 'deleted');
    await assert.rejects(newExperiment(database), { code: 'tracking/experiment-exists' });
    await assert.rejects(newRun(database, experimentId, 'r'), { code: 'tracking/not-active' });
    await database.write((tx) => restoreExperiment(stores(tx), experimentId, 'owner'));
    assert.equal((await runStore(database.read).find(id))?.lifecycle, 'active');
  });
});
