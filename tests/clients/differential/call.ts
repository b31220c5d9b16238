/** One request that both servers get, written so that the same text suits both: ids that a server gives are named. */
export type Call = {
  /** Says what is asked; no two calls of the fixed list share one. */
  readonly label: string;
  readonly method: string;
  /** May hold names of ids, as may every text of the other parts. */
  readonly path: string;
  readonly params?: Record<string, unknown> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly data?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Names that later calls use -> where in the answer their value stands. */
  readonly keep?: Readonly<Record<string, string>>;
};

type More = Omit<Call, 'label' | 'method' | 'path'>;
type Fields = Record<string, unknown>;

export const api = '/api/2.0/mlflow';

export const ask = (label: string, method: string, path: string, more: More = {}): Call => ({
  label,
  method,
  path,
  ...more,
});

export const post = (label: string, path: string, body: Fields, more: More = {}): Call =>
  ask(label, 'POST', api + path, { body, ...more });

export const patch = (label: string, path: string, body: Fields): Call => ask(label, 'PATCH', api + path, { body });

export const get = (label: string, path: string, params?: Fields): Call => ask(label, 'GET', api + path, { params });

export const remove = (label: string, path: string, body?: Fields): Call => ask(label, 'DELETE', api + path, { body });

/** The page token that MLflow gives for what follows so many items. */
export const tokenAfter = (offset: number): string => btoa(`{"offset": ${offset}}`);
