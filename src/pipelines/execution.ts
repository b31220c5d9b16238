/** A run of a pipeline, and of each of its steps. */
import type { Check } from '../datasets/data-config.ts';
import type { StepFacts } from './cache-key.ts';
import type { PlannedStep } from './pipeline.ts';

/** `queued`: another execution of the project is in the folder. `planning`: the worker looks at the folder. */
export const executionStates = ['queued', 'planning', 'running', 'done', 'failed', 'cancelled'] as const;
export type ExecutionState = (typeof executionStates)[number];

/**
 * `restoring`: a cached step's outputs are written back. `registering`: the command is through and its model becomes a version.
 * `skipped`: a step before it failed.
 */
export const stepStates = [
  'waiting',
  'running',
  'restoring',
  'registering',
  'done',
  'cached',
  'failed',
  'cancelled',
  'skipped',
] as const;
export type StepState = (typeof stepStates)[number];

/** What was asked for, fixed when the execution starts: later edits of rondo.yaml do not change it. */
export type ExecutionPlan = {
  /** The linked project folder, where commands run. */
  readonly folder: string;
  readonly steps: readonly PlannedStep[];
  readonly datasets: readonly { readonly name: string; readonly source: string; readonly checks: readonly Check[] }[];
  /** The model that steps with `model:` make versions of. */
  readonly model?: string;
  readonly force: boolean;
  readonly request: {
    readonly steps?: readonly string[];
    readonly params?: Readonly<Record<string, string | number | boolean>>;
  };
};

/** What the worker found in the folder before the first step. */
export type Findings = {
  readonly datasets: StepFacts['datasets'];
  /** Content digests of what steps read, by step. */
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Content digests of outputs that are there already, by path. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Facts that outputs may depend on, by step. */
  readonly programs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly environment: Environment;
};

/** Recorded for people and for reproduction; not part of any cache key. */
export type Environment = {
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  readonly git?: { readonly commit: string; readonly dirty: boolean };
};

/** Stored content, by path. */
export type Outputs = Readonly<Record<string, string>>;

export type ModelRef = { readonly model: string; readonly version: number };

export type StepExecution = {
  readonly step: string;
  readonly state: StepState;
  /** Why it runs or does not. */
  readonly reason?: string;
  readonly key?: string;
  readonly facts?: StepFacts;
  readonly outputs?: Outputs;
  readonly model?: ModelRef;
  readonly runId?: string;
  readonly error?: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
};

export type Execution = {
  readonly id: string;
  readonly project: string;
  /** Counted per project, for people. */
  readonly number: number;
  readonly operation: string;
  readonly state: ExecutionState;
  readonly actor: string;
  readonly plan: ExecutionPlan;
  readonly findings?: Findings;
  readonly error?: string;
  readonly createdAt: number;
  readonly endedAt?: number;
};

const endedStates: readonly StepState[] = ['done', 'cached', 'failed', 'cancelled', 'skipped'];
export const stepEnded = (state: StepState): boolean => endedStates.includes(state);
export const stepSucceeded = (state: StepState): boolean => state === 'done' || state === 'cached';
export const executionEnded = (state: ExecutionState): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';
