/** What all benches count with. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** @returns NaN of no values */
export function quantile(values: readonly number[], p: number): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(p * ordered.length))] ?? Number.NaN;
}

/** What it takes the disk below a folder to keep 4 KiB, in words. */
export async function sayDisk(folder: string): Promise<string> {
  await using file = await open(join(folder, 'sync'), 'w');
  const block = Buffer.alloc(4_096, 1);
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const began = performance.now();
    await file.write(block);
    await file.datasync();
    times.push(performance.now() - began);
  }
  const at = (p: number) => quantile(times, p).toFixed(2);
  return `fdatasync of 4 KiB on this disk: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
