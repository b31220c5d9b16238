/** `rondo demo`: the example that goes once round the loop, on a server of its own that stays up for exploring. */
import { access, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PlatformError } from '../errors.ts';
import type { DefineCommand } from './command.ts';
import { wholeNumber } from './command.ts';
import { demoTeller } from './demo-teller.ts';
import type { RunningServer } from './start-server.ts';

type Options = { exit?: boolean; port?: number; folder?: string; thirdVersion: 'percent' | 'share' };

/** What the example's story.ts exports. */
type Story = {
  tellStory(options: {
    readonly url: string;
    readonly token: string;
    readonly folder: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal;
    readonly thirdVersion: 'percent' | 'share';
    readonly tell: ReturnType<typeof demoTeller>;
  }): Promise<unknown>;
};

const firstPort = 5000;
const portsTried = 20;
/** Says that a folder is ours to empty. */
const marker = '.rondo-demo';

export const define: DefineCommand = (command, { output, cwd, signal, startServer, startOptions }) => {
  command
    .option('--exit', 'end when the story has ended; exit code 0 only if all of it happened')
    .option('--port <port>', 'the first port to try (5000)', wholeNumber)
    .option('--folder <folder>', 'where it may write; emptied first (./rondo-demo)')
    .option(
      '--third-version <unit>',
      'percent: the bad one; share: a good one in its place, and the story must fail',
      'percent',
    )
    .action(async (options: Options) => {
      const folder = resolve(cwd, options.folder ?? 'rondo-demo');
      const project = await copyExample(folder);
      const { environment, ...config } = startOptions({ data: join(folder, 'data') });
      // Run from the sources, `rondo/client` is a source file too.
      const env = import.meta.filename.endsWith('.ts')
        ? { ...environment, NODE_OPTIONS: '--conditions=rondo-source' }
        : environment;
      await using server = await startOnFreePort(options.port ?? firstPort, (port) =>
        startServer({}, { ...config, port }),
      );
      output.line({ url: server.url, folder }, ({ url }) => `Rondo shows what happens at ${output.style('bold', url)}`);
      const story = (await import(pathToFileURL(join(project, 'story', 'story.ts')).href)) as Story; // our own example
      const tell = demoTeller(output);
      try {
        const { url, token } = server;
        const summary = await story.tellStory({
          url,
          token,
          folder: project,
          env,
          signal,
          thirdVersion: options.thirdVersion,
          tell,
        });
        tell.end();
        output.result(summary, () => `The loop is closed. Look around at ${server.url}`);
      } catch (error) {
        tell.end();
        throw signal.aborted
          ? error
          : new PlatformError('cli/demo-failed', 'The story', {
              message: error instanceof Error ? error.message : String(error),
              cause: error,
            });
      }
      if (options.exit || signal.aborted) return;
      output.hint('It stays up; Ctrl-C ends it.');
      await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
    });
};

/** A fresh copy of the example, since the demo writes data and results beside the programs. @returns its folder */
async function copyExample(folder: string): Promise<string> {
  const packages = packageFolders();
  await emptyFolder(folder);
  await linkPackages(join(folder, 'node_modules'), packages);
  const example = fileURLToPath(new URL('../../examples/flights', import.meta.url));
  const project = join(folder, 'flights');
  await cp(example, project, {
    recursive: true,
    filter: (path) => !/\.test\.ts$|\/(out|data|node_modules)$/.test(path),
  });
  return project;
}

/** What the example's programs import, by name. */
const exampleImports = ['@duckdb/node-api', 'onnxruntime-node', 'vega-datasets'] as const;

/** Where the packages of the example lie, and this one. */
function packageFolders(): ReadonlyMap<string, string> {
  const { resolve: find } = createRequire(import.meta.url);
  const folders = new Map([['rondo', fileURLToPath(new URL('../..', import.meta.url))]]);
  for (const name of exampleImports) {
    try {
      const entry = find(name);
      const under = join('node_modules', name);
      folders.set(name, entry.slice(0, entry.lastIndexOf(under) + under.length));
    } catch {
      throw new PlatformError('cli/demo-needs-package', name, { hint: `npm install ${name}` });
    }
  }
  return folders;
}

/** Programs find packages beside themselves or above; the folder may lie anywhere. */
async function linkPackages(modules: string, packages: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, target] of packages) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(target, join(modules, name), 'junction');
  }
}

/** Only what a demo has made is ever removed. */
async function emptyFolder(folder: string): Promise<void> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  const ours = await readFile(join(folder, marker), 'utf8').then(
    () => true,
    () => false,
  );
  if (exists && !ours)
    throw new PlatformError('cli/demo-folder-taken', folder, { hint: 'name another one with --folder, or remove it' });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, marker), 'Made by `rondo demo`, which empties this folder when it starts.\n');
}

async function startOnFreePort(first: number, start: (port: number) => Promise<RunningServer>): Promise<RunningServer> {
  for (let port = first; ; port++) {
    try {
      return await start(port);
    } catch (error) {
      const taken = error instanceof PlatformError && error.code === 'http/port-in-use';
      if (!taken || port >= first + portsTried) throw error;
    }
  }
}
