/** Logged models: what they are measured and tagged with, and searching them. */
import { ask, type Call, get, patch, post, remove } from './call.ts';

const R = 'RUN_A_';
const M = '/logged-models/MODEL_1_';
const F = `/ajax-api/2.0/mlflow${M}/artifacts/files`;

const lm = (label: string, query: Record<string, unknown> = {}) =>
  post(label, '/logged-models/search', { experiment_ids: ['1'], ...query });

export const loggedModelCalls: readonly Call[] = [
  post(
    'create a logged model',
    '/logged-models',
    {
      experiment_id: '1',
      name: 'lm',
      source_run_id: R,
      params: [{ key: 'a', value: '1' }],
      tags: [{ key: 't', value: 'v' }],
    },
    { keep: { MODEL_1_: 'model.info.model_id' } },
  ),
  post(
    'create another logged model',
    '/logged-models',
    { experiment_id: '1', model_type: 'x' },
    { keep: { MODEL_2_: 'model.info.model_id' } },
  ),
  post(
    'create a logged model elsewhere',
    '/logged-models',
    { experiment_id: '0', name: 'nan' },
    { keep: { MODEL_3_: 'model.info.model_id' } },
  ),
  post('a logged model with a bad name', '/logged-models', { experiment_id: '1', name: 'a/b' }),
  post('a logged model without experiment', '/logged-models', { name: 'a' }),
  get('get a logged model', M),
  get('get an unknown logged model', '/logged-models/m-nope'),
  patch('finalize', M, { model_id: 'MODEL_1_', status: 'LOGGED_MODEL_READY' }),
  patch('finalize without id', M, { status: 'LOGGED_MODEL_READY' }),
  patch('finalize with a number as id', M, { model_id: 5, status: 'LOGGED_MODEL_READY' }),
  patch('finalize without status', M, { model_id: 'MODEL_1_' }),
  post('a metric of a model', '/runs/log-metric', {
    run_id: R,
    key: 'acc',
    value: 0.9,
    timestamp: 5,
    model_id: 'MODEL_1_',
    dataset_name: 'ds',
    dataset_digest: 'dg',
  }),
  post('a metric of an unknown model', '/runs/log-metric', {
    ...{ run_id: R, key: 'acc', value: 1, timestamp: 5, model_id: 'm-none' },
  }),
  post('metrics of a model', '/runs/log-batch', {
    run_id: R,
    metrics: [{ key: 'acc', value: 0.95, timestamp: 6, step: 1, model_id: 'MODEL_1_' }],
  }),
  get('a model with metrics', M),
  post('a metric of a model that is not a number', '/runs/log-metric', {
    ...{ run_id: R, key: 'nan', value: 'NaN', timestamp: 5, model_id: 'MODEL_3_' },
  }),
  post('a metric of half a dataset', '/runs/log-metric', {
    ...{ run_id: R, key: 'half', value: 1, timestamp: 5, model_id: 'MODEL_1_', dataset_name: 'ds' },
  }),
  get('a model with a metric that is not a number', '/logged-models/MODEL_3_'),
  patch('finalize a model with a metric that is not a number', '/logged-models/MODEL_3_', {
    ...{ model_id: 'MODEL_3_', status: 'LOGGED_MODEL_READY' },
  }),
  lm('search logged models with a metric that is not a number', { experiment_ids: ['0'] }),
  lm('search logged models by a metric that is not a number', { experiment_ids: ['0'], filter: 'metrics.nan != 1' }),
  patch('tag a logged model', `${M}/tags`, {
    tags: [
      { key: 't', value: 'w' },
      { key: 't2', value: '' },
    ],
  }),
  remove('untag a logged model', `${M}/tags/t2`),
  remove('untag a logged model twice', `${M}/tags/t2`),
  post('more params', `${M}/params`, { model_id: 'MODEL_1_', params: [{ key: 'b', value: '2' }] }),
  get('a whole logged model', M),
  post('outputs', '/runs/outputs', { run_id: R, models: [{ model_id: 'MODEL_1_', step: 3 }] }),
  post('outputs of nothing', '/runs/outputs', { run_id: R }),
  post('outputs again', '/runs/outputs', { run_id: R, models: [{ model_id: 'MODEL_1_', step: 3 }] }),
  get('a run with outputs', '/runs/get', { run_id: R }),
  lm('search logged models'),
  lm('search logged models of one', { max_results: 1, filter: '' }),
  lm('search logged models of one in order', { max_results: 1, order_by: [{ field_name: 'metrics.acc' }] }),
  lm('search logged models by name', { filter: "name = 'lm'" }),
  lm('search logged models by metric', { filter: 'metrics.acc > 0.92' }),
  lm('search logged models by param', { filter: "params.a = '1' AND tags.t = 'w'" }),
  lm('search logged models by a text in double quotes', { filter: 'params.a = "1"' }),
  lm('search logged models by dataset', { datasets: [{ dataset_name: 'ds' }] }),
  lm('search logged models by no dataset', { datasets: [{}] }),
  lm('search logged models in order', { order_by: [{ field_name: 'metrics.acc', ascending: false }] }),
  lm('search logged models by age', { order_by: [{ field_name: 'creation_time', ascending: true }] }),
  lm('search logged models in bad order', { order_by: [{ field_name: 'foo' }] }),
  lm('search logged models in params', { order_by: [{ field_name: 'params.a' }] }),
  lm('search logged models with a bad operator', { filter: "metrics.acc LIKE 'x'" }),
  lm('search logged models with a bad prefix', { filter: 'metric.acc > 1' }),
  post('search logged models nowhere', '/logged-models/search', {}),
  ask('put a file of a model', 'PUT', '/api/2.0/mlflow-artifacts/artifacts/1/models/MODEL_1_/artifacts/d/f.txt', {
    data: 'hello',
  }),
  ask('get a file of a model', 'GET', F, { params: { artifact_file_path: 'd/f.txt' } }),
  ask('get a missing file of a model', 'GET', F, { params: { artifact_file_path: 'd/none.txt' } }),
  ask('get a file above a model', 'GET', F, { params: { artifact_file_path: '../f.txt' } }),
  ask('get no file of a model', 'GET', F),
  get('artifacts of a folder of a model', `${M}/artifacts/directories`, { artifact_directory_path: 'd' }),
  get('artifacts above a model', `${M}/artifacts/directories`, { artifact_directory_path: '../d' }),
  get('artifacts of a model', `${M}/artifacts/directories`),
  remove('delete a logged model', '/logged-models/MODEL_2_'),
  get('get a deleted logged model', '/logged-models/MODEL_2_'),
  patch('finalize a deleted logged model', '/logged-models/MODEL_2_', {
    ...{ model_id: 'MODEL_2_', status: 'LOGGED_MODEL_READY' },
  }),
  patch('tag a deleted logged model', '/logged-models/MODEL_2_/tags', { tags: [{ key: 't', value: 'v' }] }),
  remove('delete a logged model twice', '/logged-models/MODEL_2_'),
  get('get it all the same', '/logged-models/MODEL_2_', { allow_deleted: 'true' }),
  get('with a bad flag', '/runs/get', { run_id: R, x: 'y' }),
];
