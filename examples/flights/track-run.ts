/** Tells a tracking server about a run, if there is one: `MLFLOW_TRACKING_URI` names it, as for any MLflow program. */
import type { Run, RunOptions } from 'rondo/client';

/** @returns undefined where no server was named: then a program trains and writes its files all the same */
export async function startTracking(run: RunOptions): Promise<Run | undefined> {
  if (!process.env.MLFLOW_TRACKING_URI) return undefined;
  const { connect } = await import('rondo/client');
  const execution = process.env.RONDO_EXECUTION;
  return connect().startRun({
    experimentName: process.env.MLFLOW_EXPERIMENT_NAME ?? 'flights',
    ...run,
    // The pipeline finds the run of its step by this tag, and registers the model under it.
    tags: { ...run.tags, ...(execution && { 'rondo.execution': execution }) },
  });
}
