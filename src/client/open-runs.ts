/**
 * Runs that are going on when the program ends, however it does: what has not arrived is sent and the run gets its end. At that moment
 * only blocking calls are left, and Node has no blocking requests: another process sends what this one puts into files.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { LeftFile } from './metric-spool.ts';
import type { Rest } from './rest-client.ts';

export type OpenRun = {
  readonly rest: Rest;
  readonly id: string;
  /** @param status of a run whose end was not asked for */
  leave(status: string): LeftFile;
};
/** What the other process reads. */
export type Delivery = Pick<Rest, 'url' | 'authorization'> & { readonly files: readonly LeftFile[] };

const open = new Set<OpenRun>();
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Whoever sends a signal kills when nothing happens. */
const allowedAfterSignalMs = 8_000;

export function addOpenRun(run: OpenRun): void {
  if (open.size === 0) {
    process.on('exit', onExit);
    for (const signal of signals) process.on(signal, onSignal);
  }
  open.add(run);
}

export function removeOpenRun(run: OpenRun): void {
  open.delete(run);
  if (open.size > 0) return;
  process.off('exit', onExit);
  for (const signal of signals) process.off(signal, onSignal);
}

/** After the last line, `process.exit`, and an exception that nobody caught. */
const onExit = (code: number): void => leave(code === 0 ? 'FINISHED' : 'FAILED');

/** Ends as without us. A program with its own listener decides itself when it ends. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  leave('KILLED', allowedAfterSignalMs);
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}

function leave(status: string, timeout?: number): void {
  const runs = [...open];
  open.clear();
  const servers = Map.groupBy(runs, ({ rest }) => rest);
  for (const [{ url, authorization }, itsRuns] of servers) {
    const left = itsRuns.flatMap((run) => leaveOne(run, status));
    const delivery: Delivery = { url, authorization, files: left.map(({ file }) => file) };
    const entry = senderBeside(import.meta.filename);
    if (entry !== undefined) {
      spawnSync(process.execPath, [entry], {
        input: JSON.stringify(delivery),
        stdio: ['pipe', 'ignore', 'inherit'],
        ...(timeout !== undefined && { timeout }),
      });
    }
    for (const { id, file } of left.filter(({ file }) => existsSync(file.path))) {
      process.stderr.write(
        `What run ${id} has not sent waits in ${file.path}: the next program here that logs to ${url} sends it.\n`,
      );
    }
  }
}

/**
 * The program that sends what is left. @param path of this module
 * @returns undefined where a bundler has put this module into the user's program: to start that again would train again
 */
export function senderBeside(path: string): string | undefined {
  const [, folder, extension] = /^(.*[/\\])open-runs(\.[jt]s)$/.exec(path) ?? [];
  return folder === undefined ? undefined : `${folder}send-left-files${extension}`;
}

/** @returns nothing when there is no place for it: the other runs go on */
function leaveOne(run: OpenRun, status: string): { readonly id: string; readonly file: LeftFile }[] {
  try {
    return [{ id: run.id, file: run.leave(status) }];
  } catch (error) {
    process.stderr.write(
      `What run ${run.id} has not sent is lost: ${error instanceof Error ? error.message : error}\n`,
    );
    return [];
  }
}
