/** `rondo run`: the pipeline of this folder's project. */
import { path } from './api-client.ts';
import { type DefineCommand, duration } from './command.ts';
import { linkedProject } from './project.ts';
import { watchOperation } from './watch-operation.ts';

type Started = { operation: string; execution?: string };
type Result = { execution?: string; version?: { model: string; version: number } };

export const define: DefineCommand = (command, { api, output, signal, cwd }) => {
  command
    .argument('[step]', 'this step and what it needs; without it, all')
    .option('--project <name>', "the project; this folder's without it")
    .option('--force', 'run steps although nothing they read has changed')
    .option('--param <key=value>', 'for this execution', collect, {})
    .option('--no-wait', 'start it and return')
    .option('--timeout <duration>', 'wait at most so long; it goes on', duration)
    .action(
      async (
        step: string | undefined,
        options: { project?: string; force?: boolean; param: Record<string, string>; wait: boolean; timeout?: number },
      ) => {
        const client = await api({ create: true });
        const project = await linkedProject(client, cwd, options.project);
        const body = {
          ...(step !== undefined && { steps: [step] }),
          ...(options.force && { force: true }),
          ...(Object.keys(options.param).length > 0 && { params: options.param }),
        };
        const started = await client.call<Started>('POST', path`/api/v1/projects/${project}/executions`, {
          body,
          signal,
        });
        if (!options.wait) return output.result(started, ({ operation }) => `Started: operation ${operation}`);
        const result = await watchOperation<Result>(
          { api: client, output, signal, timeoutMs: options.timeout },
          started.operation,
        );
        output.result(result, ({ execution, version }) => {
          const made = version ? `  ${version.model}@${version.version}` : '';
          return `Done${execution === undefined ? '' : `: execution ${execution}`}${made}`;
        });
        if (result.version) output.hint(`Next: rondo ship ${result.version.model}@${result.version.version}`);
      },
    );
};

function collect(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  return at === -1 ? { ...before, [text]: '' } : { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
