/** Runs a Python program of steps against a server, in the environment of an unmodified client. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** @returns what it said  @throws AssertionError with that, when a step failed */
export async function runSteps(
  python: string,
  program: string,
  {
    url,
    home,
    env = {},
  }: { readonly url: string; readonly home: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const child = spawn(python, [join(import.meta.dirname, program)], {
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      PYTHONDONTWRITEBYTECODE: '1',
      MLFLOW_TRACKING_URI: url,
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      ...env,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, output);
  assert.match(output, /^all steps passed$/m);
  return output;
}
