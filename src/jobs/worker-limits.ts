/** What the worker role may take from the machine, so that serving does not notice it. */
import { availableParallelism, totalmem } from 'node:os';

const gibibyte = 2 ** 30;

export type WorkerLimits = { readonly memoryBytes: number; readonly threads: number };

/** A quarter of the memory, at most 2 GiB; one core stays free. A container's limit counts as the machine's memory. */
export function workerLimits(): WorkerLimits {
  const allowed = process.constrainedMemory();
  const memory = allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
  return {
    memoryBytes: Math.min(2 * gibibyte, Math.floor(memory / 4)),
    threads: Math.max(1, availableParallelism() - 1),
  };
}

/** DuckDB and V8 share the allowance: neither can see what the other has taken. */
export function duckDbShare({ memoryBytes }: WorkerLimits): number {
  return Math.floor(memoryBytes * 0.6);
}

export function heapShare({ memoryBytes }: WorkerLimits): number {
  return memoryBytes - duckDbShare({ memoryBytes, threads: 1 });
}
