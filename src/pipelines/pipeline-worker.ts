/** Steps in the worker process, and on the server what follows from them. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type AddInput, type DatasetFolders, materialise } from '../datasets/add-source-adapter.ts';
import { datasetStore } from '../datasets/dataset-store.ts';
import { type ExportDeps, exportFolder, withExport } from '../datasets/dataset-worker.ts';
import { recordVersion } from '../datasets/record-version.ts';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { Job, JobContext, JobError, JobHandlers } from '../jobs/job.ts';
import { jobStore } from '../jobs/job-store.ts';
import type { JobKind } from '../jobs/start-jobs.ts';
import { submitJob } from '../jobs/submit-job.ts';
import type { Db } from '../storage/database.ts';
import { advanceExecution, finishExecution } from './advance-execution.ts';
import { stepKey } from './cache-key.ts';
import { runCommand } from './command-adapter.ts';
import { type Execution, type ExecutionPlan, executionEnded, type Outputs, stepEnded } from './execution.ts';
import { executionStore } from './execution-store.ts';
import { digestFiles, type Look, type LookInput, lookAtFolder } from './findings-adapter.ts';
import { removeOutput, restoreOutputs, storeOutputs } from './output-adapter.ts';
import type { PlannedStep } from './pipeline.ts';
import type { ExecutionDeps } from './start-execution.ts';

type StepInput = {
  readonly execution: string;
  readonly project: string;
  readonly step: string;
  readonly mode: 'run' | 'restore';
  readonly outputs?: Outputs;
};
/** What `prepare` adds, so that it is never stored with the job: the environment may hold a token. */
type PreparedStep = StepInput & {
  readonly id: string;
  readonly planned: PlannedStep;
  readonly projectFolder: string;
  readonly datasets: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
};
type StepOutput = { readonly outputs: Outputs; readonly files?: Readonly<Record<string, string>> };
type PlanInput = { readonly execution: string; readonly project: string; readonly plan: ExecutionPlan };

/** Handlers for `runWorker`. */
export function pipelineHandlers(folders: DatasetFolders): JobHandlers {
  return {
    'pipelines.plan': (input: LookInput, context: JobContext): Promise<Look> => lookAtFolder(folders, input, context),
    'pipelines.step': (input: PreparedStep, context: JobContext): Promise<StepOutput> =>
      input.mode === 'run' ? runStep(folders, input, context) : restoreStep(folders, input, context),
  };
}

async function runStep(folders: DatasetFolders, input: PreparedStep, context: JobContext): Promise<StepOutput> {
  const { planned, projectFolder, step, env, logFile } = input;
  const data: Record<string, string> = {};
  for (const [name, root] of Object.entries(input.datasets)) {
    data[`RONDO_DATA_${variable(name)}`] = await materialise(folders, root, context.signal);
  }
  // Read again: somebody may have saved a file since the execution was planned, and the step reads what is there now.
  const files = await digestFiles(projectFolder, planned.files, context.signal);
  for (const path of planned.writes) await removeOutput(projectFolder, path);
  await runCommand({ step, argv: planned.argv, folder: projectFolder, env: { ...env, ...data }, logFile }, context);
  context.progress(undefined, `${step}: keeping what it wrote`);
  return { outputs: await storeOutputs(folders, { projectFolder, writes: planned.writes }, context), files };
}

async function restoreStep(folders: DatasetFolders, input: PreparedStep, { signal }: JobContext): Promise<StepOutput> {
  const outputs = input.outputs ?? {};
  await restoreOutputs(folders, { projectFolder: input.projectFolder, outputs, id: input.id }, signal);
  return { outputs };
}

/** `RONDO_DATA_TRAIN_SET` for `train-set`. */
function variable(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

/** What a step's program needs to reach the server: `MLFLOW_TRACKING_URI` and, with accounts, a token. Supplied by `app.ts`. */
export type StepEnvironment = (request: {
  readonly project: string;
  readonly execution: string;
  readonly step: string;
}) => Promise<Readonly<Record<string, string>>>;

export type PipelineKindsDeps = ExportDeps & {
  readonly stepEnvironment: StepEnvironment;
  readonly read: Db;
  /** Where logs go: `<logFolder>/<execution>.jsonl`. */
  readonly logFolder: string;
  readonly now: () => number;
  readonly newId: () => string;
  /** A step's model waits to become a version: time to look. */
  readonly onRegistering?: () => void;
};

/** Kinds for `startJobs`. */
export function pipelineKinds(deps: PipelineKindsDeps): Readonly<Record<string, JobKind>> {
  const { now, read, tempFolder } = deps;
  const advance = (tx: Db, id: string) => advanceExecution(executionDeps(tx, deps), id);

  return {
    // Has no work of its own; cancelled before its first part has begun, it still has to be ended.
    'pipelines.execution': {
      failed: async (tx, job, { error }) => {
        const { execution } = job.input as { execution: string };
        await stopExecution(tx, deps, execution, { state: 'cancelled', reason: error.message });
      },
    },

    'pipelines.plan': {
      prepare: async (job, signal): Promise<LookInput> => {
        const { project, plan } = job.input as PlanInput;
        const datasets: AddInput[] = [];
        for (const dataset of plan.datasets) {
          const input = { ...dataset, project, projectFolder: plan.folder };
          datasets.push(await withExport(deps, input, { id: job.id, signal }));
        }
        return { folder: plan.folder, steps: plan.steps, datasets };
      },
      apply: async (tx, job, output) => {
        const { execution } = job.input as PlanInput;
        const look = output as Look; // made by the handler above
        const versions: Record<string, { root: string; version: number }> = {};
        const stores = { datasets: datasetStore(tx), events: eventStore(tx), now };
        for (const added of look.datasets) {
          const outcome = await recordVersion(stores, added, job.actor);
          if (outcome.outcome === 'refused') {
            const reason = `${added.name} breaks its checks. ${outcome.checks
              .filter(({ severity, verdict }) => severity === 'error' && verdict.outcome === 'fail')
              .map(({ verdict }) => verdict.reason)
              .join(' ')}`;
            await stopExecution(tx, deps, execution, { state: 'failed', reason });
            return { refused: added.name, checks: outcome.checks };
          }
          versions[added.name] = { root: outcome.root, version: outcome.version };
        }
        if (!look.findings) throw new PlatformError('pipelines/data-refused', execution);
        await executionStore(tx).update(execution, { findings: { ...look.findings, datasets: versions } });
        await advance(tx, execution);
        return { datasets: versions };
      },
      failed: (tx, job, end) => {
        const { execution } = job.input as PlanInput;
        return stopExecution(tx, deps, execution, { state: end.state, reason: end.error.message });
      },
      afterwards: (job) => void rm(exportFolder(tempFolder, job.id), { recursive: true, force: true }),
    },

    'pipelines.step': {
      prepare: async (job): Promise<PreparedStep> => {
        const input = job.input as StepInput;
        const execution = await executionStore(read).find(input.execution);
        const planned = execution?.plan.steps.find(({ name }) => name === input.step);
        if (!execution?.findings || !planned) throw new PlatformError('pipelines/not-found', input.execution);
        const { datasets } = execution.findings;
        return {
          ...input,
          id: job.id,
          planned,
          projectFolder: execution.plan.folder,
          datasets: Object.fromEntries(planned.datasets.map((name) => [name, datasets[name]?.root ?? ''])),
          env: {
            MLFLOW_EXPERIMENT_NAME: execution.project,
            ...(planned.seed !== undefined && {
              PYTHONHASHSEED: String(planned.seed),
              RONDO_SEED: String(planned.seed),
            }),
            ...(await deps.stepEnvironment({
              project: execution.project,
              execution: execution.id,
              step: planned.name,
            })),
            RONDO_PARAMS: JSON.stringify(planned.params),
            RONDO_EXECUTION: execution.id,
            RONDO_STEP: planned.name,
          },
          logFile: logFile(deps.logFolder, execution.id),
        };
      },
      apply: async (tx, job, output) => {
        const { outputs, files } = output as StepOutput; // made by the handler above
        const input = job.input as StepInput;
        const store = executionStore(tx);
        await store.lock(input.execution);
        const execution = await store.find(input.execution);
        const step = (await store.steps(input.execution)).find(({ step }) => step === input.step);
        if (!execution || !step?.facts) return { outputs };
        if (input.mode === 'restore') {
          await store.updateStep(input.execution, input.step, { state: 'cached', endedAt: now() });
        } else {
          const facts = { ...step.facts, ...(files && { files }) };
          const makesModel = execution.plan.steps.some(({ name, model }) => name === input.step && model !== undefined);
          const registers = makesModel && execution.plan.model !== undefined;
          await store.updateStep(input.execution, input.step, {
            outputs,
            facts,
            key: stepKey(facts),
            ...(registers ? { state: 'registering' } : { state: 'done', endedAt: now() }),
          });
        }
        await advance(tx, input.execution);
        return { outputs };
      },
      failed: async (tx, job, { state, error }) => {
        const input = job.input as StepInput;
        await executionStore(tx).updateStep(input.execution, input.step, {
          state,
          error: describe(error),
          endedAt: now(),
        });
        await advance(tx, input.execution);
      },
      afterwards: () => deps.onRegistering?.(),
    },
  };
}

export function logFile(logFolder: string, execution: string): string {
  return join(logFolder, `${execution}.jsonl`);
}

/** The use cases' dependencies, bound to a transaction. */
export function executionDeps(tx: Db, { now, newId }: { now: () => number; newId: () => string }): ExecutionDeps {
  const jobs = jobStore(tx);
  return {
    executions: executionStore(tx),
    events: eventStore(tx),
    submit: (job): Promise<Job> => submitJob({ jobs, now, newId }, job),
    async endOperation(id, end) {
      if (end.state === 'done') await jobs.end(id, { state: 'done', result: end.result }, now());
      else {
        const code = end.state === 'cancelled' ? 'jobs/cancelled' : 'pipelines/step-failed';
        const error: JobError = { code, message: end.reason, data: { result: end.result } };
        await jobs.end(id, { state: end.state, error }, now());
      }
    },
    setProgress: (id, progress) => jobs.setProgress(id, progress),
    now,
    newId,
  };
}

/** Ends an execution that never came to its steps. */
async function stopExecution(
  tx: Db,
  deps: { now: () => number; newId: () => string },
  id: string,
  { state, reason }: { state: 'failed' | 'cancelled'; reason: string },
): Promise<void> {
  const bound = executionDeps(tx, deps);
  const execution: Execution | undefined = await bound.executions.find(id);
  if (!execution || executionEnded(execution.state)) return;
  for (const step of await bound.executions.steps(id)) {
    if (stepEnded(step.state)) continue;
    const reason = 'the execution did not come to it';
    await bound.executions.updateStep(id, step.step, { state: 'skipped', reason, endedAt: deps.now() });
  }
  const steps = await bound.executions.steps(id);
  await finishExecution(bound, execution, { state, steps, reason });
}

function describe({ message, hint }: JobError): string {
  return hint === undefined ? message : `${message} ${hint}`;
}
