/** Follows long work until it ends. */
import { type ErrorCode, errorCatalogue, PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';
import type { Output } from './output.ts';
import { shareText } from './table.ts';

export type Operation = {
  readonly id: string;
  readonly kind: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: { readonly share?: number; readonly note: string };
  readonly result?: unknown;
  readonly error?: {
    readonly code?: string;
    readonly message: string;
    readonly hint?: string;
    readonly data?: Record<string, unknown>;
  };
};

/** @returns the operation's result  @throws PlatformError with the operation's own code when it failed or was cancelled; cli/timeout */
export async function watchOperation<Result>(
  {
    api,
    output,
    signal,
    timeoutMs,
  }: { api: ApiClient; output: Output; signal: AbortSignal; timeoutMs?: number | undefined },
  id: string,
): Promise<Result> {
  const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  for (;;) {
    // Short enough that progress moves, long enough not to hammer.
    const operation = await api.call<Operation>('GET', path`/api/v1/operations/${id}`, { query: { wait: 1 }, signal });
    switch (operation.state) {
      case 'done':
        return operation.result as Result; // what the kind of operation answers with
      case 'failed':
      case 'cancelled':
        throw endError(operation);
      case 'queued':
      case 'running':
        output.progress(progressText(operation));
    }
    if (Date.now() > until) {
      throw new PlatformError('cli/timeout', `The operation ${id}`, {
        hint: 'it goes on by itself; without --timeout the command waits for its end',
      });
    }
  }
}

function progressText({ state, progress }: Operation): string {
  if (state === 'queued') return 'waiting for its turn';
  const share = progress.share === undefined ? '' : `${shareText(Math.floor(progress.share * 100) / 100)}  `;
  return `${share}${progress.note}`.trimEnd();
}

function endError({ id, kind, state, error }: Operation): PlatformError {
  const code: ErrorCode =
    error?.code !== undefined && Object.hasOwn(errorCatalogue, error.code)
      ? (error.code as ErrorCode) // hasOwn checked it
      : state === 'cancelled'
        ? 'jobs/cancelled'
        : 'jobs/failed';
  return new PlatformError(code, kind, {
    message: error?.message ?? `The operation ${id} was cancelled.`,
    ...(error?.hint !== undefined && { hint: error.hint }),
    ...(error?.data !== undefined && { data: error.data }),
  });
}
