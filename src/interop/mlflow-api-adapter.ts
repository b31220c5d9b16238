/** MLflow's API over HTTP: exact numbers, credentials as its own clients send them, and another try where that can help. */
import { setTimeout as wait } from 'node:timers/promises';
import { PlatformError } from '../errors.ts';
import { parseJson } from '../mlflow/json.ts';
import type { MlflowApi } from './mlflow-server-adapter.ts';
import { type Row, textOf } from './row-values.ts';

/** One request; any status is an answer, only a server that is not there throws. */
export type SendRequest = (request: {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly body?: string | AsyncIterable<Uint8Array>;
}) => Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> }>;

/** The API with what only a writer needs. */
export type WritableMlflow = MlflowApi & {
  put(path: string, body: AsyncIterable<Uint8Array>): Promise<void>;
};

const tries = 5;

export function mlflowApi({
  address,
  send,
  signal,
}: {
  readonly address: string;
  readonly send: SendRequest;
  readonly signal: AbortSignal;
}): WritableMlflow {
  /** Reading may be done twice, and so may what the server has not begun. */
  async function patiently(request: Parameters<SendRequest>[0]): ReturnType<SendRequest> {
    const isReading = request.method === 'GET' || request.path.endsWith('/search');
    for (let attempt = 1; ; attempt += 1) {
      let failure: unknown;
      try {
        const answer = await send(request);
        const isPassing = answer.status === 429 || answer.status === 503 || (isReading && answer.status >= 500);
        if (!isPassing || attempt === tries) return answer;
        for await (const _ of answer.body); // or its connection is held
      } catch (error) {
        failure = error;
      }
      signal.throwIfAborted();
      if (failure !== undefined && (!isReading || attempt === tries)) {
        throw new PlatformError('interop/unreachable', address, {
          cause: rootOf(failure),
          hint: 'does MLflow run there?',
        });
      }
      await wait(200 * 2 ** attempt, undefined, { signal });
    }
  }

  return {
    address,
    async json(method, path, message) {
      const query = method === 'GET' ? queryOf(message) : undefined;
      const { status, body } = await patiently({
        ...{ method, path },
        ...(query ? { query } : { type: 'application/json', body: JSON.stringify(message) }),
      });
      const text = await textIn(body);
      if (status >= 300) throw refusal(`${method} ${path}`, status, text);
      return answerIn(text, `${method} ${path}`);
    },
    async open(path, query) {
      const { status, body } = await patiently({ method: 'GET', path, ...(query && { query: queryOf(query) }) });
      if (status < 300) return body;
      const text = await textIn(body);
      if (status === 404) return undefined;
      throw refusal(`GET ${path}`, status, text);
    },
    async put(path, body) {
      const answer = await send({ method: 'PUT', path, type: 'application/octet-stream', body });
      const text = await textIn(answer.body);
      if (answer.status >= 300) throw refusal(`PUT ${path}`, answer.status, text);
    },
  };
}

/** Over the network, with user and password as MLflow's clients take them: from the URL or the environment. */
export function fetchFrom(
  url: URL,
  {
    username,
    password,
    token,
    signal,
  }: {
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    readonly token?: string | undefined;
    readonly signal: AbortSignal;
  },
): SendRequest {
  const user = url.username === '' ? username : decodeURIComponent(url.username);
  const secret = url.username === '' ? password : decodeURIComponent(url.password);
  const basic = user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${secret ?? ''}`).toString('base64')}`;
  const authorization = basic ?? (token === undefined ? undefined : `Bearer ${token}`);
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  return async ({ method, path, query, type, body }) => {
    const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const response = await fetch(`${base}${path}${search}`, {
      method,
      headers: { ...(authorization && { authorization }), ...(type && { 'content-type': type }) },
      // Node's fetch takes what can be iterated, and wants to be told that the answer may begin before its end.
      ...(body !== undefined && { body: body as NonNullable<RequestInit['body']>, duplex: 'half' as const }),
      signal,
    });
    return { status: response.status, body: response.body ?? nothing() };
  };
}

const queryOf = (message: Row): Record<string, string> => {
  const entries = Object.entries(message).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, textOf(value)]));
};

function answerIn(text: string, what: string): Row {
  try {
    const answer: unknown = text === '' ? {} : parseJson(text);
    if (typeof answer === 'object' && answer !== null) return answer as Row;
  } catch {
    // told below, as anything else that is no object
  }
  throw new PlatformError('interop/bad-source', what, {
    message: `What answers ${what} is no MLflow: ${text.slice(0, 80)}`,
    hint: 'name the address of an MLflow server, as in MLFLOW_TRACKING_URI',
  });
}

function refusal(what: string, status: number, text: string): PlatformError {
  const said = /^\s*\{/.test(text) ? answerIn(text, what) : {};
  const message = textOf(said.message ?? said.detail) || text.slice(0, 200) || `status ${status}`;
  return new PlatformError('interop/refused', what, {
    message: `MLflow refuses ${what} (${textOf(said.error_code) || status}): ${message}`,
    data: { status, ...(said.error_code === undefined ? {} : { code: textOf(said.error_code) }) },
    ...(status === 401 || status === 403
      ? { hint: 'set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN' }
      : {}),
  });
}

async function textIn(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** fetch says "fetch failed"; what failed is inside. */
const rootOf = (error: unknown): unknown =>
  error instanceof Error && error.cause instanceof Error ? error.cause : error;
