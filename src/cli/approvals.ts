/** `rondo approvals`: what waits for people's consent, and giving it. */
import { path } from './api-client.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
import { table, timeText } from './table.ts';

type Approval = {
  id: string;
  endpoint: string;
  model: string;
  version: number;
  state: string;
  requester: string;
  askedAt: number;
  policy: { people: number };
  gates: { outcome: string; reason: string };
  consents: { person: string; decision: string; reason?: string }[];
};

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .command('list', { isDefault: true })
    .description('list what waits for consent')
    .option('--all', 'what was decided too')
    .option('--project <name>', 'only of this project')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async ({ all, project, limit }: { all?: boolean; project?: string; limit: number }) => {
      const query = { project, limit, ...(!all && { open: true }) };
      const answer = await (await api()).call<{ items: Approval[] }>('GET', '/api/v1/approvals', { query, signal });
      output.result(answer, ({ items }) =>
        items.length === 0
          ? 'Nothing waits for consent.'
          : table(items, [
              { title: 'approval', cell: ({ id }) => id },
              { title: 'change', cell: ({ model, version, endpoint }) => `${model}@${version} on ${endpoint}` },
              { title: 'gates', cell: ({ gates }) => gates.outcome },
              { title: 'asked by', cell: ({ requester }) => requester },
              { title: 'since', cell: ({ askedAt }) => timeText(askedAt) },
              { title: 'consent', cell: standing },
            ]),
      );
    });

  for (const [decision, about] of [
    ['grant', 'agree: the rollout begins when enough people have'],
    ['refuse', 'refuse: the rollout does not happen'],
  ] as const) {
    command
      .command(decision)
      .description(about)
      .argument('<approval>', 'its id, from `rondo approvals`')
      .option('--reason <text>', 'stands in the audit log')
      .action(async (id: string, { reason }: { reason?: string }) => {
        const approval = await (await api()).call<Approval>('POST', path`/api/v1/approvals/${id}/${decision}`, {
          body: { ...(reason !== undefined && { reason }) },
          signal,
        });
        const { model, version, endpoint } = approval;
        output.result(approval, () => `${model}@${version} on ${endpoint}: ${standing(approval)}`);
      });
  }
};

function standing({ state, consents, policy }: Approval): string {
  const who = consents.map(({ person, decision }) => (decision === 'refuse' ? `${person} refused` : person)).join(', ');
  const count = state === 'open' ? `${consents.length} of ${policy.people}` : state;
  return who === '' ? count : `${count} (${who})`;
}
