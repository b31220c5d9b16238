/** Runs: making and reading them. */
import { type Call, get, post } from './call.ts';

const createRun = (name: string, at: number) =>
  post(
    `create run ${name}`,
    '/runs/create',
    { experiment_id: '1', user_id: 'ada', run_name: name, start_time: at, tags: [{ key: 'x', value: name }] },
    { keep: { [`RUN_${name.toUpperCase()}_`]: 'run.info.run_id' } },
  );

export const runCalls: readonly Call[] = [
  ...['a', 'b', 'c', 'd', 'e'].map((name, index) => createRun(name, 10 * (index + 1))),
  post('create a run in an unknown experiment', '/runs/create', { experiment_id: '999' }),
  post('create a run with two names', '/runs/create', {
    experiment_id: '1',
    run_name: 'a',
    tags: [{ key: 'mlflow.runName', value: 'b' }],
  }),
  post(
    'create a run named by its tag',
    '/runs/create',
    { experiment_id: '0', start_time: '7', tags: [{ key: 'mlflow.runName', value: 'tagged' }] },
    { keep: { RUN_T_: 'run.info.run_id' } },
  ),
  get('get a run', '/runs/get', { run_id: 'RUN_A_' }),
  get('get a run by uuid', '/runs/get', { run_uuid: 'RUN_A_' }),
  get('get an unknown run', '/runs/get', { run_id: 'nope' }),
  get('get no run', '/runs/get'),
];
