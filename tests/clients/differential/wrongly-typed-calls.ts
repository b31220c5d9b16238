/** Fields of a type that they do not take, where MLflow drops them, takes them for something else or fails. */
import { api, ask, type Call, patch, post } from './call.ts';

const R = 'RUN_A_';
const M = '/logged-models/MODEL_1_';
const point = { run_id: R, key: 'typed', value: 1, timestamp: 1, step: 0 };
const run = { experiment_id: '0', start_time: 1, run_name: 'typed' };
const search = { experiment_ids: ['0'], max_results: 1 };

export const wronglyTypedCalls: readonly Call[] = [
  post('a run with a list as user', '/runs/create', { ...run, user_id: ['x'] }),
  post('a run with a text as tags', '/runs/create', { ...run, tags: 'x' }),
  post('a run with a text as tag', '/runs/create', { ...run, tags: ['x'] }),
  post('a point at a flag', '/runs/log-metric', { ...point, timestamp: true }),
  post('a point at half past', '/runs/log-metric', { ...point, timestamp: 2.5 }),
  post('a point at a list', '/runs/log-metric', { ...point, timestamp: [1] }),
  post('a point of an object', '/runs/log-metric', { ...point, value: { x: 1 } }),
  post('a batch with a text as param', '/runs/log-batch', { run_id: R, params: ['x'] }),
  post('a batch with null as params', '/runs/log-batch', { run_id: R, params: null }),
  post('search runs with a fraction as size', '/runs/search', { ...search, max_results: 0.5 }),
  post('search runs with a number as view', '/runs/search', { ...search, run_view_type: 7 }),
  post('search experiments with a fraction as size', '/experiments/search', { view_type: 'ALL', max_results: 2.5 }),
  post('search experiments with a list as view', '/experiments/search', { max_results: 2, view_type: ['ALL'] }),
  ask('search datasets of a text', 'POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', {
    body: { experiment_ids: 'x' },
  }),
  post('an experiment with a text as tag', '/experiments/create', { name: 'typed', tags: ['x'] }),
  post('an experiment with a tag twice', '/experiments/create', {
    name: 'twice',
    tags: [
      { key: 'k', value: '1' },
      { key: 'k', value: '2' },
    ],
  }),
  post('a run with a tag twice', '/runs/create', {
    ...run,
    tags: [
      { key: 'k', value: '1' },
      { key: 'k', value: '2' },
    ],
  }),
  post('change a param of a logged model', `${M}/params`, { model_id: 'MODEL_1_', params: [{ key: 'a', value: '9' }] }),
  patch('tag a logged model with a text', `${M}/tags`, { tags: ['x'] }),
  patch('finalize with a list as status', M, { model_id: 'MODEL_1_', status: ['x'] }),
  post('search logged models with a list as size', '/logged-models/search', {
    experiment_ids: ['1'],
    max_results: ['x'],
  }),
  ask('history with a text as size', 'GET', `${api}/metrics/get-history`, {
    params: { run_id: R, metric_key: 'none', max_results: 'x' },
  }),
  ask('bulk history with a text as size', 'GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', {
    params: { run_id: R, metric_key: 's', max_results: 'x' },
  }),
  ask('a list for a request', 'POST', `${api}/runs/search`, {
    data: '[1]',
    headers: { 'content-type': 'application/json' },
  }),
  ask('broken JSON twice over', 'POST', `${api}/runs/search`, {
    data: '"{"',
    headers: { 'content-type': 'application/json' },
  }),
];
