/** `rondo rollout`: see where it stands, and steer it. */
import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';
import { type DefineCommand, duration, wholeNumber } from './command.ts';
import { shareText, table, timeText } from './table.ts';

type Ref = { model: string; version: number };
type Summary = {
  id: string;
  endpoint: string;
  champion?: Ref;
  challenger: Ref;
  state: string;
  says: string;
  share: number;
  startedAt: number;
  endedAt?: number;
};
type Detail = Summary & { headline: string; because: string };

const verbs = {
  pause: 'hold the split as it is',
  resume: 'go on after a pause',
  promote: 'give it all traffic now',
  abort: 'give all traffic back to the version before',
} as const;

export const define: DefineCommand = (command, { api, output, signal, setExitCode }) => {
  command
    .command('list')
    .description('list rollouts, newest first')
    .option('--endpoint <name>', 'only of this endpoint')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async (query: { endpoint?: string; limit: number }) => {
      const { endpoint, limit } = query;
      const answer = await (await api()).call<{ items: Summary[] }>('GET', '/api/v1/rollouts', {
        query: { endpoint, limit },
        signal,
      });
      output.result(answer, ({ items }) => (items.length === 0 ? 'No rollouts.' : list(items)));
    });

  command
    .command('watch')
    .description(
      'follow a rollout to its end; exits with 0 when promoted, 3 when rolled back or aborted, 5 when it pauses',
    )
    .argument('<rollout>', 'its id, or an endpoint for the newest one there')
    .option('--timeout <duration>', 'stop watching after so long; it goes on', duration)
    .action(async (name: string, { timeout }: { timeout?: number }) => {
      const client = await api();
      const id = await findRollout(client, name);
      const until = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout;
      for (let before = ''; ; ) {
        const rollout = await client.call<Detail>('GET', path`/api/v1/rollouts/${id}`, { signal });
        const said = `${rollout.headline}${rollout.because === '' ? '' : `: ${rollout.because}`}`;
        if (said !== before)
          output.line(rollout, () => `${timeText(Date.now())}  ${shareText(rollout.share).padStart(6)}  ${said}`);
        before = said;
        const exit = exitCodes[rollout.state];
        if (exit !== undefined) return setExitCode(exit);
        if (Date.now() > until)
          throw new PlatformError('cli/timeout', `The rollout ${id}`, {
            hint: `it goes on: rondo rollout watch ${id}`,
          });
        await delay(1000, undefined, { signal });
      }
    });

  for (const [verb, about] of Object.entries(verbs)) {
    command
      .command(verb)
      .description(about)
      .argument('<rollout>', 'its id, or an endpoint for the newest one there')
      .option('--reason <text>', 'stands in the audit log')
      .action(async (name: string, { reason }: { reason?: string }) => {
        const client = await api();
        const id = await findRollout(client, name);
        const body = reason === undefined ? {} : { reason };
        const rollout = await client.call<Detail>('POST', `${path`/api/v1/rollouts/${id}`}/${verb}`, { body, signal });
        output.result(rollout, ({ headline }) => headline);
      });
  }

  async function findRollout(client: ApiClient, name: string): Promise<string> {
    const { items } = await client.call<{ items: Summary[] }>('GET', '/api/v1/rollouts', {
      query: { endpoint: name, limit: 1 },
      signal,
    });
    return items[0]?.id ?? name;
  }
};

/** The states in which there is nothing more to wait for. */
const exitCodes: Readonly<Record<string, number>> = { promoted: 0, 'rolled-back': 3, aborted: 3, paused: 5 };

function list(rollouts: readonly Summary[]): string {
  const name = ({ model, version }: Ref) => `${model}@${version}`;
  return table(rollouts, [
    { title: 'rollout', cell: ({ id }) => id },
    { title: 'endpoint', cell: ({ endpoint }) => endpoint },
    { title: 'from', cell: ({ champion }) => (champion ? name(champion) : '') },
    { title: 'to', cell: ({ challenger }) => name(challenger) },
    { title: 'share', cell: ({ share }) => shareText(share), align: 'right' },
    { title: 'state', cell: ({ says }) => says },
    { title: 'started', cell: ({ startedAt }) => timeText(startedAt) },
  ]);
}
