/** Looks at a project folder before the first step: data, files, programs, commit. Worker process only. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, release } from 'node:os';
import { basename, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type AddInput, addSource } from '../datasets/add-source-adapter.ts';
import { refusals } from '../datasets/dataset.ts';
import type { AddedFiles } from '../datasets/record-version.ts';
import { listSource } from '../datasets/source-adapter.ts';
import type { JobContext } from '../jobs/job.ts';
import type { Environment, Findings } from './execution.ts';
import { type ContentFolders, digestOutputs } from './output-adapter.ts';
import type { PlannedStep } from './pipeline.ts';

const run = promisify(execFile);

export type LookInput = {
  readonly folder: string;
  readonly steps: readonly PlannedStep[];
  readonly datasets: readonly AddInput[];
};

/** `findings` are absent when data was refused: then nothing runs. */
export type Look = { readonly datasets: readonly AddedFiles[]; readonly findings?: Omit<Findings, 'datasets'> };

export async function lookAtFolder(folders: ContentFolders, input: LookInput, context: JobContext): Promise<Look> {
  const { folder, steps } = input;
  const datasets: AddedFiles[] = [];
  for (const dataset of input.datasets) {
    const added = await addSource(folders, dataset, context);
    datasets.push(added);
    if (refusals(added.scan.checks).length > 0) return { datasets };
  }
  context.progress(undefined, 'looking at the files of the steps');
  const files: Record<string, Record<string, string>> = {};
  const programs: Record<string, Record<string, string>> = {};
  for (const step of steps) {
    files[step.name] = await digestFiles(folder, step.files, context.signal);
    programs[step.name] = await programFacts(step.argv[0] ?? '', folder);
  }
  const outputs = await digestOutputs(
    folder,
    steps.flatMap(({ writes }) => writes),
    context,
  );
  return { datasets, findings: { files, programs, outputs, environment: await environment(folder) } };
}

/** sha256 of every file that the patterns mean, by path. */
export async function digestFiles(
  folder: string,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  const base = await realpath(folder);
  for (const pattern of patterns) {
    const { root, files } = listSource(folder, pattern);
    const prefix = root === base ? '' : `${relative(base, root).replaceAll(sep, '/')}/`;
    for (const { path, name } of files) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(path), hash, { signal });
      digests[`${prefix}${name}`] = hash.digest('hex');
    }
  }
  return digests;
}

/** Only what changes results by itself: the interpreter and the platform, not the machine. */
async function programFacts(program: string, folder: string): Promise<Record<string, string>> {
  const facts = { platform: `${platform()}-${arch()}` };
  const name = basename(program);
  if (/^(node|npm|npx)$/.test(name)) return { ...facts, node: process.version };
  if (!/^python[0-9.]*$/.test(name)) return facts;
  const version = await firstLine(program, ['--version'], folder);
  return version === undefined ? facts : { ...facts, python: version.replace(/^Python /, '') };
}

async function environment(folder: string): Promise<Environment> {
  // The folder's own configuration may name a program for fsmonitor; looking at a folder must not run it.
  const git = (...args: string[]) =>
    firstLine('git', ['-c', 'core.fsmonitor=false', '--no-optional-locks', ...args], folder);
  const commit = await git('rev-parse', 'HEAD');
  const dirty = commit === undefined ? undefined : await git('status', '--porcelain');
  return {
    os: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    ...(commit !== undefined && { git: { commit, dirty: dirty !== undefined } }),
  };
}

/** `undefined` when the program is not there, fails, or says nothing. */
async function firstLine(program: string, args: readonly string[], cwd: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, [...args], { cwd, timeout: 10_000, maxBuffer: 64 * 2 ** 20 });
    return (stdout || stderr).split('\n')[0]?.trim() || undefined;
  } catch {
    return undefined; // not installed, or no repository: absent, not wrong
  }
}
