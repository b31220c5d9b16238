/** Artifacts: through the proxy and by run. */
import { api, ask, type Call } from './call.ts';

const R = 'RUN_A_';
const F = '/api/2.0/mlflow-artifacts/artifacts';
const base = `${F}/1/RUN_A_/artifacts`;

export const artifactCalls: readonly Call[] = [
  ask('put', 'PUT', `${base}/d/x.txt`, { data: 'hello' }),
  ask('put with a percent', 'PUT', `${base}/d/100%25.txt`, { data: 'hello' }),
  ask('list the root', 'GET', F, { params: { path: '1/RUN_A_/artifacts' } }),
  ask('list a folder', 'GET', F, { params: { path: '1/RUN_A_/artifacts/d' } }),
  ask('list nothing', 'GET', F, { params: { path: '1/RUN_A_/artifacts/none' } }),
  ask('list a file', 'GET', F, { params: { path: '1/RUN_A_/artifacts/d/x.txt' } }),
  ask('list above', 'GET', F, { params: { path: '../x' } }),
  ask('get', 'GET', `${base}/d/x.txt`),
  ask('get with a percent', 'GET', `${base}/d/100%25.txt`),
  ask('list of a run', 'GET', `${api}/artifacts/list`, { params: { run_id: R } }),
  ask("list of a run's folder", 'GET', `${api}/artifacts/list`, { params: { run_id: R, path: 'd' } }),
  ask('list above a run', 'GET', `${api}/artifacts/list`, { params: { run_id: R, path: '../x' } }),
  ask('get-artifact', 'GET', '/get-artifact', { params: { run_id: R, path: 'd/x.txt' } }),
  ask('get-artifact of a missing file', 'GET', '/get-artifact', { params: { run_id: R, path: 'd/none.txt' } }),
  ask('delete a file', 'DELETE', `${base}/d/x.txt`),
  ask('list after', 'GET', F, { params: { path: '1/RUN_A_/artifacts/d' } }),
  ask('multipart', 'POST', '/api/2.0/mlflow-artifacts/mpu/create/1/x', { body: { path: 'x', num_parts: 2 } }),
];
