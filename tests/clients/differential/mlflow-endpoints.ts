/** The routes of MLflow's own server, as it tells them itself. */
import { spawnSync } from 'node:child_process';
import { groupOf } from '../../../src/mlflow/left-out.ts';
import type { Call } from './call.ts';

export type Endpoint = {
  readonly method: string;
  /** `/api/2.0/mlflow/logged-models/<model_id>` */
  readonly path: string;
  readonly name: string;
  readonly matches: (call: Call) => boolean;
};

export type Endpoints = {
  readonly here: readonly Endpoint[];
  /** Those of the groups that Rondo has not. */
  readonly leftOut: readonly Endpoint[];
};

const program = `
import json
from mlflow.server import app
print(json.dumps(sorted({(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}})))
`;

/** MLflow's own page, and one route whose address lacks a slash: no client asks it. */
const ofThePage = /^\/(?:$|build\/|static-files\/|(?:ajax-)?api\/2\.0mlflow\/)/;

/** @param python that has mlflow */
export function mlflowEndpoints(python: string): Endpoints {
  told ??= tellRoutes(python);
  const all: readonly (readonly [string, string])[] = JSON.parse(told); // our own program wrote it
  const forClients = new Set(all.map(([method, path]) => `${method} ${path}`));
  const isTwin = (method: string, path: string) =>
    path.startsWith('/ajax-api/') && forClients.has(`${method} ${path.replace('/ajax-api/', '/api/')}`);
  const asked = all.filter(([method, path]) => !isTwin(method, path) && !ofThePage.test(path));
  const endpoints = asked.map(([method, path]): Endpoint => {
    const pattern = new RegExp(`^${path.replace(/<path:\w+>/g, '.+').replace(/<\w+>/g, '[^/]+')}$`);
    const matches = (call: Call) => call.method === method && pattern.test(call.path.replace(/\?.*/, ''));
    return { method, path, name: `${method} ${path}`, matches };
  });
  const { here = [], leftOut = [] } = Object.groupBy(endpoints, ({ path }) =>
    groupOf(path) === undefined ? 'here' : 'leftOut',
  );
  return { here, leftOut };
}

/** Asked once: to import its server takes seconds. */
let told: string | undefined;

function tellRoutes(python: string): string {
  const { stdout, stderr } = spawnSync(python, ['-c', program], { encoding: 'utf8' });
  if (stdout === '') throw new Error(`MLflow does not tell its routes: ${stderr}`);
  return stdout;
}
