/** What processes use, where the system tells. */
import { readdirSync, readFileSync } from 'node:fs';

/** User and system time of a process in ms; clock ticks are 10 ms on every Linux that Node runs on. */
export function cpuOf(pid: number | undefined): number {
  const text = textOf(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** A process and all that it started: their resident memory in MiB, and their time on the processor. */
export function resourcesOf(root: number): { readonly mib: number; readonly cpuMs: number } {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const found = /^PPid:\s+(\d+)/m.exec(textOf(`/proc/${name}/status`));
    if (found) parents.set(Number(name), Number(found[1]));
  }
  const isOurs = (pid: number | undefined): boolean => pid === root || (!!pid && isOurs(parents.get(pid)));
  const pids = [...parents.keys()].filter(isOurs);
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + (of(pid) || 0), 0);
  return {
    mib: sum((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1])) / 1_024,
    cpuMs: sum(cpuOf),
  };
}

/** Processes end while they are read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
