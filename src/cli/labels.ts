/** `rondo labels add`: the truth, when it has arrived. */
import { PlatformError } from '../errors.ts';
import { path } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { readRows } from './input.ts';

type Answer = { accepted: number; known: number };

/** One request's worth: well below the route's size limit. */
const batch = 5_000;

export const define: DefineCommand = (command, { api, output, signal, stdin }) => {
  command
    .command('add')
    .description('tell an endpoint what came true; a label that is known already is counted, not doubled')
    .argument('<endpoint>')
    .argument('<file>', 'JSON, NDJSON or CSV; - is standard input')
    .option('--key <column>', "the endpoint's key", 'key')
    .option('--value <column>', 'what came true', 'value')
    .action(async (endpoint: string, file: string, columns: { key: string; value: string }) => {
      const rows = await readRows(file, stdin);
      const labels = rows.map((row, at) => {
        const [key, value] = [row[columns.key], row[columns.value]];
        if (key === undefined || value === undefined) {
          throw new PlatformError('cli/usage', file, {
            message: `Row ${at + 1} of ${file} has no ${key === undefined ? columns.key : columns.value}.`,
            hint: `name the columns: --key and --value; it has ${Object.keys(row).join(', ')}`,
          });
        }
        return { key, value };
      });
      const client = await api();
      const total: Answer = { accepted: 0, known: 0 };
      for (let at = 0; at < labels.length; at += batch) {
        const answer = await client.call<Answer>('POST', path`/api/v1/endpoints/${endpoint}/labels`, {
          body: { labels: labels.slice(at, at + batch) },
          signal,
        });
        total.accepted += answer.accepted;
        total.known += answer.known;
        output.progress(`${Math.min(at + batch, labels.length)} of ${labels.length} labels`);
      }
      output.result(
        total,
        ({ accepted, known }) =>
          `${accepted} ${accepted === 1 ? 'label' : 'labels'} added${known > 0 ? `, ${known} known already` : ''}.`,
      );
    });
};
