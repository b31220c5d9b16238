/** What a command file is: it describes itself on a prepared Command, and gets what it needs from its context. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ApiClient } from './api-client.ts';
import type { Output } from './output.ts';
import type { StartOptions, StartServer } from './start-server.ts';

export type CommandContext = {
  readonly output: Output;
  readonly version: string;
  readonly cwd: string;
  /** Aborted by Ctrl-C and by SIGTERM. */
  readonly signal: AbortSignal;
  /** The server, found or opened once; closed when the command ends. @param create for what can be somebody's first command */
  readonly api: (options?: { readonly create?: boolean }) => Promise<ApiClient>;
  /** For `up` and `demo`, which are the server. */
  readonly startServer: (flags: Readonly<Record<string, string>>, options: StartOptions) => ReturnType<StartServer>;
  /** Flags and environment, checked. */
  readonly startOptions: (
    flags: Readonly<Record<string, string>>,
  ) => StartOptions & { readonly environment: Readonly<Record<string, string | undefined>> };
  /** For what is said in a result and is still no success: a gate that says no is 3, undecided is 5. */
  readonly setExitCode: (code: number) => void;
  readonly stdin: AsyncIterable<Uint8Array>;
};

/** Every command file exports it. */
export type DefineCommand = (command: Command, context: CommandContext) => void;

/** For options: `--limit <n>`. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It is a whole number.');
  return value;
}

/** `30s`, `10m`, `2h`; a bare number is seconds. @returns milliseconds */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (!match) throw new InvalidArgumentError('Write 30s, 10m or 2h.');
  return Number(match[1]) * (unitMs[match[2] ?? 's'] ?? 1000);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
