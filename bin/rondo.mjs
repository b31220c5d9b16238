#!/usr/bin/env node
// Plain JavaScript that any Node can read: says in one line when this Node is too old, and otherwise starts the program.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  const { existsSync } = await import('node:fs');
  const { fileURLToPath } = await import('node:url');
  // The package brings a Node of its own where the platform has one: in a checkout below it, once installed beside it.
  const own = ['../node_modules/.bin/node', '../../.bin/node']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (own !== undefined && process.env.RONDO_OWN_NODE === undefined) {
    const { spawn } = await import('node:child_process');
    const child = spawn(own, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, RONDO_OWN_NODE: '1' } });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
  } else {
    process.stderr.write(
      `rondo needs Node 24.12 or later; this is ${process.versions.node}. Get it at https://nodejs.org\n`,
    );
    process.exit(1);
  }
} else {
  const { existsSync } = await import('node:fs');
  (await import('node:module')).enableCompileCache?.();
  // Sources in a checkout; what was built from them in the package, because Node strips no types under node_modules.
  const source = new URL('../src/main.ts', import.meta.url);
  await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
}
