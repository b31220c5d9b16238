/** The public API as the pages call it: JSON in, JSON or a problem out. */

/** What the server said went wrong, with the way to mend it. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string | undefined;
  /** Where in a filter, counted from 0. */
  readonly position: number | undefined;

  constructor(
    status: number,
    body: { detail?: string; title?: string; code?: string; fix?: string; data?: { position?: number } },
  ) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = body.code ?? 'unknown';
    this.fix = body.fix;
    this.position = body.data?.position;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The API's address relative to the page, so that a static prefix in front of both needs no setting. */
const base = new URL('./', document.baseURI);

export function address(path: string, query: Query = {}): string {
  const url = new URL(path.replace(/^\//, ''), base);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
  return url.toString();
}

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return request<T>(address(path, query), signal ? { signal } : {});
}

export const post = <T>(path: string, body: unknown = {}): Promise<T> => send<T>('POST', path, body);

export async function send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const content =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return request<T>(address(path), { method, ...content });
}

async function request<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, init).catch((error: unknown) => {
    // What browsers say then differs, and says nothing.
    throw error instanceof TypeError ? new Error('The server does not answer.', { cause: error }) : error;
  });
  const text = await response.text();
  const body: unknown = text === '' ? {} : safely(text);
  if (!response.ok) throw new ApiProblem(response.status, typeof body === 'object' && body !== null ? body : {});
  return body as T; // The server checked it against the schema it publishes.
}

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 300) };
  }
}
