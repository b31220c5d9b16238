/** Opens the app on a port, writes down where, and waits to be told to stop. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { PlatformError } from '../errors.ts';
import { startServer as listen } from '../http/server.ts';
import { shutDown } from '../http/shut-down.ts';
import { openDataFolder } from './data-folder.ts';
import { holderOfPort } from './port-holder.ts';
import { readServerFile, writeServerFile } from './server-file.ts';

export type StartOptions = { readonly host: string; readonly port: number; readonly dataFolder: string };

/** Supplied by main.ts, which knows the app. */
export type OpenApp = (
  options: StartOptions & { readonly localToken: string },
) => Promise<{ readonly server: FastifyInstance } & AsyncDisposable>;

export type RunningServer = AsyncDisposable & { readonly url: string; readonly port: number; readonly token: string };
export type StartServer = (options: StartOptions) => Promise<RunningServer>;

/** @throws PlatformError http/port-in-use with the process that holds it, storage/folder-in-use, storage/cannot-open */
export const serverStarter =
  ({ openApp, now }: { readonly openApp: OpenApp; readonly now: () => number }): StartServer =>
  async (options) => {
    await using opened = new AsyncDisposableStack();
    opened.use(await lockFolder(options.dataFolder));
    const token = randomBytes(24).toString('base64url');
    const app = await openApp({ ...options, localToken: token });
    opened.defer(async () => {
      await shutDown(app.server, app);
    });
    const { url, port } = await listen(app.server, options).catch(async (error: unknown) => {
      throw await withHolder(error, options.port);
    });
    // Commands of this machine reach an address that stands for all of them by loopback.
    const reachable = url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
    opened.use(
      await writeServerFile(options.dataFolder, { url: reachable, pid: process.pid, token, startedAt: now() }),
    );
    const running = opened.move();
    return { url, port, token, [Symbol.asyncDispose]: () => running.disposeAsync() };
  };

async function lockFolder(folder: string): Promise<AsyncDisposable> {
  try {
    return await openDataFolder(folder);
  } catch (error) {
    if (!(error instanceof PlatformError && error.code === 'storage/folder-in-use')) throw error;
    const holder = await readServerFile(folder);
    throw new PlatformError('storage/folder-in-use', folder, {
      hint: holder
        ? `it serves at ${holder.url} (process ${holder.pid}): use that one, stop it, or take another folder with --data`
        : 'stop that process, or take another folder with --data',
    });
  }
}

async function withHolder(error: unknown, port: number): Promise<unknown> {
  if (!(error instanceof PlatformError && error.code === 'http/port-in-use')) return error;
  const holder = await holderOfPort(port);
  return new PlatformError('http/port-in-use', error.subject, {
    message: `Port ${port} is in use${holder === undefined ? '' : ` by process ${holder.pid} (${holder.command})`}.`,
    hint: `stop ${holder === undefined ? 'what uses it' : 'that process'}, or take another port: rondo up --port ${port + 1}`,
  });
}
