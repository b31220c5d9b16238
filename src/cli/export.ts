/** `rondo export`: moving out again. */
import { resolve } from 'node:path';
import { PlatformError } from '../errors.ts';
import type { SendRequest } from '../interop/mlflow-api-adapter.ts';
import type { ApiClient } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { exportReportText } from './moving-report.ts';

export const define: DefineCommand = (command, { api, output, signal, cwd, startOptions, setExitCode }) => {
  command
    .command('mlflow')
    .description('write everything to an MLflow server: experiments, runs, histories, artifacts, registry')
    .argument('<url>', 'http://host:5000, as MLFLOW_TRACKING_URI has it')
    .option('--mapping <file>', 'which id became which; begun again with it, an export goes on', 'rondo-export.jsonl')
    .addHelpText(
      'after',
      '\nMLflow gives its own ids and times of creation; each thing there has the tag rondo.exported_from.\n' +
        'Exit code 1 when anything differs in the end or could not be written.\n' +
        'Environment: MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN.',
    )
    .action(async (address: string, { mapping }: { readonly mapping: string }) => {
      const url = URL.parse(address);
      if (!url || !/^https?:$/.test(url.protocol)) {
        throw new PlatformError('cli/usage', address, {
          message: `${address} is no address.`,
          hint: 'http://host:5000',
        });
      }
      const [{ fetchFrom, mlflowApi }, { serverSource }, { exportMlflow }, { openExportLedger }] = await Promise.all([
        import('../interop/mlflow-api-adapter.ts'),
        import('../interop/mlflow-server-adapter.ts'),
        import('../interop/export-mlflow.ts'),
        import('../interop/export-ledger-adapter.ts'),
      ]);
      const { environment } = startOptions({});
      const send = fetchFrom(url, {
        username: environment.MLFLOW_TRACKING_USERNAME,
        password: environment.MLFLOW_TRACKING_PASSWORD,
        token: environment.MLFLOW_TRACKING_TOKEN,
        signal,
      });
      const client = await api();
      const there = mlflowApi({ address: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, send, signal });
      const here = mlflowApi({ address: client.address, send: throughClient(client, signal), signal });
      await using ledger = await openExportLedger(resolve(cwd, mapping), there.address);
      let last = Number.NEGATIVE_INFINITY;
      const report = await exportMlflow(serverSource(here), { ...there, back: serverSource(there) }, ledger, {
        onProgress: (what, { runs, points, files }) => {
          const at = performance.now();
          if (at - last < 1000) return;
          last = at;
          output.progress(`${what}: ${runs} runs, ${points} points, ${files} files`);
        },
        signal,
      });
      output.result({ ...report, mapping }, exportReportText);
      if (report.differences.total + report.unreachable.total > 0) setExitCode(1);
    });
};

/** Rondo is asked as any MLflow is. */
const throughClient =
  (client: ApiClient, signal: AbortSignal): SendRequest =>
  ({ method, path, ...request }) =>
    client.send(method, path, { ...request, signal });
