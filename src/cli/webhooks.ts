/** `rondo webhooks`: who is told of what happens, and what became of each message. */
import { webhookEvents } from '../notify/webhook-event.ts';
import { path } from './api-client.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
import { readFirstLine } from './input.ts';
import { table, timeText } from './table.ts';

type Webhook = {
  id: string;
  name: string;
  url: string;
  events: readonly string[];
  state: string;
  pausedBecause?: string;
};
type Delivery = {
  id: string;
  event: string;
  subject: string;
  state: string;
  createdAt: number;
  attempts: readonly { status?: number; problem?: string }[];
};
type TestResult = { delivered: boolean; status?: number; problem?: string };

export const define: DefineCommand = (command, { api, output, signal, stdin, setExitCode }) => {
  command
    .command('list', { isDefault: true })
    .description('list webhooks with their events')
    .action(async () => {
      const answer = await (await api()).call<{ items: Webhook[] }>('GET', '/api/v1/webhooks', { signal });
      output.result(answer, ({ items }) =>
        items.length === 0
          ? 'No webhooks.'
          : table(items, [
              { title: 'webhook', cell: ({ id }) => id },
              { title: 'name', cell: ({ name }) => name },
              {
                title: 'state',
                cell: ({ state, pausedBecause }) => (pausedBecause ? `paused: ${pausedBecause}` : state),
              },
              { title: 'to', cell: ({ url }) => URL.parse(url)?.host ?? '' },
              { title: 'events', cell: ({ events }) => events.join(', ') },
            ]),
      );
    });

  command
    .command('add')
    .description('tell an address of events')
    .argument('<name>', 'letters, digits, dots, dashes')
    .argument('<url>', 'https://…')
    .argument('<events...>', `of ${webhookEvents.join(', ')}`)
    .option('--secret-stdin', 'read from standard input what signs the messages')
    .action(async (name: string, url: string, events: string[], { secretStdin }: { secretStdin?: boolean }) => {
      const secret = secretStdin ? await readFirstLine(stdin) : undefined;
      const body = { name, url, events, ...(secret && { secret }) };
      const added = await (await api()).call<Webhook>('POST', '/api/v1/webhooks', { body, signal });
      output.result(added, ({ id }) => `Added ${name}: ${id}`);
      output.hint(`Try it: rondo webhooks test ${added.id}`);
    });

  command
    .command('test')
    .description('send an example now')
    .argument('<webhook-id>')
    .option('--event <event>', 'which; the first of its events without it')
    .action(async (id: string, { event }: { event?: string }) => {
      const result = await (await api()).call<TestResult>('POST', path`/api/v1/webhooks/${id}/test`, {
        body: event === undefined ? {} : { event },
        signal,
      });
      output.result(result, ({ delivered, status, problem }) =>
        delivered ? `Delivered: it answered ${status}.` : `Not delivered: ${problem}.`,
      );
      if (!result.delivered) setExitCode(1);
    });

  command
    .command('deliveries')
    .description('list what was sent or waits, newest first')
    .argument('[webhook-id]', 'all without it, alerts of projects too')
    .option('--state <state>', 'waiting, delivered or failed')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async (webhook: string | undefined, { state, limit }: { state?: string; limit: number }) => {
      const query = { webhook, state, limit };
      const answer = await (await api()).call<{ items: Delivery[] }>('GET', '/api/v1/webhooks/deliveries', {
        query,
        signal,
      });
      output.result(answer, ({ items }) =>
        items.length === 0
          ? 'No deliveries.'
          : table(items, [
              { title: 'delivery', cell: ({ id }) => id },
              { title: 'event', cell: ({ event }) => event },
              { title: 'about', cell: ({ subject }) => subject },
              { title: 'since', cell: ({ createdAt }) => timeText(createdAt) },
              { title: 'state', cell: ({ state }) => state },
              { title: 'attempts', cell: ({ attempts }) => String(attempts.length), align: 'right' },
              { title: 'last problem', cell: ({ attempts }) => attempts.at(-1)?.problem ?? '' },
            ]),
      );
    });

  command
    .command('redeliver')
    .description('send again, under the same id')
    .argument('<delivery-id>')
    .action(async (id: string) => {
      await (await api()).call('POST', path`/api/v1/webhooks/deliveries/${id}/redeliver`, { signal });
      output.result({ redelivering: id }, () => `Sends ${id} again.`);
    });

  command
    .command('resume')
    .description('go on with one that is paused or disabled')
    .argument('<webhook-id>')
    .action(async (id: string) => {
      const body = { active: true };
      const resumed = await (await api()).call<Webhook>('PATCH', path`/api/v1/webhooks/${id}`, { body, signal });
      output.result(resumed, ({ name }) => `${name} is active.`);
    });

  command
    .command('remove')
    .description('remove a webhook and the list of its deliveries')
    .argument('<webhook-id>')
    .action(async (id: string) => {
      await (await api()).call('DELETE', path`/api/v1/webhooks/${id}`, { signal });
      output.result({ removed: id }, () => `Removed ${id}.`);
    });
};
