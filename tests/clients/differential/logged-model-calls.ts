/** Logged models: what they are measured and tagged with, and searching them. */
import { type Call, get, patch, post, remove } from './call.ts';

const R = 'RUN_A_';
const M = '/logged-models/MODEL_1_';

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
  post('a logged model with a bad name', '/logged-models', { experiment_id: '1', name: 'a/b' }),
  post('a logged model without experiment', '/logged-models', { name: 'a' }),
  get('get a logged model', M),
  get('get an unknown logged model', '/logged-models/m-nope'),
  patch('finalize', M, { model_id: 'MODEL_1_', status: 'LOGGED_MODEL_READY' }),
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
  post('metrics of a model', '/runs/log-batch', {
    run_id: R,
    metrics: [{ key: 'acc', value: 0.95, timestamp: 6, step: 1, model_id: 'MODEL_1_' }],
  }),
  get('a model with metrics', M),
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
  get('a run with outputs', '/runs/get', { run_id: R }),
  lm('search logged models'),
  lm('search logged models by name', { filter: "name = 'lm'" }),
  lm('search logged models by metric', { filter: 'metrics.acc > 0.92' }),
  lm('search logged models by param', { filter: "params.a = '1' AND tags.t = 'w'" }),
  lm('search logged models by dataset', { datasets: [{ dataset_name: 'ds' }] }),
  lm('search logged models by no dataset', { datasets: [{}] }),
  lm('search logged models in order', { order_by: [{ field_name: 'metrics.acc', ascending: false }] }),
  lm('search logged models by age', { order_by: [{ field_name: 'creation_time', ascending: true }] }),
  lm('search logged models in bad order', { order_by: [{ field_name: 'foo' }] }),
  lm('search logged models in params', { order_by: [{ field_name: 'params.a' }] }),
  lm('search logged models with a bad operator', { filter: "metrics.acc LIKE 'x'" }),
  lm('search logged models with a bad prefix', { filter: 'metric.acc > 1' }),
  post('search logged models nowhere', '/logged-models/search', {}),
  get('artifacts of a model', `${M}/artifacts/directories`),
  remove('delete a logged model', '/logged-models/MODEL_2_'),
  get('get a deleted logged model', '/logged-models/MODEL_2_'),
  get('get it all the same', '/logged-models/MODEL_2_', { allow_deleted: 'true' }),
  get('with a bad flag', '/runs/get', { run_id: R, x: 'y' }),
];
