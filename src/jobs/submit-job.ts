import type { Job, NewJob } from './job.ts';
import type { JobStore } from './job-store.ts';

export type SubmitDeps = { readonly jobs: JobStore; readonly now: () => number; readonly newId: () => string };

/** Puts a job into the queue, in the transaction of whatever it belongs to: it starts when that has committed. */
export async function submitJob({ jobs, now, newId }: SubmitDeps, input: NewJob): Promise<Job> {
  const at = now();
  const lane = input.lane ?? 'compute';
  const job: Job = {
    id: newId(),
    kind: input.kind,
    ...(lane !== 'none' && { lane }),
    ...(input.parent !== undefined && { parent: input.parent }),
    ...(input.project !== undefined && { project: input.project }),
    actor: input.actor,
    input: input.input,
    // An operation without work of its own runs from the beginning: its parts do the waiting.
    state: lane === 'none' ? 'running' : 'queued',
    attempts: 0,
    progress: { note: lane === 'none' ? 'running' : 'waiting for the worker' },
    createdAt: at,
    ...(lane === 'none' && { startedAt: at }),
  };
  await jobs.insert(job);
  return job;
}
