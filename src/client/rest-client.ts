/** MLflow's REST conventions: JSON with an error code, and which failures are worth another try. */
import { setTimeout as wait } from 'node:timers/promises';

export type RestOptions = {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** How often a request is repeated, 7 when not given, and how long before the first repetition; the pause doubles. */
  readonly retries?: number;
  readonly firstPauseMs?: number;
  readonly timeoutMs?: number;
};

export type Rest = {
  /** @param path below `/api/2.0/mlflow/`. @returns the parsed answer */
  call(method: 'GET' | 'POST' | 'PATCH', path: string, content: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** @param path below `/api/2.0/mlflow-artifacts/artifacts/`, not encoded */
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

const passing = new Set([408, 429, 500, 502, 503, 504]);
const longestPauseMs = 60_000;

export function restClient({ url, token, retries = 7, firstPauseMs = 500, timeoutMs = 120_000 }: RestOptions): Rest {
  const base = new URL(url).href.replace(/\/$/, '');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };

  /** One request until it is answered for good. */
  const send = async (target: string, init: RequestInit): Promise<Response> => {
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt >= retries;
      let response: Response;
      try {
        response = await fetch(target, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      } catch (error) {
        if (isLast) throw new Error(`${base} does not answer`, { cause: error });
        await wait(pauseMs(firstPauseMs, attempt));
        continue;
      }
      if (response.ok) return response;
      if (isLast || !passing.has(response.status)) throw await errorOf(response);
      await response.body?.cancel();
      await wait(askedFor(response) ?? pauseMs(firstPauseMs, attempt));
    }
  };

  return {
    async call(method, path, content) {
      const target = `${base}/api/2.0/mlflow/${path}`;
      const response =
        method === 'GET'
          ? await send(`${target}?${new URLSearchParams(content as Record<string, string>)}`, { method, headers })
          : await send(target, {
              method,
              headers: { ...headers, 'content-type': 'application/json' },
              body: JSON.stringify(content),
            });
      return response.json();
    },
    async upload(path, body) {
      const encoded = path.split('/').map(encodeURIComponent).join('/');
      const target = `${base}/api/2.0/mlflow-artifacts/artifacts/${encoded}`;
      const response = await send(target, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/octet-stream' },
        body,
      });
      await response.body?.cancel();
    },
  };
}

/** Doubles, and is spread over a quarter so that many clients do not come back at once. */
const pauseMs = (first: number, attempt: number): number =>
  Math.min(longestPauseMs, first * 2 ** attempt) * (1 + Math.random() / 4);

function askedFor(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? Math.min(longestPauseMs, seconds * 1000) : undefined;
}

async function errorOf(response: Response): Promise<RequestError> {
  const text = await response.text();
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: unknown; message?: unknown };
    if (typeof code === 'string') return new RequestError(response.status, code, String(message ?? code));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new RequestError(response.status, String(response.status), text.slice(0, 500) || response.statusText);
}
