/** `rondo alerts`: what a monitor has found. */
import { type DefineCommand, wholeNumber } from './command.ts';
import { table, timeText } from './table.ts';

type Alert = {
  id: string;
  endpoint?: string;
  title?: string;
  kind?: string;
  state?: string;
  openedAt: number;
  resolvedAt?: number;
  reason?: string;
};

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .option('--endpoint <name>', 'only of this endpoint')
    .option('--all', 'resolved ones too')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async ({ endpoint, all, limit }: { endpoint?: string; all?: boolean; limit: number }) => {
      const query = { endpoint, limit, ...(!all && { state: 'open' }) };
      const answer = await (await api()).call<{ items: Alert[] }>('GET', '/api/v1/alerts', { query, signal });
      output.result(answer, ({ items }) =>
        items.length === 0
          ? 'No alerts.'
          : table(items, [
              { title: 'alert', cell: ({ id }) => id },
              { title: 'endpoint', cell: (alert) => alert.endpoint ?? '' },
              { title: 'what', cell: ({ title, kind, reason }) => title ?? reason ?? kind ?? '' },
              { title: 'since', cell: ({ openedAt }) => timeText(openedAt) },
              { title: 'resolved', cell: ({ resolvedAt }) => timeText(resolvedAt) },
            ]),
      );
    });
};
