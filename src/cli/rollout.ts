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
type Decision = { position: number; type: string; at: number; reason?: string };
/** Decisions are newest first. */
type Detail = Summary & { headline: string; because: string; decisions: Decision[] };

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
      for (let [before, told] = ['', 0]; ; ) {
        const rollout = await client.call<Detail>('GET', path`/api/v1/rollouts/${id}`, { signal });
        if (!output.json) for (const one of newDecisions(rollout, told)) output.line(one, decisionText);
        told = rollout.decisions[0]?.position ?? told;
        const said = standing(rollout);
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

function newDecisions({ decisions }: Detail, told: number): readonly Decision[] {
  return decisions.filter(({ position }) => position > told).reverse();
}

function decisionText({ at, type, reason = '' }: Decision): string {
  return `${timeText(at)}  ${type.slice(type.indexOf('.') + 1).replaceAll('-', ' ')}${reason === '' ? '' : `: ${reason}`}`;
}

/** The headline of an ended rollout has its reason in it already. */
function standing({ headline, because }: Detail): string {
  return because === '' || headline.includes(because) ? headline : `${headline}: ${because}`;
}

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
