/** The server as users start it: a process with a folder, reached over HTTP and ended by signals. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { checkPublished } from './published-answers.ts';

const fromClone = [process.execPath, join(import.meta.dirname, '..', '..', 'bin', 'rondo.mjs')];

export type Place = {
  readonly dataFolder: string;
  /** Any free one without. */
  readonly port?: string;
  /** Words before `up`; the clone's program without them. */
  readonly program?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type Spawned = AsyncDisposable & {
  readonly url: string;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly stderr: () => string;
  /** @returns the status, and the body: as JSON where it is some, else as text */
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }>;
  /** Like `call`, and fails the test on any other status than 2xx. */
  must<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
};

/** Returns when it says that it is ready; whatever the test does afterwards, the process ends with it. */
export async function spawnServer({
  dataFolder,
  port = '0',
  program = fromClone,
  cwd,
  env = {},
}: Place): Promise<Spawned> {
  const [command = '', ...words] = program;
  const child = spawn(command, [...words, 'up', '--port', port, '--json', '--data', dataFolder], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: dataFolder, RONDO_LOG: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (part) => (stderr += part));
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    exited.then(([code]) => Promise.reject(new Error(`it ended with ${code}: ${stderr}`))),
  ]);
  const { url, pid }: { url: string; pid: number } = JSON.parse(line);

  const call = async <T>(method: string, path: string, body?: unknown) => {
    const raw = body instanceof Uint8Array;
    const answer = await fetch(new URL(path, url), {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': raw ? 'application/octet-stream' : 'application/json' },
        body: raw ? new Blob([body as Uint8Array<ArrayBuffer>]) : JSON.stringify(body),
      }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true && text !== '';
    const parsed: unknown = isJson ? JSON.parse(text) : text;
    if (isJson && program === fromClone)
      await checkPublished(url, { method, path, status: answer.status, body: parsed });
    return { status: answer.status, body: parsed as T }; // the tests assert what they use
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(pid, signal); // the server itself, where `npx` or a launcher stands before it
      await exited;
    }
    return child.exitCode;
  };
  return {
    url,
    pid,
    process: child,
    stderr: () => stderr,
    call,
    must: async <T>(method: string, path: string, body?: unknown) => {
      const answer = await call<T>(method, path, body);
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

/** Registers files as MLflow clients do: a run, its artifacts, a version from them. @returns the version's number */
export async function registerModel(
  server: Spawned,
  { name, files }: { readonly name: string; readonly files: Readonly<Record<string, Uint8Array | string>> },
): Promise<number> {
  type Created = { run: { info: { run_id: string; artifact_uri: string } } };
  const { run } = await server.must<Created>('POST', '/api/2.0/mlflow/runs/create', { experiment_id: '0' });
  const { run_id: runId, artifact_uri: uri } = run.info;
  const root = uri.replace(/^mlflow-artifacts:\/+/, '');
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    await server.must('PUT', `/api/2.0/mlflow-artifacts/artifacts/${root}/model/${path}`, bytes);
  }
  const known = await server.call<{ error_code?: string }>('POST', '/api/2.0/mlflow/registered-models/create', {
    name,
  });
  assert.ok(known.status === 200 || known.body.error_code === 'RESOURCE_ALREADY_EXISTS', JSON.stringify(known.body));
  const answer = await server.must<{ model_version: { version: string } }>(
    'POST',
    '/api/2.0/mlflow/model-versions/create',
    { name, source: `runs:/${runId}/model`, run_id: runId },
  );
  return Number(answer.model_version.version);
}

/** A project without a pipeline: a model that comes from elsewhere, and an endpoint for it. @param more further lines of rondo.yaml */
export async function linkProject(
  server: Spawned,
  { folder, more = '' }: { readonly folder: string; readonly more?: string },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = `project: lines\nmodel:\n  name: line\n  task: regression\n  target: z\nendpoint:\n  name: line\n${more}`;
  await writeFile(join(folder, 'rondo.yaml'), text);
  await server.must('PUT', '/api/v1/projects/lines', { folder });
}

export type RolloutView = {
  readonly id: string;
  readonly state: string;
  readonly says: string;
  readonly share: number;
};

/** Ships without waiting for the end. @returns the rollout as soon as it has begun */
export async function ship(server: Spawned, version: number, project = 'lines'): Promise<RolloutView> {
  const { operation } = await server.must<{ operation: string }>('POST', `/api/v1/projects/${project}/ship`, {
    version,
  });
  const ended = await server.must<{ state: string }>('GET', `/api/v1/operations/${operation}?wait=30`);
  assert.equal(ended.state, 'done', JSON.stringify(ended));
  const [rollout] = await rollouts(server);
  assert.ok(rollout);
  return rollout;
}

/** Newest first. */
export const rollouts = async (server: Spawned): Promise<readonly RolloutView[]> =>
  (await server.must<{ items: RolloutView[] }>('GET', '/api/v1/rollouts')).items;

/** Asks until the answer is the wished one. */
/** More than half a minute is for Python programs: on a busy machine they take that long to read their packages. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  { seconds }: { readonly seconds: number } = { seconds: 30 },
): Promise<T> {
  for (let tries = 0; tries < 20 * seconds; tries++) {
    const found = await look();
    if (found) return found;
    await wait(50);
  }
  throw new Error(`waited in vain: ${what}`);
}

export type Inferred = { id: string; model_version: string; outputs: readonly [{ data: readonly number[] }] };

export const infer = (server: Spawned, x: number) =>
  server.call<Inferred>('POST', '/v2/models/line/infer', {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [x] }],
  });
