/** `rondo run`: the pipeline of this folder's project. */
import { PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';
import { type DefineCommand, duration } from './command.ts';
import { linkedProject } from './project.ts';
import { durationText, printable, table } from './table.ts';
import { watchOperation } from './watch-operation.ts';

type Started = { operation: string; execution: string; number: number };
type Ref = { model: string; version: number };
type Step = {
  name: string;
  state: string;
  reason?: string;
  model?: Ref;
  startedAt?: number;
  endedAt?: number;
};
type Execution = { number: number; state: string; steps: Step[] };
type LogLine = { step: string; line: string };

/** Of what a failed step said, on the terminal; the rest is in the log. */
const linesTold = 20;

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
        const watch = { api: client, output, signal, timeoutMs: options.timeout };
        await watchOperation(watch, started.operation).catch(async (error: unknown) => {
          if (error instanceof PlatformError && error.code === 'pipelines/step-failed')
            await tellFailure(client, started);
          throw error;
        });
        const execution = await client.call<Execution>('GET', path`/api/v1/executions/${started.execution}`, {
          signal,
        });
        output.result(execution, executionText);
        const made = execution.steps.find((one) => one.state === 'done' && one.model)?.model;
        if (made) output.hint(`Next: rondo ship ${made.model}@${made.version}`);
      },
    );

  /** What the failed step said, and where it stopped: beside the error, on stderr. */
  async function tellFailure(client: ApiClient, { execution: id }: Started): Promise<void> {
    if (output.json) return;
    const execution = await client.call<Execution>('GET', path`/api/v1/executions/${id}`, { signal });
    const failed = execution.steps.find(({ state }) => state === 'failed');
    if (!failed) return;
    const { items } = await client.call<{ items: LogLine[] }>('GET', path`/api/v1/executions/${id}/log`, {
      query: { step: failed.name },
      signal,
    });
    for (const { line } of items.slice(-linesTold)) output.say(`  ${failed.name} | ${printable(line)}`);
    output.say(`\n${executionText(execution)}\n`);
  }
};

function executionText({ number, state, steps }: Execution): string {
  const rows = table(steps, [
    { title: 'step', cell: ({ name }) => name },
    { title: 'state', cell: (step) => step.state },
    {
      title: 'took',
      cell: ({ startedAt, endedAt }) =>
        startedAt === undefined || endedAt === undefined ? '' : durationText(endedAt - startedAt),
      align: 'right',
    },
    { title: 'made', cell: ({ model }) => (model ? `${model.model}@${model.version}` : '') },
    { title: 'because', cell: ({ reason = '' }) => reason },
  ]);
  return `Execution ${number}: ${state}\n\n${rows}`;
}

function collect(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  return at === -1 ? { ...before, [text]: '' } : { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
