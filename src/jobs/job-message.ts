/** What the server and its worker say to each other, over the child process's IPC channel (structured clone). */
import { type ErrorCode, errorCatalogue, PlatformError } from '../errors.ts';
import type { JobError } from './job.ts';

export type ToWorker =
  | { readonly type: 'run'; readonly id: string; readonly kind: string; readonly input: unknown }
  | { readonly type: 'cancel'; readonly id: string };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly id: string; readonly share: number | undefined; readonly note: string }
  | { readonly type: 'log'; readonly id: string; readonly line: string }
  | { readonly type: 'done'; readonly id: string; readonly output: unknown }
  | { readonly type: 'failed'; readonly id: string; readonly error: JobError };

/** An error as data: a stack would leak paths into answers, so it stays in the worker's own log. */
export function describeError(error: unknown): JobError {
  if (error instanceof PlatformError) {
    return {
      code: error.code,
      subject: error.subject,
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error.data !== undefined && { data: error.data }),
    };
  }
  return { message: error instanceof Error ? error.message : String(error) };
}

/** The way back. An unforeseen failure becomes `jobs/failed` about `kind`. */
export function reviveError(error: JobError, kind: string): PlatformError {
  const details = {
    message: error.message,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.data !== undefined && { data: error.data }),
  };
  return new PlatformError(isErrorCode(error.code) ? error.code : 'jobs/failed', error.subject ?? kind, details);
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(errorCatalogue, code);
}
