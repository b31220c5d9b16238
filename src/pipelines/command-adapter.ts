/** Runs a step's command in its own process group and writes down what it says. Worker process only. */
import { spawn } from 'node:child_process';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PlatformError } from '../errors.ts';
import type { JobContext } from '../jobs/job.ts';

/** A line of an execution's log, as it is stored. */
export type LogLine = {
  readonly at: number;
  readonly step: string;
  /** `note` is Rondo's own. */
  readonly stream: 'out' | 'err' | 'note';
  readonly line: string;
};

/** Longer lines are cut: a progress bar without line breaks must not become one line of a gigabyte. */
const longestLine = 8_000;
/** After this much the log says so and stops; the command goes on. */
const longestLog = 64 * 2 ** 20;
/** Between asking a cancelled command to stop and making it. Less than what a worker has itself when its server is gone. */
const termGraceMs = 2_000;

export type Command = {
  readonly step: string;
  readonly argv: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** JSON lines, appended to. */
  readonly logFile: string;
};

/** @throws PlatformError `pipelines/command-failed` when it cannot be started or exits with anything but 0 */
export async function runCommand(
  command: Command,
  context: Pick<JobContext, 'signal' | 'startGroup' | 'progress'>,
): Promise<void> {
  const { step, argv, folder, env } = command;
  const { signal } = context;
  await using log = await openLog(command);
  await log.write('note', `$ ${argv.join(' ')}`);
  const [program = '', ...args] = argv;
  // A group of its own: a trainer's children go with it.
  const child = context.startGroup(() =>
    spawn(program, args, {
      cwd: folder,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  );
  const {
    promise: exited,
    resolve,
    reject,
  } = Promise.withResolvers<{ code: number | null; killed: NodeJS.Signals | null }>();
  child.once('error', (cause) =>
    reject(
      new PlatformError('pipelines/command-failed', step, {
        cause,
        message: `${step} cannot be started: ${program} is not there or may not be run.`,
        hint: 'The command is looked up in PATH and started in the project folder, without a shell.',
      }),
    ),
  );
  child.once('close', (code, killed) => resolve({ code, killed }));
  let kill: NodeJS.Timeout | undefined;
  const stop = (): void => {
    endGroup(child.pid, 'SIGTERM');
    kill = setTimeout(() => endGroup(child.pid, 'SIGKILL'), termGraceMs);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const tail: string[] = [];
    const [{ code, killed }] = await Promise.all([
      exited,
      follow(child.stdout, (line) => {
        context.progress(undefined, `${step}: ${line.slice(0, 200)}`);
        return log.write('out', line);
      }),
      follow(child.stderr, (line) => {
        tail.push(line);
        if (tail.length > tailLines) tail.shift();
        return log.write('err', line);
      }),
    ]);
    // What the command left running in its group must not outlive the step.
    endGroup(child.pid, 'SIGKILL');
    if (signal.aborted) {
      await log.write('note', 'cancelled');
      throw new PlatformError('jobs/cancelled', step);
    }
    if (code === 0) return;
    const how = killed ? `was killed by ${killed}` : `exited with ${code}`;
    await log.write('note', how);
    throw new PlatformError('pipelines/command-failed', step, {
      message: `It ${how}${tellingLine(tail)}.`,
      hint:
        killed === 'SIGKILL'
          ? 'It may have run out of memory. The whole output is in the log.'
          : 'The whole output is in the log.',
      data: { exitCode: code, signal: killed, stderr: tail },
    });
  } finally {
    clearTimeout(kill);
    signal.removeEventListener('abort', stop);
  }
}

/** The worker's own environment, already without secrets; this Node first, so that `node step.ts` means the one Rondo runs on. */
function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), process.env.PATH].filter(Boolean).join(delimiter);
  return { ...process.env, PATH: path, ...own };
}

async function follow(stream: Readable, onLine: (line: string) => Promise<void>): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    await onLine(line.length > longestLine ? `${line.slice(0, longestLine)} …` : line);
  }
}

async function openLog({ logFile, step }: Command) {
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  const file: FileHandle = await open(logFile, 'a', 0o600);
  let { size } = await file.stat();
  let full = false;
  return {
    async write(stream: LogLine['stream'], line: string): Promise<void> {
      if (full) return;
      full = size > longestLog;
      const entry: LogLine = full
        ? { at: Date.now(), step, stream: 'note', line: 'The log ends here: it is full.' }
        : { at: Date.now(), step, stream, line };
      const text = `${JSON.stringify(entry)}\n`;
      size += text.length;
      await file.appendFile(text);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error; // it has ended; EPERM is how macOS says so of a zombie
  }
}

/** Deep enough to reach from the end of a stack trace to the error above it. */
const tailLines = 40;

/** The last line that names an error, or else the last one that says anything. */
function tellingLine(tail: readonly string[]): string {
  const said = tail.map((line) => line.trim()).filter((line) => line !== '');
  const line = said.findLast((one) => /^[\w.]*(?:Error|Exception)\b.*:/.test(one)) ?? said.at(-1);
  return line === undefined ? '' : `: ${line.replace(/\.$/, '')}`;
}
