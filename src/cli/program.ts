/** The command line: which commands there are, and how one is found, run and ended with an exit code. */
import { Command, CommanderError } from 'commander';
import { PlatformError } from '../errors.ts';
import type { ApiClient, OpenInside } from './api-client.ts';
import type { CommandContext, DefineCommand } from './command.ts';
import { Output } from './output.ts';
import type { StartOptions, StartServer } from './start-server.ts';

/** What main.ts supplies. */
export type Host = {
  readonly version: string;
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: ConstructorParameters<typeof Output>[0];
  readonly stderr: ConstructorParameters<typeof Output>[1];
  readonly signal: AbortSignal;
  readonly clientConfig: (flags: Readonly<Record<string, string>>) => {
    readonly serverUrl: string | undefined;
    readonly token: string | undefined;
    readonly dataFolder: string;
  };
  readonly startOptions: (
    flags: Readonly<Record<string, string>>,
  ) => StartOptions & { readonly environment: Readonly<Record<string, string | undefined>> };
  readonly openInside: (dataFolder: string) => OpenInside;
  readonly startServer: (flags: Readonly<Record<string, string>>, options: StartOptions) => ReturnType<StartServer>;
};

type Listed = { readonly about: string; readonly load: () => Promise<{ readonly define: DefineCommand }> };

const groups: readonly { readonly title: string; readonly commands: Readonly<Record<string, Listed>> }[] = [
  {
    title: 'Start',
    commands: {
      up: { about: 'start the server here, and link the project of this folder', load: () => import('./up.ts') },
      demo: { about: 'watch the whole loop on real flights, in three minutes', load: () => import('./demo.ts') },
      init: { about: 'write a rondo.yaml for this folder', load: () => import('./init.ts') },
      doctor: { about: 'check that this machine has what the server needs', load: () => import('./doctor.ts') },
      users: { about: 'add people and make their tokens', load: () => import('./users.ts') },
      import: { about: 'move in: bring all of an MLflow here', load: () => import('./import.ts') },
      export: { about: 'move out: write everything to an MLflow', load: () => import('./export.ts') },
    },
  },
  {
    title: 'Build',
    commands: {
      data: { about: 'add, check and compare versions of data', load: () => import('./data.ts') },
      run: { about: 'run the pipeline, or one step with what it needs', load: () => import('./run.ts') },
      runs: { about: 'list and show tracked runs', load: () => import('./runs.ts') },
      models: { about: 'list and show models and their versions', load: () => import('./models.ts') },
      trash: { about: 'list, restore and purge what was deleted', load: () => import('./trash.ts') },
      gc: { about: 'empty the trash, and free bytes that nothing needs', load: () => import('./gc.ts') },
    },
  },
  {
    title: 'Ship',
    commands: {
      ship: { about: 'test a version and roll it out under guard', load: () => import('./ship.ts') },
      approvals: { about: 'list what waits for consent, grant or refuse it', load: () => import('./approvals.ts') },
      rollout: { about: 'list, watch and steer rollouts', load: () => import('./rollout.ts') },
      rollback: { about: 'put the previous version back, now', load: () => import('./rollback.ts') },
      predict: { about: 'ask an endpoint', load: () => import('./predict.ts') },
    },
  },
  {
    title: 'Watch',
    commands: {
      labels: { about: 'tell what came true', load: () => import('./labels.ts') },
      monitors: { about: 'show what is watched, and its verdicts', load: () => import('./monitors.ts') },
      alerts: { about: 'list alerts', load: () => import('./alerts.ts') },
      webhooks: { about: 'tell other programs of what happens', load: () => import('./webhooks.ts') },
      replay: { about: 'compute a logged prediction again', load: () => import('./replay.ts') },
      audit: { about: 'read, verify and export the log of every change', load: () => import('./audit.ts') },
    },
  },
];

const commands: Readonly<Record<string, Listed>> = Object.assign({}, ...groups.map((group) => group.commands));

/** @param words what stands after the program's name  @returns the exit code */
export async function runCommand(words: readonly string[], host: Host): Promise<number> {
  const output = new Output(host.stdout, host.stderr);
  output.configure({ json: words.includes('--json'), quiet: false, color: true });
  await using closing = new AsyncDisposableStack();
  const program = describe(host);
  let exitCode = 0;
  const setExitCode = (code: number) => {
    exitCode = code;
  };
  try {
    const name = words.find((word) => Object.hasOwn(commands, word));
    if (name !== undefined) {
      // Only the named command's file is read: `--help` and every other command start without the rest.
      const command = program.commands.find((one) => one.name() === name);
      if (command)
        (await commands[name]?.load())?.define(command, contextFor({ host, program, output, closing, setExitCode }));
    }
    program.hook('preAction', (_program, action) => {
      const { json, quiet, color } = action.optsWithGlobals<{ json?: boolean; quiet?: boolean; color?: boolean }>();
      output.configure({ json: json === true, quiet: quiet === true, color: color !== false });
    });
    quietly(program, host, output);
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageCode(error, output);
    if (host.signal.aborted) return interrupted;
    return output.error(error instanceof PlatformError ? error : unforeseen(error));
  }
}

const interrupted = 130;

function describe({ version }: Host): Command {
  const program = new Command('rondo')
    .description('Takes a machine-learning model from its training data to production and keeps it healthy there.')
    .version(version, '-V, --version')
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .option('--json', 'the result as one JSON document on stdout')
    .option('-q, --quiet', 'no progress and no hints')
    .option('--no-color', 'plain text')
    .option('--server <url>', 'the server to talk to (RONDO_URL)')
    .option('--data <folder>', 'the data folder (RONDO_DATA, ./rondo-data)');
  for (const { title, commands } of groups) {
    program.commandsGroup(`${title}:`);
    for (const [name, { about }] of Object.entries(commands))
      program.command(name).description(about).helpCommand(false);
  }
  return program.addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 usage, 3 a gate says no, 4 not allowed, 5 undecided, 6 not reachable, 130 interrupted.',
  );
}

/** Errors come out in our own form, and subcommands behave like their parents. */
function quietly(command: Command, host: Host, output: Output): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => host.stdout.write(text),
    // Errors are told in our own form; what else comes here is the help of a group called without its verb.
    writeErr: (text) => text.startsWith('error:') || output.json || host.stderr.write(text),
    getOutHasColors: () => false,
    getOutHelpWidth: () => host.stdout.columns ?? 80,
  });
  for (const one of command.commands) quietly(one, host, output);
}

function usageCode(error: CommanderError, output: Output): number {
  if (error.exitCode === 0) return 0;
  const message = error.message.replace(/^error: /, '').trim();
  if (error.code === 'commander.help') {
    // A group of commands without its verb: people were shown its help.
    return output.json ? output.error(new PlatformError('cli/usage', 'it lacks its verb')) : 2;
  }
  const [what = message, ...suggestion] = message.split('\n');
  const meant = suggestion.join(' ').match(/\(Did you mean (?:one of )?(.+)\?\)/)?.[1];
  return output.error(
    new PlatformError('cli/usage', what, {
      message: `${what.charAt(0).toUpperCase()}${what.slice(1)}${what.endsWith('.') ? '' : '.'}`,
      hint: meant === undefined ? 'add --help to see what it takes' : `did you mean ${meant}?`,
    }),
  );
}

function contextFor({
  host,
  program,
  output,
  closing,
  setExitCode,
}: {
  host: Host;
  program: Command;
  output: Output;
  closing: AsyncDisposableStack;
  setExitCode: (code: number) => void;
}): CommandContext {
  let client: Promise<ApiClient> | undefined;
  const flags = () => program.opts<Record<string, string>>();
  return {
    output,
    version: host.version,
    cwd: host.cwd,
    signal: host.signal,
    stdin: host.stdin,
    startOptions: (own) => host.startOptions({ ...flags(), ...own }),
    startServer: (own, options) => host.startServer({ ...flags(), ...own }, options),
    setExitCode,
    api: ({ create = false } = {}) => {
      const config = host.clientConfig(flags());
      client ??= import('./api-client.ts')
        .then(({ findServer }) => findServer({ ...config, create, openInside: host.openInside(config.dataFolder) }))
        .then((found) => closing.use(found));
      return client;
    },
  };
}

/** A bug, or a system that refuses something nobody thought of: its own words, and where to send them. */
function unforeseen(error: unknown): PlatformError {
  const message = error instanceof Error ? error.message : String(error);
  return new PlatformError('http/internal', message, {
    cause: error,
    hint: 'run it again with RONDO_LOG=debug for the whole story',
  });
}
