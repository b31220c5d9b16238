/** `rondo rollback`: the previous version answers again. */
import { path } from './api-client.ts';
import type { DefineCommand } from './command.ts';

type Ref = { model: string; version: number };

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .argument('<endpoint>')
    .option('--reason <text>', 'stands in the audit log')
    .action(async (endpoint: string, { reason }: { reason?: string }) => {
      const body = reason === undefined ? {} : { reason };
      const answer = await (await api()).call<{ traffic: { generation: number; champion?: Ref } }>(
        'POST',
        path`/api/v1/endpoints/${endpoint}/rollback`,
        { body, signal },
      );
      output.result(
        answer,
        ({ traffic: { champion } }) =>
          `${endpoint} is served by ${champion ? `${champion.model}@${champion.version}` : 'nothing'} again.`,
      );
    });
};
