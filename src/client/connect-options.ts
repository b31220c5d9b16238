/** Which server, and as whom: from the caller, or from the variables that every MLflow program reads. */
import { defaultSpoolFolder } from './metric-spool.ts';
import type { RestOptions } from './rest-client.ts';

export type ConnectOptions = Omit<RestOptions, 'url' | 'authorization'> & {
  /** `MLFLOW_TRACKING_URI` when not given, else `http://127.0.0.1:5000`. */
  readonly url?: string;
  /** Sent as a bearer token; `MLFLOW_TRACKING_TOKEN` when not given, else name and password. */
  readonly token?: string;
  /** `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` when not given. */
  readonly username?: string;
  readonly password?: string;
  /** Where metrics wait that memory has no room for, and those that a program could not send before its end. */
  readonly spoolFolder?: string;
};

export type Connection = RestOptions & { readonly spoolFolder: string };

/** @throws TypeError when the address is none, or not one of HTTP */
export function connectionOf(options: ConnectOptions, environment: NodeJS.ProcessEnv): Connection {
  const url = options.url ?? (environment['MLFLOW_TRACKING_URI'] || 'http://127.0.0.1:5000');
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new TypeError(`${url} is no address of a tracking server: write it as http://127.0.0.1:5000`);
  }
  const token = options.token ?? environment['MLFLOW_TRACKING_TOKEN'];
  const username = options.username ?? environment['MLFLOW_TRACKING_USERNAME'];
  const password = options.password ?? environment['MLFLOW_TRACKING_PASSWORD'] ?? '';
  const basic = username && `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return {
    ...options,
    url,
    authorization: token ? `Bearer ${token}` : basic || undefined,
    spoolFolder: options.spoolFolder ?? defaultSpoolFolder(environment),
  };
}
