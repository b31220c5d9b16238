/** `npm run setup:tests`: installs what the browser and client tests need, and says what it did. */
import { spawnSync } from 'node:child_process';
import { findBrowser } from './browser.ts';
import { currentClients, installPythonClients } from './clients/python-env.ts';

/** Debian's packages where there is apt and the right to use it. */
const wanted = [
  findBrowser() === undefined && 'chromium',
  !works('python3', '-c', 'import ensurepip') && 'python3-venv',
  !works('strace', '-V') && 'strace',
].filter((name) => name !== false);
if (wanted.length > 0 && process.getuid?.() === 0 && works('apt-get', '--version')) {
  run('apt-get', 'update', '-qq');
  run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...wanted);
}
if (findBrowser() === undefined) run('npx', 'playwright-core', 'install', '--only-shell', 'chromium');
console.log(`browser: ${findBrowser() ?? 'none'}`);
let complete = findBrowser() !== undefined;
for (const name of currentClients) {
  const python = await installPythonClients(name).catch((error: Error) => error);
  if (python instanceof Error) complete = false;
  console.log(`Python client ${name}: ${python instanceof Error ? python.message : python}`);
}
process.exit(complete ? 0 : 1);

function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, [...args]).status === 0;
}

function run(command: string, ...args: readonly string[]): void {
  const { status } = spawnSync(command, [...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) console.error(`${command} ${args.join(' ')} failed with ${status}`);
}
