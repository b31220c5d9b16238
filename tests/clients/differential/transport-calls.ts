/** Requests that are odd as HTTP or JSON, and numbers that no field takes. */
import { api, ask, type Call, post } from './call.ts';

const R = 'RUN_A_';
const camel = { runId: R, key: 'camel', value: 'v' };

export const transportCalls: readonly Call[] = [
  ask('no content type', 'POST', `${api}/runs/search`, { data: '{}' }),
  ask('a form', 'POST', `${api}/runs/search`, { data: '{}', headers: { 'content-type': 'text/plain' } }),
  ask('broken JSON', 'POST', `${api}/runs/log-metric`, { data: '{', headers: { 'content-type': 'application/json' } }),
  ask('double JSON', 'POST', `${api}/runs/set-tag`, {
    data: JSON.stringify(JSON.stringify({ run_id: 'x', key: 'k', value: 'v' })),
    headers: { 'content-type': 'application/json; charset=utf-8' },
  }),
  ask('a list', 'POST', `${api}/runs/search`, { data: 'null', headers: { 'content-type': 'application/json' } }),
  ask('unknown route', 'GET', `${api}/bogus`),
  ask('wrong verb', 'DELETE', `${api}/runs/search`),
  ask('version', 'GET', '/version'),
  ask('health', 'GET', '/health'),
  post('in camelCase', '/runs/set-tag', camel),
  post('in two spellings', '/runs/set-tag', { ...camel, run_id: R }),
  post('create a run at half past', '/runs/create', { experiment_id: '1', start_time: 7.5 }),
  post('create a run without anything', '/runs/create', {}),
  ask('log a time too big', 'POST', `${api}/runs/log-metric`, {
    data: `{"run_id": "${R}", "key": "big", "value": 1, "timestamp": 9223372036854775808}`,
    headers: { 'content-type': 'application/json' },
  }),
];
