/**
 * A random sequence: few names and values, so that calls meet what earlier calls left. It comes after the fixed list and works in
 * an experiment of its own.
 */
import { type Call, get, patch, post, remove } from './call.ts';
import type { Random } from './random.ts';

export function randomCalls(random: Random, count: number): readonly Call[] {
  const runs = { made: 0 };
  return [
    post(
      'create the random experiment',
      '/experiments/create',
      { name: 'random' },
      { keep: { EXPERIMENT_R_: 'experiment_id' } },
    ),
    createRun(random, runs),
    ...models.map((name) => post(`create the random model ${name}`, '/registered-models/create', { name })),
    ...Array.from({ length: count }, () => random.pick(kinds)(random, runs)),
  ];
}

type Runs = { made: number };
type Kind = (random: Random, runs: Runs) => Call;

const experiment = 'EXPERIMENT_R_';
const models = ['random-1', 'random-2'];
const keys = ['a', 'b/c', 'loss'];
const texts = ['1', 'A', 'a b', "it's", '50%', 'ä', ''];
const numbers = [0, -0.5, 1, 2.5, 1e-300, 1e300, 123456789.125, 'NaN', 'Infinity', '-Infinity'];
const versions = ['1', '2', '3', '4', '99'];

const runOf = (random: Random, { made }: Runs): string => `RUN_X${1 + random.below(made)}_`;
const point = (random: Random) => ({
  key: random.pick(keys),
  value: random.pick(numbers),
  timestamp: random.below(5),
  step: random.below(6) - 2,
});
const pair = (random: Random) => ({ key: random.pick(keys), value: random.pick(texts) });
const some = <T>(random: Random, most: number, make: () => T): T[] =>
  Array.from({ length: random.below(most + 1) }, make);

const createRun: Kind = (random, runs) => {
  runs.made += 1;
  return post(
    'create a random run',
    '/runs/create',
    // Each starts at another time: ids decide between equals, and they are the server's own.
    {
      experiment_id: experiment,
      start_time: 1000 * runs.made,
      run_name: `run ${random.below(4)}`,
      tags: [pair(random)],
    },
    { keep: { [`RUN_X${runs.made}_`]: 'run.info.run_id' } },
  );
};

const logMetric: Kind = (random, runs) =>
  post('log a random metric', '/runs/log-metric', { run_id: runOf(random, runs), ...point(random) });

const logBatch: Kind = (random, runs) =>
  post('log a random batch', '/runs/log-batch', {
    run_id: runOf(random, runs),
    metrics: some(random, 12, () => point(random)),
    params: some(random, 1, () => pair(random)),
    tags: some(random, 2, () => pair(random)),
  });

const logParam: Kind = (random, runs) =>
  post('log a random param', '/runs/log-parameter', { run_id: runOf(random, runs), ...pair(random) });

const setTag: Kind = (random, runs) =>
  post('set a random tag', '/runs/set-tag', { run_id: runOf(random, runs), ...pair(random) });

const deleteTag: Kind = (random, runs) =>
  post('delete a random tag', '/runs/delete-tag', { run_id: runOf(random, runs), key: random.pick(keys) });

const updateRun: Kind = (random, runs) =>
  post('update a random run', '/runs/update', {
    run_id: runOf(random, runs),
    status: random.pick(['RUNNING', 'FINISHED', 'FAILED', 'KILLED', 'SCHEDULED']),
    end_time: random.below(100_000),
    ...(random.below(3) === 0 ? { run_name: `run ${random.below(4)}` } : {}),
  });

const deleteRun: Kind = (random, runs) => post('delete a random run', '/runs/delete', { run_id: runOf(random, runs) });
const restoreRun: Kind = (random, runs) =>
  post('restore a random run', '/runs/restore', { run_id: runOf(random, runs) });
const getRun: Kind = (random, runs) => get('get a random run', '/runs/get', { run_id: runOf(random, runs) });

const history: Kind = (random, runs) =>
  get('get a random history', '/metrics/get-history', {
    run_id: runOf(random, runs),
    metric_key: random.pick(keys),
    ...(random.below(2) === 0 ? { max_results: 1 + random.below(6) } : {}),
  });

const sample: Kind = (random, runs) => {
  const from = random.below(6) - 2;
  return get('get a random sample', '/metrics/get-history-bulk-interval', {
    run_ids: [runOf(random, runs)],
    metric_key: random.pick(keys),
    max_results: 1 + random.below(12),
    ...(random.below(2) === 0 ? { start_step: from, end_step: from + random.below(4) } : {}),
  });
};

const quoted = (text: string): string => (text.includes("'") ? `"${text}"` : `'${text}'`);
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

const createVersion: Kind = (random) =>
  post('create a random version', '/model-versions/create', {
    name: random.pick(models),
    source: `s3://bucket/${random.pick(keys)}`,
    tags: some(random, 2, () => pair(random)),
  });

const setAlias: Kind = (random) =>
  post('set a random alias', '/registered-models/alias', {
    name: random.pick(models),
    alias: random.pick(['one', 'two']),
    version: random.pick(versions),
  });

const deleteAlias: Kind = (random) =>
  remove('delete a random alias', '/registered-models/alias', {
    name: random.pick(models),
    alias: random.pick(['one', 'two']),
  });

const byAlias: Kind = (random) =>
  get('get by a random alias', '/registered-models/alias', {
    name: random.pick(models),
    alias: random.pick(['one', 'two']),
  });

const getModel: Kind = (random) => get('get a random model', '/registered-models/get', { name: random.pick(models) });

const describeVersion: Kind = (random) =>
  patch('describe a random version', '/model-versions/update', {
    name: random.pick(models),
    version: random.pick(versions),
    description: random.pick(texts),
  });

const deleteVersion: Kind = (random) =>
  remove('delete a random version', '/model-versions/delete', {
    name: random.pick(models),
    version: random.pick(versions),
  });

const searchVersions: Kind = (random) =>
  get('search versions of a random model', '/model-versions/search', {
    filter: `name = '${random.pick(models)}'`,
    max_results: 1 + random.below(5),
    order_by: ['version_number DESC'],
  });

/** Some stand twice because they are what clients do most. */
const kinds: readonly Kind[] = [
  ...[createRun, logMetric, logMetric, logBatch, logBatch, logBatch, logParam, setTag, deleteTag, updateRun],
  ...[
    deleteRun,
    restoreRun,
    restoreRun,
    restoreRun,
    getRun,
    getRun,
    history,
    history,
    sample,
    sample,
    searchRuns,
    searchRuns,
    searchRuns,
    searchRuns,
  ],
  ...[
    createVersion,
    createVersion,
    setAlias,
    deleteAlias,
    byAlias,
    getModel,
    describeVersion,
    deleteVersion,
    searchVersions,
  ],
];
