import { explainDifferences, type StepFacts, stepKey } from './cache-key.ts';
import {
  type Execution,
  executionEnded,
  type Findings,
  type StepExecution,
  stepEnded,
  stepSucceeded,
} from './execution.ts';
import type { PastStep } from './execution-store.ts';
import type { PlannedStep } from './pipeline.ts';
import { beginNext, type ExecutionDeps } from './start-execution.ts';

/** What is to happen with a step whose inputs are all there. */
export type StepDecision =
  | { readonly kind: 'run'; readonly reason: string }
  /** `restore`: its outputs in the folder are not the ones it wrote. */
  | { readonly kind: 'reuse'; readonly reason: string; readonly from: PastStep; readonly restore: boolean };

/**
 * Brings an execution as far as it can go now: starts the steps whose inputs are there, and ends it when nothing is left. May run at any
 * time and twice.
 */
export async function advanceExecution(deps: ExecutionDeps, id: string): Promise<void> {
  const { executions, now } = deps;
  await executions.lock(id);
  const execution = await executions.find(id);
  if (!execution?.findings || executionEnded(execution.state)) return;
  const { project, plan, findings } = execution;
  if (execution.state === 'planning') await executions.update(id, { state: 'running' });
  const steps = new Map((await executions.steps(id)).map((step) => [step.step, step]));
  const broken = () => [...steps.values()].some(({ state }) => state === 'failed' || state === 'cancelled');

  // In order, so that a step that is reused is seen by those after it.
  for (const planned of plan.steps) {
    const current = steps.get(planned.name);
    if (current?.state !== 'waiting') continue;
    if (broken()) {
      const busy = [...steps.values()].some(
        ({ state }) => state === 'running' || state === 'restoring' || state === 'registering',
      );
      if (!busy) {
        const change = { state: 'skipped', reason: 'a step before it did not succeed', endedAt: now() } as const;
        await executions.updateStep(id, planned.name, change);
        steps.set(planned.name, { ...current, ...change });
      }
      continue;
    }
    const before = planned.steps.map((name) => steps.get(name));
    if (!before.every((step) => step && stepSucceeded(step.state))) continue;

    const facts = factsOf(planned, findings, steps);
    const key = stepKey(facts);
    const decision = decideStep({
      planned,
      facts,
      force: plan.force,
      cached: await executions.cached(project, planned.name, key),
      last: await executions.lastSuccess(project, planned.name),
      present: findings.outputs,
    });
    const base = { reason: decision.reason, key, facts, startedAt: now() };
    if (decision.kind === 'run') {
      await executions.updateStep(id, planned.name, { ...base, state: 'running' });
      steps.set(planned.name, { ...current, ...base, state: 'running' });
      await submitStep(deps, execution, { step: planned.name, mode: 'run' });
    } else {
      const { outputs = {}, model, runId } = decision.from.step;
      const kept = { ...base, outputs, ...(model && { model }), ...(runId !== undefined && { runId }) };
      const change = decision.restore
        ? ({ ...kept, state: 'restoring' } as const)
        : ({ ...kept, state: 'cached', endedAt: now() } as const);
      await executions.updateStep(id, planned.name, change);
      steps.set(planned.name, { ...current, ...change });
      if (decision.restore) await submitStep(deps, execution, { step: planned.name, mode: 'restore', outputs });
    }
  }
  await conclude(deps, execution, [...steps.values()]);
}

export function decideStep(known: {
  readonly planned: PlannedStep;
  readonly facts: StepFacts;
  readonly force: boolean;
  readonly cached: PastStep | undefined;
  readonly last: PastStep | undefined;
  /** Digests of the outputs that lie in the folder now. */
  readonly present: Readonly<Record<string, string>>;
}): StepDecision {
  const { planned, facts, force, cached, last, present } = known;
  if (force) return { kind: 'run', reason: 'forced' };
  if (cached) {
    const { outputs = {} } = cached.step;
    const restore = planned.writes.some((path) => present[path] !== outputs[path]);
    return { kind: 'reuse', from: cached, restore, reason: `unchanged, from execution ${cached.number}` };
  }
  if (!last?.step.facts) return { kind: 'run', reason: 'first time' };
  return { kind: 'run', reason: explainDifferences(last.step.facts, facts) || 'other inputs' };
}

function factsOf(planned: PlannedStep, findings: Findings, steps: ReadonlyMap<string, StepExecution>): StepFacts {
  const { name, argv, params, seed, writes } = planned;
  return {
    argv,
    params,
    ...(seed !== undefined && { seed }),
    environment: findings.programs[name] ?? {},
    datasets: Object.fromEntries(
      Object.entries(findings.datasets).filter(([dataset]) => planned.datasets.includes(dataset)),
    ),
    files: findings.files[name] ?? {},
    steps: Object.fromEntries(planned.steps.map((step) => [step, steps.get(step)?.outputs ?? {}])),
    writes,
  };
}

async function submitStep(
  { submit }: ExecutionDeps,
  { id, project, actor, operation }: Execution,
  input: { step: string; mode: 'run' } | { step: string; mode: 'restore'; outputs: Readonly<Record<string, string>> },
): Promise<void> {
  await submit({
    kind: 'pipelines.step',
    lane: input.mode === 'run' ? 'command' : 'compute',
    input: { execution: id, project, ...input },
    actor,
    project,
    parent: operation,
  });
}

async function conclude(deps: ExecutionDeps, execution: Execution, steps: readonly StepExecution[]): Promise<void> {
  const ended = steps.filter(({ state }) => stepEnded(state));
  if (ended.length < steps.length) {
    const at = steps.find(({ state }) => !stepEnded(state) && state !== 'waiting');
    await deps.setProgress(execution.operation, {
      share: ended.length / steps.length,
      note: at ? `${at.step} (${ended.length + 1} of ${steps.length}): ${at.reason ?? at.state}` : 'waiting',
    });
    return;
  }
  const failed = steps.find(({ state }) => state === 'failed' || state === 'cancelled');
  const state = failed === undefined ? 'done' : failed.state === 'failed' ? 'failed' : 'cancelled';
  await finishExecution(deps, execution, {
    state,
    steps,
    reason: failed && `${failed.step}: ${failed.error ?? failed.state}`,
  });
}

export async function finishExecution(
  deps: ExecutionDeps,
  execution: Execution,
  end: {
    readonly state: 'done' | 'failed' | 'cancelled';
    readonly steps: readonly StepExecution[];
    readonly reason: string | undefined;
  },
): Promise<void> {
  const { executions, events, endOperation, now } = deps;
  const { id, project, number, actor, operation } = execution;
  const { state, reason } = end;
  const at = now();
  await executions.update(id, { state, endedAt: at, ...(reason !== undefined && { error: reason }) });
  const steps = end.steps.map(({ step, state, reason, key, model, runId, startedAt, endedAt }) => ({
    step,
    state,
    ...(reason !== undefined && { reason }),
    ...(key !== undefined && { key }),
    ...(model && { model: { ...model } }),
    ...(runId !== undefined && { runId }),
    ...(startedAt !== undefined && endedAt !== undefined && { ms: endedAt - startedAt }),
  }));
  await events.append({
    type: 'pipelines.execution-finished',
    project,
    subject: `execution/${id}`,
    actor,
    at,
    ...(reason !== undefined && { reason }),
    data: { number, state, steps, ms: at - execution.createdAt },
  });
  const result = { execution: id, number, state, steps };
  await endOperation(operation, state === 'done' ? { state, result } : { state, result, reason: reason ?? state });
  await beginNext(deps, project);
}
