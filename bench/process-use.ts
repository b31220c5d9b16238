/** What processes use, where the system tells. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** User and system time of a process in ms; clock ticks are 10 ms on every Linux that Node runs on. */
export function cpuOf(pid: number | undefined): number {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return Number.NaN;
  const text = readFileSync(path, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process and of all that it started, in MiB, and how many those are. */
export function memoryOf(root: number): { readonly mib: number; readonly processes: number } {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const found = /^PPid:\s+(\d+)/m.exec(textOf(`/proc/${name}/status`));
    if (found) parents.set(Number(name), Number(found[1]));
  }
  const isOurs = (pid: number | undefined): boolean => pid === root || (!!pid && isOurs(parents.get(pid)));
  const pids = [...parents.keys()].filter(isOurs);
  const kib = pids.map((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0));
  return { mib: kib.reduce((sum, one) => sum + one, 0) / 1_024, processes: pids.length };
}

/** Processes end while they are read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
