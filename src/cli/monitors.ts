/** `rondo monitors`: what is watched on an endpoint. */
import { type ApiClient, path } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { type VerdictView, verdictTable } from './verdicts.ts';

type Monitor = { name?: string; kind?: string; feature?: string; verdict?: VerdictView };

export const define: DefineCommand = (command, { api, output, signal }) => {
  command.argument('[endpoint]', 'all without it').action(async (endpoint: string | undefined) => {
    const client = await api();
    const names = endpoint === undefined ? await endpointNames(client) : [endpoint];
    const items = await Promise.all(
      names.map(async (name) => ({
        endpoint: name,
        monitors: (await client.call<{ items: Monitor[] }>('GET', path`/api/v1/endpoints/${name}/monitors`, { signal }))
          .items,
      })),
    );
    output.result({ items }, () => items.map(section).join('\n\n') || 'No endpoints.');
  });

  async function endpointNames(client: ApiClient): Promise<readonly string[]> {
    const { items } = await client.call<{ items: { name: string }[] }>('GET', '/api/v1/endpoints', { signal });
    return items.map(({ name }) => name);
  }
};

function section({ endpoint, monitors }: { endpoint: string; monitors: readonly Monitor[] }): string {
  if (monitors.length === 0) return `${endpoint}: nothing is watched. Add \`monitors:\` to rondo.yaml.`;
  const rows = monitors.map(({ name, kind = '', feature, verdict }) => ({
    name: name ?? `${kind}${feature === undefined ? '' : ` ${feature}`}`,
    verdict: verdict ?? { outcome: 'inconclusive' as const, reason: 'no window has ended yet' },
  }));
  return `${endpoint}\n${verdictTable(rows)}`;
}
