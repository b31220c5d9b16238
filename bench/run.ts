/** `npm run bench [name…]`: the benches, one after another; without a name, all of them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const benches = {
  start: 'start to ready, and --help',
  serving: 'requests a second and latency, next to a bare node:http server',
  isolation: 'latency of answers while other work goes on',
  rollback: 'command to last bad answer, under load',
  tracking: 'beside mlflow server: logging, searching, histories, artifacts, memory',
  search: 'searches among 100,000 runs with 50 million points',
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are:`);
  for (const [name, about] of Object.entries(benches)) console.error(`  ${name.padEnd(10)} ${about}`);
  process.exit(2);
}

let failed = false;
for (const [name, about] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n${name}: ${about}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
