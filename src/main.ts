/** The program: argv -> command. Nothing imports it. */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenInside } from './cli/api-client.ts';
import type { Host } from './cli/program.ts';
import type { OpenApp } from './cli/start-server.ts';
import type { Flags } from './config.ts';

const { directory: compileCache } = enableCompileCache();
// Threads and workers keep no compiled code of their own unless the environment says where.
if (compileCache !== undefined) process.env.NODE_COMPILE_CACHE ??= dirname(compileCache);

const words = process.argv.slice(2);
// Told by its channel, so that what somebody types is a command like any other.
if (process.send && words[0] === 'worker') await runWorkerRole();
else if (process.send && words[0] === 'examine') await runExaminerRole();
else await runCommandLine();

async function runCommandLine(): Promise<void> {
  const [{ runCommand }, { readClientConfig, readConfig }] = await Promise.all([
    import('./cli/program.ts'),
    import('./config.ts'),
  ]);
  const version = ownVersion();
  const stop = new AbortController();
  const interrupt = () => {
    // Whoever asks twice does not want to wait for what is still open.
    if (stop.signal.aborted) process.exit(interrupted);
    stop.abort(new Error('interrupted'));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

  const open = async (flags: Flags, options: Parameters<OpenApp>[0], { beyond }: { beyond: boolean }) => {
    const { readLastServer, writeLastServer } = await import('./cli/last-server-file.ts');
    const reading = readLastServer(options.dataFolder);
    // A server is told anew where artifacts are, and writes a broken file anew; which database a folder belongs to stays so.
    const last = beyond ? { database: (await reading.catch(() => undefined))?.database } : await reading;
    const config = readConfig(flags, undefined, last);
    const [{ openApp }, { pino }] = await Promise.all([import('./app.ts'), import('pino')]);
    const app = await openApp({
      // A command that opens the app for itself must not make accounts on the way.
      config: { ...config, ...options, adminPassword: beyond ? config.adminPassword : undefined },
      version,
      log: pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true })),
      uiFolder: fileURLToPath(new URL('../dist/ui', import.meta.url)),
      entry: fileURLToPath(import.meta.url),
      env: config.environment,
      localToken: options.localToken,
    });
    const { artifactsDestination, defaultArtifactRoot, databaseUrl } = config;
    const database = databaseUrl === undefined ? 'sqlite' : 'postgres';
    if (beyond) await writeLastServer(options.dataFolder, { artifactsDestination, defaultArtifactRoot, database });
    return app;
  };
  const openInside =
    (dataFolder: string): OpenInside =>
    async ({ localToken }) => {
      const { openDataFolder } = await import('./cli/data-folder.ts');
      await using opened = new AsyncDisposableStack();
      opened.use(await openDataFolder(dataFolder));
      const app = await open({}, { host: '127.0.0.1', port: 0, dataFolder, localToken }, { beyond: false });
      opened.defer(async () => {
        await app.server.close();
        await app[Symbol.asyncDispose]();
      });
      const held = opened.move();
      return { server: app.server, [Symbol.asyncDispose]: () => held.disposeAsync() };
    };

  const host: Host = {
    version,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    clientConfig: readClientConfig,
    startOptions: readConfig,
    openInside,
    startServer: async (flags, options) => {
      const { serverStarter } = await import('./cli/start-server.ts');
      const openApp: OpenApp = (at) => open(flags, at, { beyond: true });
      return serverStarter({ openApp, now: Date.now })(options);
    },
  };
  process.exitCode = await runCommand(words, host);
  // The command has closed what it opened; what a library left behind must not keep the process.
  setTimeout(() => process.exit(), 250).unref();
}

const interrupted = 130;

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version; // our own file
}

/** The server starts it, tells it over IPC what to do, and takes it down with itself. */
async function runWorkerRole(): Promise<void> {
  const [{ runWorker }, { workerHandlers }, { readClientConfig }] = await Promise.all([
    import('./jobs/run-worker.ts'),
    import('./app.ts'),
    import('./config.ts'),
  ]);
  await runWorker(workerHandlers(readClientConfig({}).dataFolder));
  process.exit();
}

/** The server starts it for each model file that is registered. */
async function runExaminerRole(): Promise<void> {
  const { runExaminer } = await import('./serving/examiner-worker.ts');
  await runExaminer();
  process.exit();
}
