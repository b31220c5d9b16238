/** The routes of MLflow's own server, as it tells them itself, without the groups that are left out here. */
import { spawnSync } from 'node:child_process';
import { groupOf } from '../../../src/mlflow/left-out.ts';
import type { Call } from './call.ts';

export type Endpoint = {
  /** `POST /api/2.0/mlflow/runs/create` */
  readonly name: string;
  readonly matches: (call: Call) => boolean;
};

const program = `
import json
from mlflow.server.handlers import get_endpoints
print(json.dumps(sorted({(method, path) for path, _, methods in get_endpoints() for method in methods})))
`;

/** @param python that has mlflow */
export function mlflowEndpoints(python: string): readonly Endpoint[] {
  const { stdout, stderr } = spawnSync(python, ['-c', program], { encoding: 'utf8' });
  if (stdout === '') throw new Error(`MLflow does not tell its routes: ${stderr}`);
  const all: readonly (readonly [string, string])[] = JSON.parse(stdout); // our own program wrote it
  // The page's prefix leads to the same handlers. One route of the clients' prefix lacks a slash, and no client asks it.
  const ours = all.filter(([, path]) => /^\/api\/[23]\.0\//.test(path) && groupOf(path) === undefined);
  return ours.map(([method, path]) => {
    const pattern = new RegExp(`^${path.replace(/<path:\w+>/g, '.+').replace(/<\w+>/g, '[^/]+')}$`);
    return {
      name: `${method} ${path}`,
      matches: (call) => call.method === method && pattern.test(call.path.replace(/\?.*/, '')),
    };
  });
}
