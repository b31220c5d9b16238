/** What computes: two machines may round differently, and then this says why. */
import { hash } from 'node:crypto';

export type InferenceRuntime = {
  readonly onnxruntime: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cpuFeatures: readonly string[];
  /** Threads within one batch. */
  readonly threads: number;
};

/** Short, since every record of the log names it; 48 bits of a digest part the few runtimes that a log ever sees. */
export function runtimeId({ onnxruntime, node, platform, cpu, cpuFeatures, threads }: InferenceRuntime): string {
  return hash('sha256', JSON.stringify([onnxruntime, node, platform, cpu, cpuFeatures, threads])).slice(0, 12);
}

/** What differs of all that rounding depends on, in words; empty where the same bits are to be expected. */
export function runtimeDifferences(then: InferenceRuntime, now: InferenceRuntime): readonly string[] {
  const lost = then.cpuFeatures.filter((one) => !now.cpuFeatures.includes(one));
  const gained = now.cpuFeatures.filter((one) => !then.cpuFeatures.includes(one));
  return [
    ...(then.onnxruntime === now.onnxruntime ? [] : [`${then.onnxruntime} then, ${now.onnxruntime} now`]),
    ...(then.platform === now.platform ? [] : [`${then.platform} then, ${now.platform} now`]),
    ...(lost.length > 0 ? [`the processor then had ${lost.join(', ')}`] : []),
    ...(gained.length > 0 ? [`the processor now has ${gained.join(', ')}`] : []),
    ...(then.threads === now.threads ? [] : [`${then.threads} threads then, ${now.threads} now`]),
  ];
}
