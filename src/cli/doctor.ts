/** `rondo doctor`: whether this machine has what the server needs. */
import { mkdtempDisposable, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { DefineCommand } from './command.ts';
import { holderOfPort } from './port-holder.ts';
import { readServerFile } from './server-file.ts';
import { table } from './table.ts';

type Finding = {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly says: string;
  readonly fix?: string;
};
type Place = { readonly host: string; readonly port: number; readonly dataFolder: string };

export const define: DefineCommand = (command, { output, startOptions, setExitCode }) => {
  command
    .option('--host <address>')
    .option('--port <port>', 'the port that `up` would take (5000)')
    .action(async (flags: Record<string, string>) => {
      const place = startOptions(flags);
      const checks = {
        node: checkNode,
        port: checkPort,
        disk: checkDisk,
        memory: checkMemory,
        database: checkDatabase,
        inference: checkInference,
        clock: checkClock,
      };
      const findings: Finding[] = [];
      for (const [check, look] of Object.entries(checks)) {
        output.progress(`checking ${check}`);
        const found = await look(place).catch((error: unknown) => ({
          state: 'fail' as const,
          says: error instanceof Error ? error.message : String(error),
        }));
        findings.push({ check, ...found });
      }
      output.result(
        { findings },
        () =>
          `${table(findings, [
            { title: 'check', cell: ({ check }) => check },
            { title: 'state', cell: ({ state }) => state },
            { title: '', cell: ({ says }) => says },
          ])}${findings
            .filter(({ fix }) => fix !== undefined)
            .map(({ check, fix }) => `\n\nfix ${check}: ${fix}`)
            .join('')}`,
      );
      if (findings.some(({ state }) => state === 'fail')) setExitCode(1);
    });
};

type Look = (place: Place) => Promise<Omit<Finding, 'check'>>;

const checkNode: Look = async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > 24 || (major === 24 && minor >= 12);
  return enough
    ? { state: 'ok', says: `Node ${process.versions.node}` }
    : { state: 'fail', says: `Node ${process.versions.node}`, fix: 'install Node 24.12 or later: https://nodejs.org' };
};

const checkPort: Look = async ({ host, port, dataFolder }) => {
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen({ host, port }, () => probe.close(() => resolve(true)));
  });
  if (free) return { state: 'ok', says: `${host}:${port} is free` };
  const [ours, holder] = await Promise.all([readServerFile(dataFolder), holderOfPort(port)]);
  if (ours && holder?.pid === ours.pid)
    return { state: 'ok', says: `${host}:${port} is this server's (process ${ours.pid})` };
  const by = holder === undefined ? '' : ` by process ${holder.pid} (${holder.command})`;
  return { state: 'warn', says: `${host}:${port} is in use${by}`, fix: `rondo up --port ${port + 1}` };
};

const checkDisk: Look = async ({ dataFolder }) => {
  const { bavail, bsize } = await statfs(dataFolder).catch(() => statfs(dirname(dataFolder)));
  const free = (bavail * bsize) / 2 ** 30;
  const says = `${free.toFixed(1)} GiB free at ${dataFolder}`;
  return free < 1
    ? { state: free < 0.1 ? 'fail' : 'warn', says, fix: 'free some space, or take another disk with --data' }
    : { state: 'ok', says };
};

const checkMemory: Look = async () => {
  const limit = process.constrainedMemory() || totalmem(); // 0 where there is no limit
  const memory = Math.min(limit, totalmem()) / 2 ** 30;
  const says = `${memory.toFixed(1)} GiB, ${availableParallelism()} cores`;
  return memory < 1 ? { state: 'warn', says, fix: 'large data needs more than 1 GiB' } : { state: 'ok', says };
};

/** Writes to a database of its own beside the real one: the same disk, whoever holds the lock. */
const checkDatabase: Look = async ({ dataFolder }) => {
  const { DatabaseSync } = await import('node:sqlite');
  await using folder = await mkdtempDisposable(join(dirname(dataFolder), '.rondo-doctor-')).catch(() =>
    mkdtempDisposable(join(tmpdir(), 'rondo-doctor-')),
  );
  const database = new DatabaseSync(join(folder.path, 'try.db'));
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x); ');
    const from = performance.now();
    const commits = 20;
    for (let at = 0; at < commits; at += 1) database.exec('INSERT INTO t VALUES (1)');
    const ms = (performance.now() - from) / commits;
    const says = `a commit takes ${ms.toFixed(1)} ms on this disk`;
    return ms > 50 ? { state: 'warn', says, fix: 'put the data folder on a local disk' } : { state: 'ok', says };
  } finally {
    database.close();
  }
};

const checkInference: Look = async () => {
  const { version } = await loadRuntime();
  return { state: 'ok', says: `onnxruntime ${version} loads` };
};

async function loadRuntime(): Promise<{ version: string }> {
  const { env } = await import('onnxruntime-node');
  return { version: env.versions.node ?? env.versions.common };
}

/** A clock that was never set makes every token look expired and every window empty. */
const checkClock: Look = async () => {
  const at = new Date(Date.now());
  const says = `${at.toISOString()} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`;
  return at.getUTCFullYear() < 2026
    ? { state: 'fail', says, fix: 'set the clock of this machine' }
    : { state: 'ok', says };
};
