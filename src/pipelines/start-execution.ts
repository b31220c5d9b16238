import type { EventStore } from '../events/event-store.ts';
import type { NewJob } from '../jobs/job.ts';
import type { Execution, ExecutionPlan } from './execution.ts';
import type { ExecutionStore } from './execution-store.ts';

export type ExecutionDeps = {
  readonly executions: ExecutionStore;
  readonly events: EventStore;
  /** Puts a job into the queue, in the same transaction. */
  readonly submit: (job: NewJob) => Promise<{ readonly id: string }>;
  /** Ends the operation that people wait for, in the same transaction. */
  readonly endOperation: (
    id: string,
    end: { state: 'done'; result: unknown } | { state: 'failed' | 'cancelled'; result: unknown; reason: string },
  ) => Promise<void>;
  readonly setProgress: (operation: string, progress: { share?: number; note: string }) => Promise<void>;
  readonly now: () => number;
  readonly newId: () => string;
};

/** Writes an execution down. It begins at once, or when the executions before it have left the project's folder. */
export async function startExecution(
  deps: ExecutionDeps,
  { project, actor, plan }: { project: string; actor: string; plan: ExecutionPlan },
): Promise<Execution> {
  const { executions, events, submit, now, newId } = deps;
  const id = newId();
  await executions.lockProject(project);
  const operation = await submit({
    kind: 'pipelines.execution',
    lane: 'none',
    input: { execution: id },
    actor,
    project,
  });
  const execution: Execution = {
    id,
    project,
    number: await executions.nextNumber(project),
    operation: operation.id,
    state: 'queued',
    actor,
    plan,
    createdAt: now(),
  };
  await executions.insert(execution);
  await events.append({
    type: 'pipelines.execution-started',
    project,
    subject: `execution/${id}`,
    actor,
    at: execution.createdAt,
    data: {
      number: execution.number,
      steps: plan.steps.map(({ name }) => name),
      params: { ...plan.request.params },
      force: plan.force,
    },
  });
  await beginNext(deps, project);
  return execution;
}

/**
 * Lets the worker look at the folder for the execution whose turn it is, unless it has already begun: two at once would read each
 * other's outputs.
 */
export async function beginNext({ executions, submit, setProgress }: ExecutionDeps, project: string): Promise<void> {
  await executions.lockProject(project);
  const next = await executions.first(project);
  const execution = next?.state === 'queued' ? await executions.find(next.id) : undefined;
  if (!execution) return;
  const { id, plan, actor, operation } = execution;
  await executions.update(id, { state: 'planning' });
  await setProgress(operation, { note: 'looking at the folder' });
  await submit({ kind: 'pipelines.plan', input: { execution: id, project, plan }, actor, project, parent: operation });
}
