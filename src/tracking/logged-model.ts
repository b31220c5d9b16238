/** Logged models: what a run's `log_model` made, before anybody registers it. */
import { PlatformError } from '../errors.ts';
import type { Lifecycle } from './experiment.ts';
import type { ModelMetric } from './metric.ts';
import { invalid, type Param, type Tag } from './names.ts';

export const loggedModelStatuses = [
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
] as const;
export type LoggedModelStatus = (typeof loggedModelStatuses)[number];

export type LoggedModel = {
  /** `m-` and 32 hexadecimal digits. */
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly status: LoggedModelStatus;
  readonly statusMessage?: string;
  readonly lifecycle: Lifecycle;
  readonly modelType?: string;
  readonly sourceRunId?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Tag[];
  readonly params: readonly Param[];
  readonly metrics: readonly ModelMetric[];
};

const forbidden = ['/', ':', '.', '%', '"', "'"];

export function validateLoggedModelName(name: string | undefined): void {
  if (name === undefined || (name !== '' && !forbidden.some((character) => name.includes(character)))) return;
  throw invalid(
    'name',
    `Invalid model name (${name === '' ? "''" : `'${name}'`}) provided. Model name must be a non-empty string and cannot contain the` +
      ` following characters: ('/', ':', '.', '%', '"', "'")`,
  );
}

export const loggedModelNotFound = (id: string): PlatformError =>
  new PlatformError('tracking/model-not-found', id, { message: `Logged model with ID '${id}' not found.` });
