/** The Python that third-party clients run in: one virtual environment, made once and kept with the dependencies. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The newest of each, unmodified: a client that changes shows here first. */
const packages = ['mlflow', 'scikit-learn', 'skl2onnx', 'onnxruntime'];

const folder = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'python-clients');
const mark = join(folder, 'installed.txt');
const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** @returns the interpreter, or undefined when `npm run setup:tests` has not made it yet */
export const findPythonClients = (): string | undefined =>
  existsSync(mark) && existsSync(python) ? python : undefined;

/** Makes the environment when it is not there; takes some minutes. @throws Error that says what is missing */
export async function installPythonClients(): Promise<string> {
  const wanted = packages.join('\n');
  const found = findPythonClients();
  if (found !== undefined && (await readFile(mark, 'utf8')) === wanted) return found;
  const system = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import venv']).status === 0);
  if (system === undefined) {
    throw new Error(
      'The client tests need Python 3.10 or later with venv: install it (Debian: apt install python3-venv).',
    );
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  run(system, ['-m', 'venv', folder]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
  await writeFile(mark, wanted);
  return python;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
}
