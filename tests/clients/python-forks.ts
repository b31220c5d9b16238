/** Python programs that begin with their packages imported: `forks.py` has done it once for all of them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Program = {
  readonly path: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type PythonForks = AsyncDisposable & {
  /** One at a time, each in a fresh process. @returns its output  @throws AssertionError with what it said, when it failed */
  run(program: Program): Promise<string>;
};

type Options = {
  readonly python: string;
  readonly modules: readonly string[];
  /** Where they run, and what they write is kept. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export function openPythonForks({ python, modules, folder, env }: Options): PythonForks {
  const child = spawn(python, [join(import.meta.dirname, 'forks.py'), ...modules], {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part) => (said += part));
  const codes = createInterface(child.stdout)[Symbol.asyncIterator]();
  const [stdout, stderr] = [join(folder, 'stdout.txt'), join(folder, 'stderr.txt')];
  return {
    run: async (program) => {
      child.stdin.write(`${JSON.stringify({ ...program, stdout, stderr })}\n`);
      const { value: code, done } = await codes.next();
      assert.ok(!done, said);
      assert.equal(code, '0', (await readFile(stderr, 'utf8')).slice(-4000));
      return readFile(stdout, 'utf8');
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
