/** What else a run keeps: params, tags, datasets, and the limits of a batch. */
import { ask, type Call, get, post } from './call.ts';

const R = 'RUN_A_';
export const runDataCalls: readonly Call[] = [
  post('log a param', '/runs/log-parameter', { run_id: R, key: 'p', value: 'A' }),
  post('log a param again', '/runs/log-parameter', { run_id: R, key: 'p', value: 'A' }),
  post('log another value', '/runs/log-parameter', { run_id: R, key: 'p', value: 'B' }),
  post('log another value in a batch', '/runs/log-batch', {
    run_id: R,
    params: [
      { key: 'p', value: "it's" },
      { key: 'n', value: '1' },
    ],
  }),
  post('log a param twice in a batch', '/runs/log-batch', {
    run_id: R,
    params: [
      { key: 'd', value: '1' },
      { key: 'd', value: '1' },
    ],
  }),
  post('log an empty param', '/runs/log-parameter', { run_id: R, key: 'empty' }),
  post('log a long param', '/runs/log-parameter', { run_id: R, key: 'long', value: 'x'.repeat(6001) }),
  post('log a long tag', '/runs/set-tag', { run_id: R, key: 'long', value: 'x'.repeat(8001) }),
  ...Object.entries({ B: 'B', C: 'xyz', D: 'D', E: 'E' }).flatMap(([key, value]) => [
    post(`log param ${value}`, '/runs/log-parameter', { run_id: `RUN_${key}_`, key: 'p', value: value }),
  ]),
  post('log 1001 metrics', '/runs/log-batch', {
    run_id: R,
    metrics: Array.from({ length: 1001 }, (_, i) => ({ key: `k${i}`, value: 1, timestamp: 1 })),
  }),
  post('log 101 params', '/runs/log-batch', {
    run_id: R,
    params: Array.from({ length: 101 }, (_, i) => ({ key: `k${i}`, value: '1' })),
  }),
  post('log 101 tags', '/runs/log-batch', {
    run_id: R,
    tags: Array.from({ length: 101 }, (_, i) => ({ key: `k${i}`, value: '1' })),
  }),
  post('log 1001 things', '/runs/log-batch', {
    run_id: R,
    metrics: Array.from({ length: 1000 }, (_, i) => ({ key: `k${i}`, value: 1, timestamp: 1 })),
    tags: [{ key: 'z', value: '1' }],
  }),
  post('a metric without key', '/runs/log-batch', { run_id: R, metrics: [{ value: 1, timestamp: 1 }] }),
  post('a metric without time', '/runs/log-batch', {
    run_id: R,
    metrics: [
      { key: 'a', value: 1, timestamp: 1 },
      { key: 'a', value: 1 },
    ],
  }),
  post('a param without key', '/runs/log-batch', { run_id: R, params: [{ value: '1' }] }),
  post('a bad key in a batch', '/runs/log-batch', { run_id: R, metrics: [{ key: 'a{', value: 1, timestamp: 1 }] }),
  post('a negative time in a batch', '/runs/log-batch', {
    run_id: R,
    metrics: [{ key: 'a', value: 1, timestamp: -7 }],
  }),
  post('a batch for a bad run id', '/runs/log-batch', { run_id: 'a b' }),
  post('a string where a list belongs', '/runs/log-batch', { run_id: R, metrics: 'x' }),
  post('an empty batch', '/runs/log-batch', { run_id: R }),
  post('set a tag', '/runs/set-tag', { run_id: R, key: 'tag', value: '1' }),
  post('set an empty tag', '/runs/set-tag', { run_id: R, key: 'tag0' }),
  post('delete a tag', '/runs/delete-tag', { run_id: R, key: 'tag' }),
  post('delete a tag twice', '/runs/delete-tag', { run_id: R, key: 'tag' }),
  post('rename by tag', '/runs/set-tag', { run_id: 'RUN_T_', key: 'mlflow.runName', value: 'renamed' }),
  get('renamed by tag', '/runs/get', { run_id: 'RUN_T_' }),
  post('update a run', '/runs/update', { run_id: 'RUN_T_', status: 'FINISHED', end_time: 99, run_name: 'again' }),
  get('updated run', '/runs/get', { run_id: 'RUN_T_' }),
  post('update with a bogus status', '/runs/update', { run_id: 'RUN_T_', status: 'BOGUS' }),
  post('update with a number', '/runs/update', { run_id: 'RUN_T_', status: 4 }),
  post('update nothing at all', '/runs/update', { run_id: 'RUN_T_' }),
  post('log inputs', '/runs/log-inputs', {
    run_id: R,
    datasets: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'train' }],
        dataset: { name: 'ds', digest: 'd1', source_type: 'local', source: 's', schema: 'sc' },
      },
      { dataset: { name: 'ds', digest: 'd1', source_type: 'x', source: 'y' } },
      { dataset: { name: 'ds2', digest: 'd2', source_type: 'local', source: 's' } },
    ],
  }),
  post('log inputs again', '/runs/log-inputs', {
    run_id: R,
    datasets: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'eval' }],
        dataset: { name: 'ds', digest: 'd1', source_type: 'local', source: 's' },
      },
    ],
  }),
  post('log a dataset with a long name', '/runs/log-inputs', {
    run_id: R,
    datasets: [{ dataset: { name: 'x'.repeat(501), digest: 'd1', source_type: 'local', source: 's' } }],
  }),
  get('a run with inputs', '/runs/get', { run_id: R }),
  ask('search datasets', 'POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', {
    body: { experiment_ids: ['1'] },
  }),
  ask('search datasets of nothing', 'POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', { body: {} }),
];
