/** Errors on their way out: a face's own form below its prefix, problem+json everywhere else. */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { PlatformError } from '../errors.ts';
import { platformErrorOf, problemOf, problemType } from './problem.ts';

export type RenderedError = {
  readonly status: number;
  /** Sent as JSON unless it is a string. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Pure. @param request what was asked for, to tell apart where a face has several forms */
export type ErrorRenderer = (
  error: PlatformError,
  request: { readonly method: string; readonly path: string; readonly requestId: string },
) => RenderedError;

export class ErrorRenderers {
  readonly #byPrefix: { readonly prefix: string; readonly renderer: ErrorRenderer }[] = [];

  add(prefix: string, renderer: ErrorRenderer): void {
    this.#byPrefix.push({ prefix, renderer });
    this.#byPrefix.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  send(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const at = { method: request.method, path: pathOf(request), requestId: request.id, log: request.log };
    const { status, headers, payload } = this.render(thrown, at);
    // Nothing of a started answer may stay: a file's `content-encoding` on an error, for example.
    for (const name of ['content-encoding', 'content-disposition', 'etag', 'accept-ranges', 'content-range'])
      reply.removeHeader(name);
    return reply.code(status).headers(headers).serializer(String).send(payload);
  }

  /** What goes out for an error, and into the log where it is ours. */
  render(
    thrown: unknown,
    { log, ...request }: Parameters<ErrorRenderer>[1] & { readonly log: FastifyBaseLogger },
  ): { readonly status: number; readonly headers: Record<string, string>; readonly payload: string } {
    const error = platformErrorOf(thrown, request);
    // 501 is what clients are told who look whether something is there.
    if (error.status >= 500 && error.status !== 501) {
      log.error({ err: error, requestId: request.requestId }, error.message);
    }
    const { status, body, headers } = this.#formOf(error, request);
    const isText = typeof body === 'string';
    return {
      status,
      payload: isText ? body : JSON.stringify(body),
      headers: {
        'cache-control': 'no-store',
        'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
        ...retryHeaders(error),
        ...headers,
      },
    };
  }

  #formOf(error: PlatformError, request: Parameters<ErrorRenderer>[1]): RenderedError {
    const face = this.#byPrefix.find(({ prefix }) => isBelow(request.path, prefix));
    if (face) return face.renderer(error, request);
    return {
      status: error.status,
      body: problemOf(error, request.requestId),
      headers: { 'content-type': problemType },
    };
  }
}

export function pathOf(request: FastifyRequest): string {
  const url = request.raw.url ?? '/';
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

function isBelow(path: string, prefix: string): boolean {
  return (
    path.startsWith(prefix) && (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/')
  );
}

/** Some errors are told in headers as well, for clients that never read a body. */
function retryHeaders(error: PlatformError): Record<string, string> {
  const retryAfterSeconds = error.data?.retryAfterSeconds;
  const allow = error.data?.allow;
  return {
    ...(typeof retryAfterSeconds === 'number' && { 'retry-after': String(retryAfterSeconds) }),
    ...(typeof allow === 'string' && { allow }),
    ...(error.status === 401 && { 'www-authenticate': 'Basic realm="Rondo", charset="UTF-8"' }),
  };
}
