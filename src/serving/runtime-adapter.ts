/** What this machine computes with, and what machines before it did that wrote into the same log. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { type InferenceRuntime, runtimeId } from './inference-runtime.ts';

export type Runtimes = {
  readonly current: InferenceRuntime;
  /** By the name that a record has for it. */
  find(id: string): Promise<InferenceRuntime | undefined>;
};

/** The extensions that kernels choose their code by. */
const relevant = /^(avx|avx2|avx512\w*|amx_\w+|fma|sse4_1|sse4_2|f16c|neon|asimd\w*|sve\w*|bf16|i8mm)$/;

/** @param folder of the prediction log; the description is on disk before a record can name it */
export async function openRuntimes(folder: string): Promise<Runtimes> {
  const current = await describeRuntime();
  // No endpoint's name begins with a dot.
  const place = join(folder, '.runtimes');
  const fileOf = (id: string) => join(place, `${id}.json`);
  const find = async (id: string): Promise<InferenceRuntime | undefined> => {
    try {
      return JSON.parse(await readFile(fileOf(id), 'utf8')) as InferenceRuntime; // written below
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  if ((await find(runtimeId(current))) === undefined) {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const path = fileOf(runtimeId(current));
    await using file = await open(`${path}.new`, 'w', 0o600);
    await file.writeFile(JSON.stringify(current));
    await file.sync();
    await rename(`${path}.new`, path);
  }
  return { current, find };
}

async function describeRuntime(): Promise<InferenceRuntime> {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return {
    onnxruntime: `onnxruntime-node ${version}, CPU`,
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpuFeatures: await cpuFeatures(),
    threads: 1, // as `inference-thread.ts` opens its sessions
  };
}

async function cpuFeatures(): Promise<readonly string[]> {
  if (platform() !== 'linux') return [];
  const info = await readFile('/proc/cpuinfo', 'utf8');
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1] ?? '';
  return flags
    .split(' ')
    .filter((flag) => relevant.test(flag))
    .sort();
}
