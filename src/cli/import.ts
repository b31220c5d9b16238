/** `rondo import`: moving in from another tracking server. */
import { PlatformError } from '../errors.ts';
import type { ImportProgress, ImportTarget, PointsHere, StoredArtifact } from '../interop/import-mlflow.ts';
import type { ImportReport } from '../interop/import-report.ts';
import type { EntityRecord } from '../interop/mlflow-record.ts';
import { type ApiClient, path } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { reportText } from './moving-report.ts';
import { bytesText } from './table.ts';

export const define: DefineCommand = (command, { api, output, signal, cwd, startOptions, setExitCode }) => {
  command
    .command('mlflow')
    .description('bring all of an MLflow here: ids, times, histories, artifacts and registry stay what they are')
    .argument('<source>', 'http://host:5000, sqlite:///mlflow.db, postgresql://…, or a folder mlruns')
    .option('--artifacts <folder>', "of a database: what was `mlflow server`'s --artifacts-destination (./mlartifacts)")
    .option('--dry-run', 'read and compare only: say what would come')
    .option('--deep', 'of a server: read again what seems to be here already')
    .addHelpText(
      'after',
      '\nBegun again it goes on where it was broken off, and brings what was logged since.\n' +
        'Exit code 1 when anything differs in the end or could not be brought.\n' +
        'Environment: MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN.',
    )
    .action(async (address: string, { artifacts, dryRun = false, deep = false }: Flags) => {
      const [{ openMlflowSource }, { importMlflow }] = await Promise.all([
        import('../interop/open-source-adapter.ts'),
        import('../interop/import-mlflow.ts'),
      ]);
      const { environment } = startOptions({});
      await using source = await openMlflowSource({
        ...{ address, cwd, artifacts, signal },
        username: environment.MLFLOW_TRACKING_USERNAME,
        password: environment.MLFLOW_TRACKING_PASSWORD,
        token: environment.MLFLOW_TRACKING_TOKEN,
      });
      const client = await api({ create: true });
      const id = dryRun
        ? ''
        : (await client.call<{ id: string }>('POST', '/api/v1/imports', { body: { source: source.address } })).id;
      const report = await importMlflow(source, targetAt(client, id, signal), {
        isDryRun: dryRun,
        isDeep: deep,
        onProgress: everySecond((progress) => output.progress(progressText(progress))),
        isOfOneFile: (error): error is PlatformError => error instanceof PlatformError && ofOneFile.has(error.code),
        signal,
      });
      if (!dryRun) await client.call('POST', path`/api/v1/imports/${id}/end`, { body: endOf(report), signal });
      output.result(report, reportText);
      if (isIncomplete(report) && !dryRun) setExitCode(1);
    });
};

type Flags = { readonly artifacts?: string; readonly dryRun?: boolean; readonly deep?: boolean };

/** A name that cannot be stored, a file that the source lists and does not have: told in the report. */
const ofOneFile = new Set(['http/bad-request', 'interop/refused', 'storage/bad-key', 'storage/key-taken']);

const isIncomplete = ({ differences, unreachable }: ImportReport): boolean => differences.total + unreachable.total > 0;

/** Rondo's side of an import, over its API. */
export function targetAt(client: ApiClient, id: string, signal: AbortSignal): ImportTarget {
  const ask = <T>(target: string, body: unknown) => client.call<T>('POST', target, { body, signal });
  return {
    async write(records) {
      await ask(path`/api/v1/imports/${id}/records`, { records });
    },
    async read(kind, names) {
      if (names.length === 0) return [];
      return (await ask<{ records: readonly EntityRecord[] }>('/api/v1/imports/read', { kind, names })).records;
    },
    async readPoints(runIds) {
      if (runIds.length === 0) return {};
      type Answer = { points: Readonly<Record<string, PointsHere>> };
      return (await ask<Answer>('/api/v1/imports/read-points', { runs: runIds })).points;
    },
    async readArtifacts(keys) {
      if (keys.length === 0) return [];
      return (await ask<{ items: readonly StoredArtifact[] }>('/api/v1/imports/read-artifacts', { keys })).items;
    },
    async put(key, body) {
      const encoded = key.split('/').map(encodeURIComponent).join('/');
      const target = `/api/2.0/mlflow-artifacts/artifacts/${encoded}`;
      const answer = await client.send('PUT', target, { body, type: 'application/octet-stream', signal });
      const parts: Uint8Array[] = [];
      for await (const part of answer.body) parts.push(part);
      if (answer.status < 300) return;
      const text = Buffer.concat(parts).toString('utf8');
      const said = /"(?:message|detail)"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
      throw new PlatformError(answer.status < 500 ? 'http/bad-request' : 'http/unavailable', key, {
        message: said === undefined ? `The server answered ${answer.status} to ${key}.` : String(JSON.parse(said)),
      });
    },
  };
}

const endOf = ({ counts, bytes, differences, unreachable }: ImportReport) => ({
  counts: Object.fromEntries(Object.entries(counts).map(([kind, { source, here }]) => [kind, { source, here }])),
  bytes,
  differences: differences.total,
  unreachable: unreachable.total,
});

const progressText = ({ what, records, points, artifacts, bytes }: ImportProgress): string =>
  `${what}: ${records} records, ${points} points, ${artifacts} files (${bytesText(bytes)})`;

/** Not more often than people can read. */
function everySecond<T>(show: (value: T) => void): (value: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const at = performance.now();
    if (at - last < 1000) return;
    last = at;
    show(value);
  };
}
