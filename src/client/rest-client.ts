/** MLflow's REST conventions: JSON with an error code, and which failures are worth another try. */
import { setTimeout as wait } from 'node:timers/promises';

export type RestOptions = {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** What the `authorization` header says. */
  readonly authorization?: string | undefined;
  /** How long a request is repeated while nobody answers, ten minutes when not given. */
  readonly patienceMs?: number;
  /** Before the first repetition; the pause doubles. */
  readonly firstPauseMs?: number;
  readonly timeoutMs?: number;
};

type Call = {
  /**
   * For what must not be done twice: asked before a request is repeated whose answer got lost.
   * @returns the answer that it would have had, or undefined when it was not done
   */
  readonly findDone?: () => Promise<unknown>;
  /** The program may end while this waits for the server to come back. */
  readonly isBackground?: boolean;
};

export type Rest = {
  /** Without a slash at its end. */
  readonly url: string;
  readonly authorization: string | undefined;
  /** @param path below `/api/2.0/mlflow/`. @returns the parsed answer. @throws RequestError, UnavailableError */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    content: Readonly<Record<string, unknown>>,
    more?: Call,
  ): Promise<unknown>;
  /** @param path below `/api/2.0/mlflow-artifacts/artifacts/`, not encoded. @throws RequestError, UnavailableError */
  upload(path: string, body: Blob): Promise<void>;
};

/** The server said no. `code` is MLflow's, `RESOURCE_DOES_NOT_EXIST` for example, or the status where it named none. */
export class RequestError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
    this.code = code;
  }
}

/** Nobody answered for as long as patience went. */
export class UnavailableError extends Error {
  constructor(url: string, cause: Error) {
    super(`${url} does not answer: ${reasonOf(cause)}`, { cause });
    this.name = 'UnavailableError';
  }
}

/** Whether the server will never take the request: what it cannot now, or not from this user, it may take later. */
export const isRefusal = (error: unknown): error is RequestError =>
  error instanceof RequestError && error.status < 500 && ![401, 403, 408, 429].includes(error.status);

/** Answers of a server that is going, coming, busy or full. */
const passing = new Set([408, 429, 500, 502, 503, 504, 507]);
/** Somebody who mistyped the address should not wait for minutes, nor somebody whose request the server stumbles over. */
const shortPatienceMs = 30_000;
const longestPauseMs = 10_000;
const tellAfterMs = 5_000;
const slowestUploadBytesPerMs = 1_000;

type Answer = { readonly status: number; readonly text: string; readonly retryAfterMs: number | undefined };

export function restClient({
  url,
  authorization,
  patienceMs = 600_000,
  firstPauseMs = 250,
  timeoutMs = 120_000,
}: RestOptions): Rest {
  const base = new URL(url).href.replace(/\/+$/, '');
  const headers = authorization === undefined ? {} : { authorization };
  let hasAnswered = false;
  let isAway = false; // told once each time it goes away

  /** One request until it is answered for good. */
  const send = async (
    target: string,
    init: RequestInit,
    { findDone, isBackground = false, allowedMs = timeoutMs }: Call & { readonly allowedMs?: number } = {},
  ): Promise<Answer | { readonly done: unknown }> => {
    const startedAt = performance.now();
    for (let attempt = 0; ; attempt++) {
      const outcome = await tryOnce(target, init, allowedMs);
      const isAnswer = !(outcome instanceof Error);
      if (isAnswer && !passing.has(outcome.status)) {
        hasAnswered = true;
        isAway = false;
        if (outcome.status >= 300) throw errorOf(outcome);
        return outcome;
      }
      const isShort = !hasAnswered || (isAnswer && outcome.status === 500);
      const patience = isShort ? Math.min(patienceMs, shortPatienceMs) : patienceMs;
      const pause = (isAnswer ? outcome.retryAfterMs : undefined) ?? pauseMs(firstPauseMs, attempt);
      const waited = performance.now() - startedAt;
      if (waited + pause > patience) throw isAnswer ? errorOf(outcome) : new UnavailableError(base, outcome);
      if (waited > tellAfterMs && !isAway) {
        isAway = true;
        const reason = isAnswer ? `status ${outcome.status}` : reasonOf(outcome);
        process.emitWarning(`${base} does not answer (${reason}): trying again, nothing is lost meanwhile`);
      }
      await wait(pause, undefined, { ref: !isBackground });
      const done = await findDone?.();
      if (done !== undefined) return { done };
    }
  };

  return {
    url: base,
    authorization,
    async call(method, path, content, more) {
      const target = `${base}/api/2.0/mlflow/${path}`;
      const answer =
        method === 'GET'
          ? await send(`${target}?${new URLSearchParams(content as Record<string, string>)}`, { method, headers })
          : await send(
              target,
              { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(content) },
              more,
            );
      if ('done' in answer) return answer.done;
      try {
        return JSON.parse(answer.text);
      } catch (error) {
        throw new TypeError(`${target} does not answer in JSON: is ${base} an MLflow server?`, { cause: error });
      }
    },
    async upload(path, body) {
      const encoded = path.split('/').map(encodeURIComponent).join('/');
      const sent = send(
        `${base}/api/2.0/mlflow-artifacts/artifacts/${encoded}`,
        { method: 'PUT', headers: { ...headers, 'content-type': 'application/octet-stream' }, body },
        { allowedMs: timeoutMs + Math.ceil(body.size / slowestUploadBytesPerMs) },
      );
      await sent.catch((error: unknown) => {
        // Of many files one is meant, and the server does not always say which.
        if (error instanceof RequestError)
          throw new RequestError(error.status, error.code, `${path}: ${error.message}`);
        throw error;
      });
    },
  };
}

/** The whole answer: a server that dies while it answers has not answered. */
async function tryOnce(target: string, init: RequestInit, allowedMs: number): Promise<Answer | Error> {
  const signal = AbortSignal.timeout(allowedMs);
  try {
    const response = await fetch(target, { ...init, signal });
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      status: response.status,
      text: await response.text(),
      retryAfterMs: seconds >= 0 ? Math.min(60_000, seconds * 1000) : undefined,
    };
  } catch (error) {
    if (error instanceof TypeError || signal.aborted) return error as Error; // fetch's word for the network
    throw error;
  }
}

/** Doubles, and is spread over a quarter so that many clients do not come back at once. */
const pauseMs = (first: number, attempt: number): number =>
  Math.min(longestPauseMs, first * 2 ** attempt) * (1 + Math.random() / 4);

/** `fetch` says only "fetch failed"; why stands in its cause. */
const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;

function errorOf({ status, text }: Answer): RequestError {
  try {
    const { error_code: code, message } = (JSON.parse(text) ?? {}) as { error_code?: unknown; message?: unknown };
    if (typeof code === 'string') return new RequestError(status, code, String(message ?? code));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new RequestError(status, String(status), text.slice(0, 500) || `the server answers with status ${status}`);
}
