/** The run on the server: a new one, or one that goes on. */
import { hostname, userInfo } from 'node:os';
import { textIn } from './answer.ts';
import type { Rest } from './rest-client.ts';

export type RunOptions = {
  /** Made when it is not there. When not given: the one of `setExperiment`, else of `MLFLOW_EXPERIMENT_NAME`, else `Default`. */
  readonly experimentName?: string;
  readonly runName?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** A run to continue instead of a new one. */
  readonly runId?: string;
  /** The run that this one is nested in. */
  readonly parentRunId?: string;
};

export type Started = { readonly id: string; readonly experimentId: string; readonly artifactUri: string };

let lastStart = 0;

export async function createRun(rest: Rest, experimentId: string, options: RunOptions): Promise<Started> {
  const { runName, description, tags = {}, parentRunId } = options;
  const user = userName();
  // No two runs of a process start at one time: by it and the process a run is found again whose answer got lost.
  lastStart = Math.max(Date.now(), lastStart + 1);
  const startTime = lastStart;
  const client = `${hostname()}:${process.pid}`;
  const everyTag = {
    'mlflow.user': user,
    'mlflow.source.name': process.argv[1] ?? 'node',
    'mlflow.source.type': 'LOCAL',
    'rondo.client': client,
    ...(runName !== undefined && { 'mlflow.runName': runName }),
    ...(description !== undefined && { 'mlflow.note.content': description }),
    ...(parentRunId !== undefined && { 'mlflow.parentRunId': parentRunId }),
    ...tags,
  };
  const content = {
    experiment_id: experimentId,
    user_id: user,
    ...(runName !== undefined && { run_name: runName }),
    start_time: startTime,
    tags: Object.entries(everyTag).map(([key, value]) => ({ key, value })),
  };
  const findDone = async (): Promise<unknown> => {
    const answer = await rest.call('POST', 'runs/search', {
      experiment_ids: [experimentId],
      filter: `attributes.start_time = ${startTime} AND tags.\`rondo.client\` = '${client}'`,
      max_results: 1,
    });
    const [run] = (answer as { runs?: readonly unknown[] }).runs ?? []; // looked into below
    return run && { run };
  };
  return started(await rest.call('POST', 'runs/create', content, { findDone }));
}

export async function resumeRun(rest: Rest, id: string): Promise<Started> {
  const run = started(await rest.call('GET', 'runs/get', { run_id: id }));
  await rest.call('POST', 'runs/update', { run_id: id, status: 'RUNNING' });
  return run;
}

const started = (answer: unknown): Started => ({
  id: textIn(answer, 'run', 'info', 'run_id'),
  experimentId: textIn(answer, 'run', 'info', 'experiment_id'),
  artifactUri: textIn(answer, 'run', 'info', 'artifact_uri'),
});

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A container may run as a user that the system does not know; a run without a name is no reason to fail.
    return error instanceof Error ? 'unknown' : String(error);
  }
}
