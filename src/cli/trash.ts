/** `rondo trash`: what was deleted, and its way back. */
import { PlatformError } from '../errors.ts';
import { path } from './api-client.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
import { table, timeText } from './table.ts';

type Item = {
  kind: string;
  id: string;
  name: string;
  project: string;
  deletedAt: number;
  experimentId?: string;
  holds?: number;
};

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .command('list', { isDefault: true })
    .description('list what was deleted, newest first')
    .option('--kind <kind>', 'only experiment, run, logged-model, model or version')
    .option('--limit <n>', 'at most so many', wholeNumber, 50)
    .action(async ({ kind, limit }: { kind?: string; limit: number }) => {
      const query = { kind, limit };
      const page = await (await api()).call<{ items: Item[]; next?: string }>('GET', '/api/v1/trash', {
        query,
        signal,
      });
      output.result(page, ({ items }) => (items.length === 0 ? 'The trash is empty.' : list(items)));
      if (page.next !== undefined) output.hint('There are more: --limit shows them.');
    });

  command
    .command('restore')
    .description('bring something back, with all that was deleted with it')
    .argument('<item>', 'as the list names it: run/4f1c…, experiment/3, version/flight-delay@2')
    .action(async (name: string) => {
      const { kind, id } = itemOf(name);
      const target = path`/api/v1/trash/${kind}/${id}/restore`;
      const item = await (await api()).call<Item>('POST', target, { signal });
      output.result(item, () => `Restored ${item.kind} ${item.name}.`);
    });

  command
    .command('purge')
    .description('delete something of the trash for good, with its artifacts')
    .argument('<item>', 'as the list names it')
    .action(async (name: string) => {
      const { kind, id } = itemOf(name);
      await (await api()).call('DELETE', path`/api/v1/trash/${kind}/${id}`, { signal });
      output.result({ kind, id }, () => `Deleted ${kind} ${id} for good. \`rondo gc\` frees its bytes.`);
    });
};

function itemOf(name: string): { readonly kind: string; readonly id: string } {
  const at = name.indexOf('/');
  if (at > 0 && at < name.length - 1) return { kind: name.slice(0, at), id: name.slice(at + 1) };
  throw new PlatformError('cli/usage', name, {
    message: `${name} does not say what it is.`,
    hint: 'write the kind before it, as `rondo trash` does: run/4f1c…',
  });
}

function list(items: readonly Item[]): string {
  return table(items, [
    { title: 'item', cell: ({ kind, id }) => `${kind}/${id}` },
    { title: 'name', cell: ({ name }) => name },
    { title: 'project', cell: ({ project }) => project },
    { title: 'with it', cell: withIt },
    { title: 'deleted', cell: ({ deletedAt }) => timeText(deletedAt) },
  ]);
}

function withIt({ kind, holds = 0 }: Item): string {
  if (holds === 0) return '';
  const noun = kind === 'experiment' ? 'run' : 'version';
  return `${holds} ${noun}${holds === 1 ? '' : 's'}`;
}
