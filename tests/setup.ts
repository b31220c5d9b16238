/** `npm run setup:tests`: installs what the browser and client tests need, and says what it did. */
import { spawnSync } from 'node:child_process';
import { findBrowser } from './browser.ts';
import { installPythonClients } from './clients/python-env.ts';

if (findBrowser() === undefined) installBrowser();
console.log(`browser: ${findBrowser() ?? 'none'}`);
const clients = await installPythonClients().catch((error: Error) => error);
console.log(`Python clients: ${clients instanceof Error ? clients.message : clients}`);
process.exit(findBrowser() === undefined || clients instanceof Error ? 1 : 0);

/** Debian's package where there is apt and the right to use it, playwright's own build elsewhere. */
function installBrowser(): void {
  const isRoot = process.getuid?.() === 0;
  const hasApt = spawnSync('apt-get', ['--version']).status === 0;
  if (isRoot && hasApt) {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', 'chromium']);
    return;
  }
  run('npx', ['playwright-core', 'install', '--only-shell', 'chromium']);
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, [...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) console.error(`${command} ${args.join(' ')} failed with ${status}`);
}
