/** Experiments: making, finding, tagging, renaming, deleting. */
import { type Call, get, post } from './call.ts';

/** As MLflow's page keeps them. */
const views = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `mlflow.customView.view.${index}`, value: '{}' }));

export const experimentCalls: readonly Call[] = [
  post('create an experiment', '/experiments/create', { name: 'q', tags: [{ key: 'a', value: '1' }] }),
  get('get an experiment', '/experiments/get', { experiment_id: '1' }),
  get('get by name', '/experiments/get-by-name', { experiment_name: 'q' }),
  get('get by an unknown name', '/experiments/get-by-name', { experiment_name: 'zz' }),
  get('get an unknown experiment', '/experiments/get', { experiment_id: '77' }),
  get('get an experiment by a word', '/experiments/get', { experiment_id: 'abc' }),
  get('get an experiment without id', '/experiments/get'),
  post('an experiment of a taken name', '/experiments/create', { name: 'q' }),
  post('an experiment without name', '/experiments/create', {}),
  post('an experiment with a number as name', '/experiments/create', { name: 5 }),
  post('an experiment with a bad tag list', '/experiments/create', { name: 'w', tags: 5 }),
  post('an experiment with a long name', '/experiments/create', { name: 'x'.repeat(501) }),
  post('an experiment with a long tag', '/experiments/create', {
    name: 'lt',
    tags: [{ key: 'k', value: 'v'.repeat(20001) }],
  }),
  post('an experiment with a bad tag key', '/experiments/create', { name: 'lt', tags: [{ key: 'k{}', value: 'v' }] }),
  post('an experiment at runs:/', '/experiments/create', { name: 'rr', artifact_location: 'runs:/abc' }),
  post('an experiment elsewhere', '/experiments/create', { name: 's3', artifact_location: 's3://bucket/path?x=1' }),
  post('an experiment of too many views', '/experiments/create', { name: 'views', tags: views(51) }),
  post(
    'an experiment of views',
    '/experiments/create',
    { name: 'views', tags: views(50) },
    { keep: { EXPERIMENT_V_: 'experiment_id' } },
  ),
  post('one view more', '/experiments/set-experiment-tag', {
    ...{ experiment_id: 'EXPERIMENT_V_', key: 'mlflow.customView.view.50', value: '{}' },
  }),
  post('another view in place of one', '/experiments/set-experiment-tag', {
    ...{ experiment_id: 'EXPERIMENT_V_', key: 'mlflow.customView.view.49', value: '{"a": 1}' },
  }),
  post('search experiments without size', '/experiments/search', {}),
  post('search experiments', '/experiments/search', { max_results: 10 }),
  post('search experiments of one', '/experiments/search', { max_results: 1 }),
  post('search experiments by name', '/experiments/search', { max_results: 10, filter: "name LIKE 'q%'" }),
  post('search experiments by case', '/experiments/search', { max_results: 10, filter: "name LIKE 'Q%'" }),
  post('search experiments without case', '/experiments/search', { max_results: 10, filter: "name ILIKE 'Q%'" }),
  post('search experiments by tag', '/experiments/search', { max_results: 10, filter: "tags.a = '1'" }),
  post('search experiments by bad key', '/experiments/search', { max_results: 10, filter: "foo = '1'" }),
  post('search experiments by a word', '/experiments/search', { max_results: 10, filter: 'x' }),
  post('search experiments by id', '/experiments/search', {
    max_results: 10,
    filter: "experiment_id IN ('0','1')",
    order_by: ['experiment_id'],
  }),
  post('search experiments in order', '/experiments/search', { max_results: 10, order_by: ['name DESC'] }),
  post('search experiments in bad order', '/experiments/search', { max_results: 10, order_by: ['bogus'] }),
  post('search too many experiments', '/experiments/search', { max_results: 50001 }),
  get('search experiments by GET', '/experiments/search', { max_results: 10, view_type: 'ALL' }),
  post('tag an experiment', '/experiments/set-experiment-tag', { experiment_id: '1', key: 'b', value: '' }),
  post('tag an experiment without key', '/experiments/set-experiment-tag', { experiment_id: '1', value: '' }),
  post('untag an experiment', '/experiments/delete-experiment-tag', { experiment_id: '1', key: 'b' }),
  post('untag an experiment twice', '/experiments/delete-experiment-tag', { experiment_id: '1', key: 'b' }),
  post('rename an experiment', '/experiments/update', { experiment_id: '1', new_name: 'q2' }),
  post('rename an experiment to a taken name', '/experiments/update', { experiment_id: '1', new_name: 'Default' }),
  post('rename an experiment to nothing', '/experiments/update', { experiment_id: '1' }),
  post('delete an experiment', '/experiments/delete', { experiment_id: '2' }),
  post('delete an experiment twice', '/experiments/delete', { experiment_id: '2' }),
  post('rename a deleted experiment', '/experiments/update', { experiment_id: '2', new_name: 'q9' }),
  post('tag a deleted experiment', '/experiments/set-experiment-tag', { experiment_id: '2', key: 'b', value: '' }),
  post('run in a deleted experiment', '/runs/create', { experiment_id: '2' }),
  post('restore an experiment', '/experiments/restore', { experiment_id: '2' }),
  post('restore an experiment twice', '/experiments/restore', { experiment_id: '2' }),
];
