/** Any error as the one kind that callers see, and that as `application/problem+json` (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import { PlatformError } from '../errors.ts';

export const problemType = 'application/problem+json; charset=utf-8';

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly fix?: string;
  readonly errors?: PlatformError['at'];
  readonly data?: PlatformError['data'];
  readonly requestId: string;
};

export function problemOf(error: PlatformError, requestId: string): Problem {
  return {
    type: `/api/v1/errors/${error.code}`,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.hint !== undefined && { fix: error.hint }),
    ...(error.at !== undefined && { errors: error.at }),
    ...(error.data !== undefined && { data: error.data }),
    requestId,
  };
}

/** What Fastify throws, and anything nobody foresaw: that becomes `http/internal` and tells nothing of its inside. */
export function platformErrorOf(error: unknown, at: { readonly method: string; readonly path: string }): PlatformError {
  if (error instanceof PlatformError) return error;
  if (!(error instanceof Error)) return internal(error, at);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }; // read as unknown, checked below
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new PlatformError('http/too-large', 'this route takes', { cause: error });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new PlatformError('http/unsupported-media-type', `${at.method} ${at.path}`, {
        cause: error,
        hint: 'send JSON with the header `Content-Type: application/json`',
      });
    case 'ENOSPC':
    case 'EDQUOT': // from whatever wrote a file for this request
      return new PlatformError('storage/read-only', 'the data folder', {
        cause: error,
        hint: 'make room, and try again',
      });
    case 'FST_ERR_NOT_FOUND':
      return new PlatformError('http/not-found', at.path);
    default:
      return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
        ? new PlatformError('http/bad-request', lowerFirst(error.message), { cause: error })
        : internal(error, at);
  }
}

function internal(cause: unknown, { method, path }: { readonly method: string; readonly path: string }): PlatformError {
  return new PlatformError('http/internal', `${method} ${path}`, {
    cause,
    hint: 'the server log has the reason, under this requestId',
  });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
