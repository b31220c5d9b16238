/** The API as the commands call it: over HTTP where a server runs, inside this process where none does. */
import { access } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { type ErrorCode, errorCatalogue, PlatformError } from '../errors.ts';
import { readServerFile } from './server-file.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export type Call = { readonly query?: Query; readonly body?: unknown; readonly signal?: AbortSignal };

/** Answers are what the server's published schema says; each command names the part it reads. */
export interface ApiClient extends AsyncDisposable {
  /** For messages: where it is. */
  readonly address: string;
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, call?: Call): Promise<T>;
}

/** The app without a port. `localToken` lets its own process in as the owner. */
export type OpenInside = (options: {
  readonly localToken: string;
}) => Promise<{ readonly server: FastifyInstance } & AsyncDisposable>;

export type FindServer = {
  readonly serverUrl: string | undefined;
  readonly token: string | undefined;
  readonly dataFolder: string;
  readonly openInside: OpenInside;
  /** Makes the data folder where there is none: for commands that can be somebody's first. */
  readonly create?: boolean;
};

/** @throws PlatformError cli/no-server */
export async function findServer({
  serverUrl,
  token,
  dataFolder,
  openInside,
  create = false,
}: FindServer): Promise<ApiClient> {
  if (serverUrl !== undefined) return overHttp(serverUrl, token);
  const running = await readServerFile(dataFolder);
  if (running) return overHttp(running.url, token ?? running.token);
  if (!create && !(await exists(dataFolder))) {
    throw new PlatformError('cli/no-server', dataFolder, {
      hint: 'start one with `rondo up`, or name it: --server, RONDO_URL, or --data with its folder',
    });
  }
  return insideProcess(openInside);
}

/** Every path segment encoded: `path`/api/v1/models/${name}`` . */
export function path(parts: TemplateStringsArray, ...names: readonly (string | number)[]): string {
  return String.raw({ raw: parts }, ...names.map((name) => encodeURIComponent(name)));
}

function overHttp(address: string, token: string | undefined): ApiClient {
  return {
    address,
    async call<T>(method: string, target: string, { query, body, signal }: Call = {}): Promise<T> {
      let response: Response;
      try {
        response = await fetch(`${address}${withQuery(target, query)}`, {
          method,
          redirect: 'error',
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          ...(signal && { signal }),
        });
      } catch (cause) {
        if (signal?.aborted) throw cause;
        throw new PlatformError('cli/unreachable', address, {
          cause: rootOf(cause),
          hint: 'is it running? `rondo up` starts one',
        });
      }
      return answerOf(response.status, await response.text(), target);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function insideProcess(openInside: OpenInside): Promise<ApiClient> {
  const localToken = crypto.randomUUID();
  const app = await openInside({ localToken });
  return {
    address: 'this process',
    async call<T>(method: 'GET', target: string, { query, body, signal }: Call = {}): Promise<T> {
      signal?.throwIfAborted();
      const response = await app.server.inject({
        method,
        url: withQuery(target, query),
        headers: { host: 'localhost', authorization: `Bearer ${localToken}` },
        ...(body !== undefined && { payload: body as object }), // JSON values only
      });
      return answerOf(response.statusCode, response.body, target);
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

function withQuery(target: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  return search.size === 0 ? target : `${target}?${search}`;
}

function answerOf<T>(status: number, text: string, target: string): T {
  const body: unknown = text === '' ? {} : parsed(text);
  if (status < 400) return body as T; // as the server's published schema says
  throw problemError(status, body, target);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The server's problem as the error it was there. One of a newer server keeps its words and gets a code of its status. */
function problemError(status: number, body: unknown, target: string): PlatformError {
  const { code, detail, error, fix, errors, data } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >; // each checked below
  const known = typeof code === 'string' && Object.hasOwn(errorCatalogue, code) ? (code as ErrorCode) : codeFor(status);
  const said = detail ?? error; // the inference protocol has only `error`
  return new PlatformError(known, target, {
    message: typeof said === 'string' ? said : `The server answered ${status} to ${target}.`,
    ...(typeof fix === 'string' && { hint: fix }),
    ...(Array.isArray(errors) && { at: errors }),
    ...(typeof data === 'object' && data !== null && { data: data as Record<string, unknown> }),
  });
}

function codeFor(status: number): ErrorCode {
  if (status === 401) return 'http/unauthenticated';
  if (status === 403) return 'http/forbidden';
  if (status === 404) return 'http/not-found';
  if (status === 409) return 'http/conflict';
  if (status === 503) return 'http/unavailable';
  return status < 500 ? 'http/bad-request' : 'http/internal';
}

/** fetch says "fetch failed"; what failed is inside. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

async function exists(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}
