/** The server as the story calls it: like any other client, over its public API. */

export type Api = ReturnType<typeof serverApi>;
export type LoggedEvent = {
  readonly position: number;
  readonly type: string;
  readonly subject: string;
  readonly at: number;
  readonly endpointTime?: number;
  readonly reason?: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** An answer that was an error, with the server's own words. */
export class Refusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }
}

export function serverApi({
  url,
  token,
  signal,
}: {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}) {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      signal,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = text === '' ? {} : JSON.parse(text);
    if (!response.ok) throw new Refusal(answer.code ?? String(response.status), answer.detail ?? text);
    return answer as T; // the server's published schema says what it is
  };
  const get = <T>(path: string) => call<T>('GET', path);
  const events = (query: string) => get<{ items: readonly LoggedEvent[] }>(`/api/v1/events?limit=1000&${query}`);
  return {
    get,
    put: <T>(path: string, body: unknown) => call<T>('PUT', path, body),
    post: <T>(path: string, body: unknown = {}) => call<T>('POST', path, body),
    /** Waits until a piece of long work has ended. @throws Refusal when it failed */
    async operation<T>(id: string): Promise<T> {
      for (;;) {
        const found = await get<{ state: string; result?: T; error?: { code?: string; message: string } }>(
          `/api/v1/operations/${id}?wait=30`,
        );
        if (found.state === 'done') return found.result as T; // a finished operation has its result
        if (found.state === 'failed' || found.state === 'cancelled') {
          throw new Refusal(found.error?.code ?? found.state, found.error?.message ?? `The work was ${found.state}.`);
        }
      }
    },
    /** Events of some types after a position, oldest first. */
    eventsAfter: async (after: number, types: readonly string[]) =>
      (await events(`order=oldest&after=${after}&types=${types.join(',')}`)).items,
    /** The newest position of the log. */
    position: async () => (await get<{ size: number }>('/api/v1/audit')).size,
  };
}
