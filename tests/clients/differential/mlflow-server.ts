/** MLflow's own server, as `mlflow server` starts it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export type MlflowServer = AsyncDisposable & {
  readonly url: string;
  /** Of the first process; it and its children are one process group. */
  readonly pid: number;
};

type Options = {
  /** Of the Python that has mlflow. */
  readonly python: string;
  readonly folder: string;
  /** As many as it likes without. */
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
};

/** Returns when it is ready. When it is closed, none of its processes is left. */
export async function startMlflowServer({ python, folder, workers, env = {} }: Options): Promise<MlflowServer> {
  const port = await freePort();
  const child = spawn(
    join(python, '..', 'mlflow'),
    [
      ...['server', '--host', '127.0.0.1', '--port', String(port)],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--artifacts-destination', join(folder, 'artifacts')],
      ...(workers === undefined ? [] : ['--workers', String(workers)]),
    ],
    {
      cwd: folder,
      env: {
        PATH: `${join(python, '..')}:${process.env['PATH']}`,
        HOME: folder,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, to end the workers with it
    },
  );
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => (output = (output + part).slice(-10_000)));
  const pid = child.pid;
  assert.ok(pid, 'mlflow did not start');
  const url = `http://127.0.0.1:${port}`;
  const end = async () => {
    endGroup(pid, 'SIGTERM');
    for (let tries = 0; tries < 100 && endGroup(pid, 0); tries++) await wait(50);
    endGroup(pid, 'SIGKILL');
    await exited;
    for (let tries = 0; endGroup(pid, 0); tries++) {
      assert.ok(tries < 100, 'processes of mlflow are left');
      await wait(50);
    }
  };
  try {
    await isReady(url, AbortSignal.timeout(120_000), () => child.exitCode !== null);
  } catch (error) {
    await end();
    throw new Error(`mlflow did not get ready:\n${output}`, { cause: error });
  }
  return { url, pid, [Symbol.asyncDispose]: end };
}

/** @returns whether there was a process of the group */
function endGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // ESRCH: nobody is left
  }
}

async function isReady(url: string, signal: AbortSignal, isOver: () => boolean): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (isOver()) throw new Error('it ended');
    const answer = await fetch(`${url}/health`, { signal }).catch(() => undefined);
    if (answer?.ok) return;
    await wait(100, undefined, { signal });
  }
}

/** Free now; mlflow takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(typeof address === 'object' && address);
  return address.port;
}
