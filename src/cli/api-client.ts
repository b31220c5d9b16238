/** The API as the commands call it: over HTTP where a server runs, inside this process where none does. */
import { access } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type ErrorCode, errorCatalogue, PlatformError } from '../errors.ts';
import { readServerFile } from './server-file.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export type Call = { readonly query?: Query; readonly body?: unknown; readonly signal?: AbortSignal };

/** Answers are what the server's published schema says; each command names the part it reads. */
export interface ApiClient extends AsyncDisposable {
  /** For messages: where it is. */
  readonly address: string;
  call<T>(method: Method, path: string, call?: Call): Promise<T>;
  /** For what is no JSON of ours: files, and MLflow's calls. Any status is an answer. */
  send(method: Method, path: string, request?: RawRequest): Promise<RawAnswer>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type RawRequest = {
  readonly query?: Query;
  readonly type?: string;
  readonly body?: string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
};
export type RawAnswer = { readonly status: number; readonly body: AsyncIterable<Uint8Array> };

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
    async call<T>(method: Method, target: string, { query, body, signal }: Call = {}): Promise<T> {
      const response = await request(method, target, {
        ...(query && { query }),
        ...(body !== undefined && { body: JSON.stringify(body), type: 'application/json' }),
        ...(signal && { signal }),
      });
      return answerOf(response.status, await response.text(), target);
    },
    async send(method, target, raw = {}) {
      const { status, body } = await request(method, target, raw);
      return { status, body: body ?? Readable.from([]) };
    },
    [Symbol.asyncDispose]: async () => {},
  };

  async function request(method: Method, target: string, { query, type, body, signal }: RawRequest): Promise<Response> {
    try {
      return await fetch(`${address}${withQuery(target, query)}`, {
        method,
        redirect: 'error',
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(type !== undefined && { 'content-type': type }),
        },
        // Node's fetch takes what can be iterated, and wants to be told that the answer may begin before its end.
        ...(body !== undefined && { body: body as NonNullable<RequestInit['body']>, duplex: 'half' as const }),
        ...(signal && { signal }),
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new PlatformError('cli/unreachable', address, {
        cause: rootOf(cause),
        hint: 'is it running? `rondo up` starts one',
      });
    }
  }
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
    async send(method, target, { query, type, body, signal } = {}) {
      signal?.throwIfAborted();
      const response = await app.server.inject({
        method,
        url: withQuery(target, query),
        headers: {
          host: 'localhost',
          authorization: `Bearer ${localToken}`,
          ...(type !== undefined && { 'content-type': type }),
        },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : Readable.from(body) }),
        payloadAsStream: true,
      });
      return { status: response.statusCode, body: response.stream() };
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
