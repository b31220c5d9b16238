/** Programs of the project, run as a person would run them: `node fetch-data.ts`, and the clients that send traffic. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export type Project = {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
};

/** @throws Error with what the program said, when it fails */
export async function runProgram({ folder, env, signal }: Project, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [...args], { cwd: folder, env, signal, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}: ${said}`);
}

export type ReplayReport = { readonly requests: number; readonly failed: number; readonly labels: number };
export type ReplayLine = Partial<ReplayReport> & {
  readonly kind: 'ready' | 'day' | 'paused' | 'done';
  readonly at?: string;
};

/** The traffic, in a process of its own. Dates are days of the flights, `2001-04-01`. */
export type Replay = Disposable & {
  /** The newest line of each kind. */
  latest(): ReplayLine | undefined;
  /** Goes on until the morning of a day. */
  until(day: string): Promise<void>;
  /** Stops at the next midnight of the flights. */
  pause(): Promise<void>;
  resume(): void;
  /** The whole rest. */
  finish(): Promise<ReplayReport>;
};

export function startReplay(project: Project, args: readonly string[], onLine: (line: ReplayLine) => void): Replay {
  const { folder, env, signal } = project;
  const child = spawn(process.execPath, ['replay.ts', ...args], {
    cwd: folder,
    env,
    signal,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let latest: ReplayLine | undefined;
  let paused = false;
  let said = '';
  let ended: Error | undefined;
  let waiting: { kind: ReplayLine['kind']; resolve: (line: ReplayLine) => void; reject: (error: Error) => void }[] = [];
  const fail = (error: Error) => {
    ended ??= error;
    for (const one of waiting) one.reject(ended);
    waiting = [];
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  child.on('error', fail);
  child.on('exit', (code) => fail(new Error(`The replay ended with ${code}: ${said}`)));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as ReplayLine; // our own program's
    latest = line;
    onLine(line);
    const due = waiting.filter((one) => one.kind === line.kind);
    waiting = waiting.filter((one) => one.kind !== line.kind);
    for (const one of due) one.resolve(line);
  });
  const next = (kind: ReplayLine['kind']) =>
    new Promise<ReplayLine>((resolve, reject) => {
      if (ended) reject(ended);
      else waiting.push({ kind, resolve, reject });
    });
  const tell = (command: object) => child.stdin.write(`${JSON.stringify(command)}\n`);
  const resume = () => {
    if (!paused) return;
    paused = false;
    tell({ resume: true });
  };
  const pauseAt = async (day: string) => {
    const stopped = next('paused');
    tell({ pauseAt: day });
    resume();
    await stopped;
    paused = true;
  };
  return {
    latest: () => latest,
    until: pauseAt,
    pause: () => pauseAt('2001-01-01'), // a day that has passed is due at once
    resume,
    finish: async () => {
      const done = next('done');
      resume();
      const { requests = 0, failed = 0, labels = 0 } = await done;
      return { requests, failed, labels };
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}
