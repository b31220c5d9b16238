/** `rondo runs`: what was tracked. */
import { path } from './api-client.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
import { durationText, table, timeText } from './table.ts';

type Run = {
  id: string;
  name: string;
  status: string;
  startedAt: number;
  endedAt?: number;
  params: Record<string, string>;
  /** NaN is null in JSON. */
  metrics: Record<string, number | null>;
};

type Query = { experiment?: string; filter?: string; order?: string; limit: number };

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .argument('[id]', 'one run in full; without it, a list')
    .option('--experiment <name>', 'only of this experiment: its name or its id')
    .option('--filter <expression>', "as in MLflow: metrics.auc > 0.7 and params.depth = '6'")
    .option('--order <expression>', 'metrics.auc DESC')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async (id: string | undefined, query: Query) => {
      const client = await api();
      if (id !== undefined) {
        const run = await client.call<Run>('GET', path`/api/v1/runs/${id}`, { signal });
        return output.result(run, inFull);
      }
      const { limit, experiment, filter, order } = query;
      const answer = await client.call<{ items: Run[]; next?: string }>('GET', '/api/v1/runs', {
        query: { limit, experiment, filter, order },
        signal,
      });
      output.result(answer, ({ items }) => (items.length === 0 ? 'No runs.' : list(items)));
      if (answer.next !== undefined) output.hint('There are more: --limit shows them.');
    });
};

/** The metrics that most of the listed runs have, so that the table can be compared down its columns. */
function list(runs: readonly Run[]): string {
  const counts = new Map<string, number>();
  for (const run of runs) for (const key of Object.keys(run.metrics)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const shown = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4)
    .map(([key]) => key);
  return table(runs, [
    { title: 'run', cell: ({ id }) => id },
    { title: 'name', cell: ({ name }) => name },
    { title: 'status', cell: ({ status }) => status.toLowerCase() },
    { title: 'started', cell: ({ startedAt }) => timeText(startedAt) },
    {
      title: 'took',
      cell: ({ startedAt, endedAt }) => (endedAt === undefined ? '' : durationText(endedAt - startedAt)),
      align: 'right',
    },
    ...shown.map((key) => ({ title: key, cell: (run: Run) => numberText(run.metrics[key]), align: 'right' as const })),
  ]);
}

function inFull(run: Run): string {
  const facts = [`${run.name}  ${run.id}  ${run.status.toLowerCase()}  ${timeText(run.startedAt)}`];
  const section = (title: string, entries: readonly (readonly [string, string])[]) => {
    if (entries.length > 0)
      facts.push(
        '',
        table(entries, [
          { title, cell: ([key]) => key },
          { title: '', cell: ([, value]) => value },
        ]),
      );
  };
  section('param', Object.entries(run.params));
  section(
    'metric',
    Object.entries(run.metrics).map(([key, value]) => [key, numberText(value)] as const),
  );
  return facts.join('\n');
}

function numberText(value: number | null | undefined): string {
  if (value === null) return 'NaN';
  return value === undefined ? '' : String(Number(value.toPrecision(6)));
}
