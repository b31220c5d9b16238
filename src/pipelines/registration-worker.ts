/** Makes model versions of what steps with `model:` have written; what is not registered yet is found again after a crash. */
import type { RunJob } from '../jobs/job.ts';
import type { Database } from '../storage/database.ts';
import { advanceExecution } from './advance-execution.ts';
import { codeDigest, type StepFacts } from './cache-key.ts';
import type { Environment, Execution, ModelRef, StepExecution } from './execution.ts';
import { executionStore } from './execution-store.ts';
import type { PlannedStep } from './pipeline.ts';
import { executionDeps } from './pipeline-worker.ts';

export type ModelRequest = {
  readonly project: string;
  readonly model: string;
  /** The same for the same step execution: a second call with it must answer with the version that the first one made. */
  readonly key: string;
  /** The file or folder, read-only and unchanging. */
  readonly path: string;
  /** As the step declared it: `out/model.onnx`. */
  readonly name: string;
  readonly actor: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly step: string;
  readonly lineage: {
    readonly datasets: readonly { readonly name: string; readonly version: number; readonly context: string }[];
    /** sha256 over the files that the step and those before it read. */
    readonly code: string;
    readonly environment: Environment & { readonly programs: Readonly<Record<string, string>> };
    readonly seed?: number;
    readonly params: StepFacts['params'];
    readonly execution: string;
    readonly command: readonly string[];
  };
};

/**
 * Finds the run that the program made (tagged `rondo.execution`) or makes one with these params, and registers the model under it.
 * Supplied by `app.ts` from tracking and registry.
 */
export type RegisterModel = (request: ModelRequest) => Promise<ModelRef & { readonly runId?: string }>;

type Deps = {
  readonly database: Database;
  readonly registerModel: RegisterModel;
  /** `jobs.run`. */
  readonly run: RunJob;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type Registrations = AsyncDisposable & {
  /** Something may be waiting. */
  look(): void;
};

export function startRegistrations(deps: Deps): Registrations {
  let working: Promise<void> | undefined;
  let again = false;
  let closed = false;
  const look = (): void => {
    again = true;
    if (working || closed) return;
    working = (async () => {
      while (again && !closed) {
        again = false;
        for (const waiting of await executionStore(deps.database.read).registering()) await registerOne(deps, waiting);
      }
    })()
      .catch(deps.onError)
      .finally(() => {
        working = undefined;
      });
  };
  look();
  return {
    look,
    async [Symbol.asyncDispose]() {
      closed = true;
      await working;
    },
  };
}

async function registerOne(
  deps: Deps,
  { execution: id, step: name }: { execution: string; step: string },
): Promise<void> {
  const { database, registerModel, now } = deps;
  const store = executionStore(database.read);
  const execution = await store.find(id);
  const steps = await store.steps(id);
  const step = steps.find(({ step }) => step === name);
  const planned = execution?.plan.steps.find((planned) => planned.name === name);
  if (!execution || !step || !planned || step.state !== 'registering') return;
  const outcome = await modelRequest(deps, { execution, planned, step, steps })
    .then(registerModel)
    .then(
      ({ model, version, runId }) =>
        ({ state: 'done', model: { model, version }, ...(runId !== undefined && { runId }) }) as const,
      (error) => ({ state: 'failed', error: String(error instanceof Error ? error.message : error) }) as const,
    );
  await database.write(async (tx) => {
    await executionStore(tx).updateStep(id, name, { ...outcome, endedAt: now() });
    await advanceExecution(executionDeps(tx, deps), id);
  });
}

async function modelRequest(
  { run, now }: Deps,
  {
    execution,
    planned,
    step,
    steps,
  }: { execution: Execution; planned: PlannedStep; step: StepExecution; steps: readonly StepExecution[] },
): Promise<ModelRequest> {
  const { id, project, plan, findings, actor } = execution;
  const name = planned.model ?? '';
  const path = await run<string>('datasets.materialise', { root: step.outputs?.[name] ?? '' });
  const before = ancestors(planned, plan.steps);
  const datasets = Object.entries(findings?.datasets ?? {}).filter(([dataset]) =>
    before.some(({ datasets }) => datasets.includes(dataset)),
  );
  return {
    project,
    model: plan.model ?? '',
    key: `${id}/${planned.name}`,
    path,
    name,
    actor,
    step: planned.name,
    startedAt: step.startedAt ?? execution.createdAt,
    endedAt: now(),
    lineage: {
      datasets: datasets.map(([dataset, { version }]) => ({ name: dataset, version, context: 'training' })),
      code: codeDigest(
        steps.filter(({ step }) => before.some(({ name }) => name === step)).flatMap(({ facts }) => facts ?? []),
      ),
      environment: {
        ...(findings?.environment ?? { os: 'unknown', cpu: 'unknown', cores: 0 }),
        programs: step.facts?.environment ?? {},
      },
      ...(planned.seed !== undefined && { seed: planned.seed }),
      params: planned.params,
      execution: id,
      command: planned.argv,
    },
  };
}

/** The step and all that its inputs came through. */
function ancestors(step: PlannedStep, all: readonly PlannedStep[]): readonly PlannedStep[] {
  const found = new Map<string, PlannedStep>();
  const visit = (one: PlannedStep): void => {
    if (found.has(one.name)) return;
    found.set(one.name, one);
    for (const name of one.steps) {
      const before = all.find((other) => other.name === name);
      if (before) visit(before);
    }
  };
  visit(step);
  return [...found.values()];
}
