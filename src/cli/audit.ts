/** `rondo audit`: the log of every change, and whether it is still what was written. */
import { join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { readCheckpointFolder } from '../events/checkpoint-folder-adapter.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
import { table, timeText } from './table.ts';

type Event = {
  position: number;
  type: string;
  project: string;
  subject: string;
  actor: string;
  at: number;
  reason?: string;
};
type Verification = {
  size: number;
  checkpoints: number;
  root?: string;
  bad?: { position: number; kind: string; why: string };
};
type Page = { items: Event[]; next?: number };

const exportPage = 1000;

export const define: DefineCommand = (command, { api, output, signal, setExitCode }) => {
  command
    .command('log')
    .description('list events, newest first')
    .option('--types <types>', 'only these, separated by commas: rollouts.promoted,rollouts.rolled-back')
    .option('--subject <subject>', 'only about this: model/flight-delay/3')
    .option('--project <name>', 'only of this project')
    .option('--limit <n>', 'at most so many', wholeNumber, 50)
    .action(
      async ({
        types,
        subject,
        project,
        limit,
      }: {
        types?: string;
        subject?: string;
        project?: string;
        limit: number;
      }) => {
        const query = { order: 'newest', types, subject, project, limit };
        const page = await (await api()).call<Page>('GET', '/api/v1/events', { query, signal });
        output.result(page, ({ items }) => (items.length === 0 ? 'No events.' : eventTable(items)));
      },
    );

  command
    .command('verify')
    .description(
      'recompute the log and compare it with every signed checkpoint; exits with 1 when something was changed',
    )
    .option(
      '--checkpoints <folder>',
      'a copy of `checkpoints` in the data folder, kept on another machine: it shows what was changed together with the original',
    )
    .action(async ({ checkpoints }: { checkpoints?: string }) => {
      const body = checkpoints === undefined ? {} : await keptCheckpoints(checkpoints);
      const found = await (await api()).call<Verification>('POST', '/api/v1/audit/verify', { body, signal });
      output.result(found, ({ size, checkpoints, root, bad }) =>
        bad
          ? `CHANGED at entry ${bad.position}: ${bad.why}`
          : `Intact: ${size} entries, ${checkpoints} checkpoints${root === undefined ? '' : `, root ${root}`}`,
      );
      if (found.bad) setExitCode(1);
    });

  command
    .command('export')
    .description('the whole log as NDJSON on standard output')
    .action(async () => {
      const client = await api();
      for (let after = 0; ; ) {
        const { items } = await client.call<Page>('GET', '/api/v1/events', {
          query: { order: 'oldest', limit: exportPage, after },
          signal,
        });
        for (const event of items) output.line(event, JSON.stringify);
        if (items.length < exportPage) return;
        after = items.at(-1)?.position ?? after;
      }
    });
};

async function keptCheckpoints(folder: string) {
  const { notes, keys } = await readCheckpointFolder(folder);
  if (notes.size === 0) {
    throw new PlatformError('cli/usage', folder, {
      message: `There is no checkpoint in ${folder}.`,
      hint: 'name a copy of the folder `checkpoints` in the data folder',
    });
  }
  const checkpoints = [...notes].map(([name, note]) => ({ source: join(folder, name), note }));
  return { checkpoints, verifierKeys: keys };
}

function eventTable(events: readonly Event[]): string {
  return table(events, [
    { title: '#', cell: ({ position }) => String(position), align: 'right' },
    { title: 'at', cell: ({ at }) => timeText(at) },
    { title: 'who', cell: ({ actor }) => actor },
    { title: 'what', cell: ({ type }) => type },
    { title: 'about', cell: (event) => event.subject },
    { title: 'why', cell: ({ reason = '' }) => reason },
  ]);
}
