/** What this machine computes with. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, cpus, platform } from 'node:os';
import type { InferenceRuntime } from './replay-prediction.ts';

/** The extensions that kernels choose their code by. */
const relevant = /^(avx|avx2|avx512\w*|amx_\w+|fma|sse4_1|sse4_2|f16c|neon|asimd\w*|sve\w*|bf16|i8mm)$/;

export async function describeRuntime(): Promise<InferenceRuntime> {
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
