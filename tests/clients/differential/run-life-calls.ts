/** Runs that are deleted and come back, and models as clients before 3.0 log them. */
import { type Call, get, post } from './call.ts';

const R = 'RUN_A_';

const search = (label: string, query: Record<string, unknown>) =>
  post(label, '/runs/search', { experiment_ids: ['1'], ...query });

export const runLifeCalls: readonly Call[] = [
  post('delete a run', '/runs/delete', { run_id: 'RUN_E_' }),
  post('delete a run twice', '/runs/delete', { run_id: 'RUN_E_' }),
  post('log to a deleted run', '/runs/log-metric', { run_id: 'RUN_E_', key: 'm', value: 1, timestamp: 1 }),
  post('tag a deleted run', '/runs/set-tag', { run_id: 'RUN_E_', key: 'm', value: '1' }),
  post('update a deleted run', '/runs/update', { run_id: 'RUN_E_', status: 'FAILED' }),
  get('get a deleted run', '/runs/get', { run_id: 'RUN_E_' }),
  search('deleted runs', { run_view_type: 'DELETED_ONLY' }),
  search('all runs', { run_view_type: 'ALL' }),
  post('restore a run', '/runs/restore', { run_id: 'RUN_E_' }),
  post('delete an unknown run', '/runs/delete', { run_id: 'zz' }),
  post('log a legacy model', '/runs/log-model', {
    run_id: R,
    model_json: JSON.stringify({
      artifact_path: 'm',
      flavors: { sklearn: { config: 1, x: 2 } },
      utc_time_created: '2026',
      run_id: 'z',
      model_uuid: 'u',
    }),
  }),
  post('log a legacy model badly', '/runs/log-model', { run_id: R, model_json: '{' }),
  post('log half a legacy model', '/runs/log-model', {
    run_id: R,
    model_json: '{"artifact_path": "m", "flavors": {}, "run_id": "z"}',
  }),
];
