/**
 * Metrics in a file, one a line: those that memory has no room for while the server is away, and those that a program leaves behind
 * when it ends. The first line says which run of which server they belong to, the last one may say how the run ended.
 */
import { appendFileSync, closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { WireMetric } from './wire-metric.ts';

export type SpoolHeader = { readonly url: string; readonly runId: string };
export type Ending = { readonly status: string; readonly endTime: number };
/** `from` is the place of the first byte that was not read yet. */
export type LeftFile = { readonly path: string; readonly from: number };

export function defaultSpoolFolder(environment: NodeJS.ProcessEnv): string {
  const state = environment['XDG_STATE_HOME'] || join(homeOf(environment), '.local', 'state');
  return join(state, 'rondo-client');
}

function homeOf(environment: NodeJS.ProcessEnv): string {
  try {
    return environment['HOME'] || homedir();
  } catch (error) {
    if (error instanceof Error) return tmpdir(); // a container may run as a user that the system does not know
    throw error;
  }
}

const inUse = new Set<string>();
let opened = 0;

/** Written with blocking calls: a metric is logged by a call that returns at once, and what it returned for is kept. */
export class MetricSpool {
  readonly #path: string;
  readonly #file: number;
  #readAt = 0;
  #waiting = 0;
  #isTorn = false;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /** Metrics that were put in and not yet taken out. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws Error of the file system, and then the metric is not kept */
  put(metric: WireMetric): void {
    this.#write(metric);
    this.#waiting += 1;
  }

  /** @returns the oldest, at most so many */
  take(most: number): WireMetric[] {
    const taken: WireMetric[] = [];
    for (const { line, end } of linesOf(this.#file, this.#readAt)) {
      this.#readAt = end;
      if ('key' in line) taken.push(line);
      if (taken.length === most) break;
    }
    this.#waiting -= taken.length;
    return taken;
  }

  /** The file stays, for whoever sends it. */
  leave(ending: Ending): LeftFile {
    this.#write(ending);
    return { path: this.#path, from: this.#readAt };
  }

  discard(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    inUse.delete(this.#path);
  }

  #write(line: SpoolLine): void {
    const bytes = Buffer.from(`${this.#isTorn ? '\n' : ''}${JSON.stringify(line)}\n`);
    this.#isTorn = true; // a full disk may take the first half of a line
    const written = writeSync(this.#file, bytes);
    if (written < bytes.length) throw new Error(`${this.#path}: no space left`);
    this.#isTorn = false;
  }
}

/** @param folder made when it is not there, for this user only */
export function openSpool(folder: string, header: SpoolHeader): MetricSpool {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  opened += 1;
  const path = join(folder, `${hostname()}.${process.pid}.${opened}.jsonl`);
  appendFileSync(path, `${JSON.stringify(header)}\n`, { mode: 0o600 });
  inUse.add(path);
  return new MetricSpool(path, openSync(path, 'a+'));
}

/** Whether nobody writes it any more: its program has ended. Files of other machines are left to those. */
export function isLeftBehind(path: string): boolean {
  const [, pid] = basename(path).match(/\.(\d+)\.\d+\.jsonl$/) ?? [];
  if (pid === undefined || !basename(path).startsWith(`${hostname()}.`) || inUse.has(path)) return false;
  if (Number(pid) === process.pid) return true; // of an earlier program that had the same number
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: somebody else's, and alive
  }
}

export type SpoolLine = SpoolHeader | WireMetric | Ending;

/** Of a torn line, and one without its end, nobody was told that it is kept: they are passed over. */
export function* linesOf(file: number, from: number): Generator<{ readonly line: SpoolLine; readonly end: number }> {
  const chunk = Buffer.alloc(256 * 1024);
  let start = from;
  let rest = Buffer.alloc(0);
  for (;;) {
    const size = readSync(file, chunk, 0, chunk.length, start + rest.length);
    if (size === 0) return;
    const bytes = Buffer.concat([rest, chunk.subarray(0, size)]);
    let at = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, at)) {
      const line = parsed(bytes.toString('utf8', at, end));
      if (line) yield { line, end: start + end + 1 };
      at = end + 1;
    }
    start += at;
    rest = bytes.subarray(at);
  }
}

function parsed(text: string): SpoolLine | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
