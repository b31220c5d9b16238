/** `rondo alerts`: what a monitor has found. */
import { type DefineCommand, wholeNumber } from './command.ts';
import { table, timeText } from './table.ts';

type Alert = { id: string; endpoint: string; title: string; severity: string; openedAt: number; resolvedAt?: number };

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .option('--endpoint <name>', 'only of this endpoint')
    .option('--all', 'resolved ones too')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async ({ endpoint, all, limit }: { endpoint?: string; all?: boolean; limit: number }) => {
      const query = { endpoint, limit, ...(!all && { open: true }) };
      const answer = await (await api()).call<{ items: Alert[] }>('GET', '/api/v1/alerts', { query, signal });
      output.result(answer, ({ items }) =>
        items.length === 0
          ? 'No alerts.'
          : table(items, [
              { title: 'alert', cell: ({ id }) => id },
              { title: 'endpoint', cell: ({ endpoint }) => endpoint },
              { title: 'severity', cell: ({ severity }) => severity },
              { title: 'what', cell: ({ title }) => title },
              { title: 'since', cell: ({ openedAt }) => timeText(openedAt) },
              { title: 'resolved', cell: ({ resolvedAt }) => timeText(resolvedAt) },
            ]),
      );
    });
};
