/** Which kind of MLflow an address means, and opens it. */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PlatformError } from '../errors.ts';
import { placeOf } from './artifact-place.ts';
import { localFinder } from './local-artifacts-adapter.ts';
import { fetchFrom, mlflowApi } from './mlflow-api-adapter.ts';
import { databaseSource } from './mlflow-database-adapter.ts';
import { folderSource } from './mlflow-folder-adapter.ts';
import { serverSource } from './mlflow-server-adapter.ts';
import type { MlflowSource } from './mlflow-source.ts';
import { openPostgresReader, openSqliteReader } from './sql-reader-adapter.ts';

export type OpenSource = {
  /** As MLFLOW_TRACKING_URI or `--backend-store-uri` have it: a URL, a database, a folder. */
  readonly address: string;
  readonly cwd: string;
  /** The folder behind `mlflow-artifacts:/` of a database. */
  readonly artifacts?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
};

/** @throws PlatformError interop/bad-source, interop/unreachable */
export async function openMlflowSource(options: OpenSource): Promise<MlflowSource> {
  const { address, cwd } = options;
  const scheme = /^([a-z][a-z0-9]*)(?:\+\w+)?:/i.exec(address)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'http':
    case 'https':
      return openServer(options);
    case 'sqlite':
      return openSqlite(options, resolve(cwd, address.replace(/^sqlite(?:\+\w+)?:\/\/\/?/i, '')));
    case 'postgresql':
    case 'postgres':
      return openPostgres(options);
    case 'file':
    case undefined: {
      const place = placeOf(address);
      const path = resolve(cwd, place.kind === 'local' ? place.path : address);
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory()) return openFolder(options, path);
      if (found?.isFile()) return openSqlite(options, path);
      throw new PlatformError('interop/bad-source', address, {
        message: `There is no file or folder ${path}.`,
        hint: forms,
      });
    }
    case 'mysql':
    case 'mssql':
      throw new PlatformError('interop/bad-source', scheme, {
        message: `Rondo does not read ${scheme} itself.`,
        hint: `let MLflow's own server read it: mlflow server --backend-store-uri ${scheme}://…, then rondo import mlflow http://127.0.0.1:5000`,
      });
    default:
      throw new PlatformError('interop/bad-source', address, { hint: forms });
  }
}

const forms = 'http://host:5000, sqlite:///mlflow.db, postgresql://user:password@host/database or the folder mlruns';

async function openServer({ address, username, password, token, signal }: OpenSource): Promise<MlflowSource> {
  const url = URL.parse(address);
  if (!url) throw new PlatformError('interop/bad-source', address, { hint: forms });
  const shown = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  const api = mlflowApi({ address: shown, send: fetchFrom(url, { username, password, token, signal }), signal });
  await api.json('POST', '/api/2.0/mlflow/experiments/search', { max_results: 1 });
  return serverSource(api);
}

async function openSqlite(options: OpenSource, path: string): Promise<MlflowSource> {
  const base = dirname(path);
  const proxied = await folderNamed(options, [join(base, 'mlartifacts'), join(options.cwd, 'mlartifacts')]);
  await using opened = new AsyncDisposableStack();
  const sql = opened.use(await openSqliteReader(path));
  const source = await databaseSource(sql, { address: `sqlite:///${path}`, findLocal: localFinder({ base, proxied }) });
  opened.move();
  return source;
}

async function openPostgres(options: OpenSource): Promise<MlflowSource> {
  const url = URL.parse(options.address.replace(/^postgres(?:ql)?(?:\+\w+)?:/i, 'postgresql:'));
  if (!url) throw new PlatformError('interop/bad-source', 'the address', { hint: forms });
  const proxied = await folderNamed(options, [join(options.cwd, 'mlartifacts')]);
  const address = `postgresql://${url.host}${url.pathname}`;
  await using opened = new AsyncDisposableStack();
  const sql = opened.use(await openPostgresReader(url.href, address));
  const source = await databaseSource(sql, { address, findLocal: localFinder({ base: options.cwd, proxied }) });
  opened.move();
  return source;
}

async function openFolder(options: OpenSource, path: string): Promise<MlflowSource> {
  const base = dirname(path);
  const proxied = await folderNamed(options, [join(base, 'mlartifacts')]);
  return folderSource(path, { findLocal: localFinder({ base, proxied }) });
}

/** The folder that the user named, or where MLflow's server puts it when nobody says otherwise. */
async function folderNamed({ artifacts, cwd }: OpenSource, usual: readonly string[]): Promise<string | undefined> {
  const named = artifacts === undefined ? [] : [resolve(cwd, artifacts)];
  for (const folder of artifacts === undefined ? usual : named) {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory()) return folder;
  }
  if (artifacts === undefined) return undefined;
  throw new PlatformError('interop/bad-source', artifacts, { message: `There is no folder ${artifacts}.` });
}
