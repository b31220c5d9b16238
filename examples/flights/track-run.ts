/** Tells a tracking server about a run, if there is one: `MLFLOW_TRACKING_URI` names it, as for any MLflow program. */
import type { Client } from 'rondo/client';

export type TrackedRun = Awaited<ReturnType<Client['startRun']>>;
export type RunStart = Omit<Parameters<Client['startRun']>[0], 'experiment'>;

/** @returns undefined where no server was named: then a program trains and writes its files all the same */
export async function startTracking(run: RunStart): Promise<TrackedRun | undefined> {
  const url = process.env.MLFLOW_TRACKING_URI;
  if (!url) return undefined;
  const { connect } = await import('rondo/client');
  const token = process.env.MLFLOW_TRACKING_TOKEN;
  const execution = process.env.RONDO_EXECUTION;
  const client = connect({ url, ...(token && { token }) });
  return client.startRun({
    experiment: process.env.MLFLOW_EXPERIMENT_NAME ?? 'flights',
    ...run,
    // The pipeline finds the run of its step by this tag, and registers the model under it.
    tags: { ...run.tags, ...(execution && { 'rondo.execution': execution }) },
  });
}
