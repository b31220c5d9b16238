/** Random calls about runs, their metrics, and searching them. */
import { ask, type Call, get, post } from './call.ts';
import type { Random } from './random.ts';
import {
  experiment,
  type Kind,
  keys,
  numbers,
  oneIn,
  pair,
  pairs,
  quoted,
  runOf,
  some,
  texts,
} from './random-world.ts';

const point = (random: Random) => ({
  key: random.pick(keys),
  value: random.pick(numbers),
  timestamp: random.below(5),
  step: random.below(6) - 2,
});

export const createRun: Kind = (random, made) => {
  made.runs += 1;
  return post(
    'create a random run',
    '/runs/create',
    // Each starts at another time: ids decide between equals, and they are the server's own.
    {
      experiment_id: experiment,
      start_time: 1000 * made.runs,
      run_name: `run ${random.below(4)}`,
      user_id: random.pick(['ada', 'bob']),
      tags: [pair(random)],
    },
    { keep: { [`RUN_X${made.runs}_`]: 'run.info.run_id' } },
  );
};

const logMetric: Kind = (random, made) =>
  post('log a random metric', '/runs/log-metric', { run_id: runOf(random, made), ...point(random) });

const logBatch: Kind = (random, made) =>
  post('log a random batch', '/runs/log-batch', {
    run_id: runOf(random, made),
    metrics: some(random, 12, () => point(random)),
    params: pairs(random, 1),
    tags: pairs(random, 2),
  });

const logParam: Kind = (random, made) =>
  post('log a random param', '/runs/log-parameter', { run_id: runOf(random, made), ...pair(random) });

const setTag: Kind = (random, made) =>
  post('set a random tag', '/runs/set-tag', { run_id: runOf(random, made), ...pair(random) });

const deleteTag: Kind = (random, made) =>
  post('delete a random tag', '/runs/delete-tag', { run_id: runOf(random, made), key: random.pick(keys) });

const updateRun: Kind = (random, made) =>
  post('update a random run', '/runs/update', {
    run_id: runOf(random, made),
    status: random.pick(['RUNNING', 'FINISHED', 'FAILED', 'KILLED', 'SCHEDULED']),
    end_time: random.below(100_000),
    ...(oneIn(random, 3) ? { run_name: `run ${random.below(4)}` } : {}),
  });

const deleteRun: Kind = (random, made) => post('delete a random run', '/runs/delete', { run_id: runOf(random, made) });
const restoreRun: Kind = (random, made) =>
  post('restore a random run', '/runs/restore', { run_id: runOf(random, made) });
const getRun: Kind = (random, made) => get('get a random run', '/runs/get', { run_id: runOf(random, made) });

const logInputs: Kind = (random, made) =>
  post('log random inputs', '/runs/log-inputs', {
    run_id: runOf(random, made),
    datasets: some(random, 2, () => ({
      tags: [{ key: 'mlflow.data.context', value: random.pick(['train', 'eval']) }],
      dataset: { name: random.pick(['d', 'e']), digest: random.pick(['1', '2']), source_type: 'local', source: 's' },
    })),
  });

const logLegacyModel: Kind = (random, made) =>
  post('log a random legacy model', '/runs/log-model', {
    run_id: runOf(random, made),
    model_json: JSON.stringify({
      ...{ artifact_path: random.pick(keys), flavors: { sklearn: {} }, utc_time_created: '2026' },
      ...(oneIn(random, 3) ? {} : { run_id: 'z' }),
    }),
  });

const history: Kind = (random, made) =>
  get('get a random history', '/metrics/get-history', {
    run_id: runOf(random, made),
    metric_key: random.pick(keys),
    ...(oneIn(random, 2) ? { max_results: 1 + random.below(6) } : {}),
  });

const bulkHistory: Kind = (random, made) =>
  ask('get a random bulk history', 'GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', {
    params: {
      run_id: [runOf(random, made)], // of two, the ids decide which comes first
      metric_key: random.pick(keys),
      ...(oneIn(random, 2) ? { max_results: 1 + random.below(20) } : {}),
    },
  });

const sample: Kind = (random, made) => {
  const from = random.below(6) - 2;
  return get('get a random sample', '/metrics/get-history-bulk-interval', {
    run_ids: [runOf(random, made), ...(oneIn(random, 2) ? [runOf(random, made)] : [])],
    metric_key: random.pick(keys),
    max_results: 1 + random.below(12),
    ...(oneIn(random, 2) ? { start_step: from, end_step: from + random.below(4) } : {}),
  });
};

const clause = (random: Random): string =>
  random.pick([
    () =>
      `metrics.\`${random.pick(keys)}\` ${random.pick(['=', '!=', '<', '<=', '>', '>='])} ${random.pick([0, 1, -0.5, 2.5])}`,
    () => `params.\`${random.pick(keys)}\` ${random.pick(['=', '!=', 'LIKE', 'ILIKE'])} ${quoted(random.pick(texts))}`,
    () => `tags.\`${random.pick(keys)}\` ${random.pick(['=', '!=', 'LIKE', 'ILIKE'])} ${quoted(random.pick(texts))}`,
    () => `params.\`${random.pick(keys)}\` IS ${random.pick(['NULL', 'NOT NULL'])}`,
    () => `attributes.status ${random.pick(['=', '!='])} '${random.pick(['RUNNING', 'FINISHED'])}'`,
    () => `start_time ${random.pick(['<', '>='])} ${1000 * random.below(9)}`,
    () => `run_name ${random.pick(['=', 'LIKE'])} '${random.pick(['run 1', 'run%', 'RUN%'])}'`,
    () => `dataset.${random.pick(['name', 'digest', 'context'])} = '${random.pick(['d', '1', 'train'])}'`,
  ])();

const searchRuns: Kind = (random) =>
  post('search random runs', '/runs/search', {
    experiment_ids: [experiment],
    filter: some(random, 2, () => clause(random)).join(' AND '),
    run_view_type: random.pick(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']),
    max_results: 1 + random.below(8),
    order_by: random.pick([
      [],
      [`metrics.\`${random.pick(keys)}\` ${random.pick(['ASC', 'DESC'])}`],
      [`params.\`${random.pick(keys)}\` ${random.pick(['ASC', 'DESC'])}`, 'start_time DESC'],
      [`tags.\`${random.pick(keys)}\``, `metrics.loss DESC`],
      ['status', 'end_time DESC'],
    ]),
  });

const searchDatasets: Kind = (): Call =>
  ask('search random datasets', 'POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', {
    body: { experiment_ids: [experiment] },
  });

/** Some stand twice because they are what clients do most. */
export const runKinds: readonly Kind[] = [
  ...[createRun, createRun, logMetric, logMetric, logBatch, logBatch, logBatch, logParam, setTag, deleteTag, updateRun],
  ...[deleteRun, restoreRun, restoreRun, restoreRun, getRun, getRun, logInputs, logLegacyModel, searchDatasets],
  ...[history, history, bulkHistory, sample, sample, searchRuns, searchRuns, searchRuns, searchRuns],
];
