/** `rondo monitors`: what is watched on an endpoint, as the last window of each monitor saw it. */
import { type ApiClient, path } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { table } from './table.ts';
import { type NamedVerdict, short, type VerdictView, verdictTable } from './verdicts.ts';

type Feature = {
  feature: string;
  method?: string;
  state?: string;
  because?: string;
  cells: ({ n: number; value?: number; threshold?: number } | null)[];
};
type Monitors = {
  endpoint: string;
  drift: { features: Feature[] };
  quality: { metric: string; verdict: VerdictView }[];
  fairness: { column: string; verdict: VerdictView }[];
  service: { availability?: VerdictView; latency?: VerdictView }[];
  alerts: { title: string }[];
};

export const define: DefineCommand = (command, { api, output, signal }) => {
  command.argument('[endpoint]', 'all without it').action(async (endpoint: string | undefined) => {
    const client = await api();
    const names = endpoint === undefined ? await endpointNames(client) : [endpoint];
    const items = await Promise.all(
      names.map((name) => client.call<Monitors>('GET', path`/api/v1/endpoints/${name}/monitors`, { signal })),
    );
    output.result({ items }, () => items.map(section).join('\n\n') || 'No endpoints.');
  });

  async function endpointNames(client: ApiClient): Promise<readonly string[]> {
    const { items } = await client.call<{ items: { name: string }[] }>('GET', '/api/v1/endpoints', { signal });
    return items.map(({ name }) => name);
  }
};

function section(monitors: Monitors): string {
  const verdicts = lastVerdicts(monitors);
  const { features } = monitors.drift;
  if (verdicts.length === 0 && features.length === 0) return `${monitors.endpoint}: no window has ended yet.`;
  return [
    `${monitors.endpoint}: ${monitors.alerts.length} open alerts`,
    ...(verdicts.length > 0 ? ['', verdictTable(verdicts)] : []),
    ...(features.length > 0 ? ['', driftTable(features)] : []),
  ].join('\n');
}

function lastVerdicts({ quality, fairness, service }: Monitors): readonly NamedVerdict[] {
  const [metric, group, level] = [quality.at(-1), fairness.at(-1), service.at(-1)];
  return [
    ...(metric ? [{ name: metric.metric, verdict: metric.verdict }] : []),
    ...(group ? [{ name: `fairness by ${group.column}`, verdict: group.verdict }] : []),
    ...(level?.availability ? [{ name: 'availability', verdict: level.availability }] : []),
    ...(level?.latency ? [{ name: 'latency', verdict: level.latency }] : []),
  ];
}

function driftTable(features: readonly Feature[]): string {
  return table(features, [
    { title: 'drift of', cell: ({ feature }) => feature },
    { title: 'state', cell: ({ state = '' }) => state },
    { title: 'distance', cell: (feature) => short(lastCell(feature)?.value), align: 'right' },
    { title: 'limit', cell: (feature) => short(lastCell(feature)?.threshold), align: 'right' },
    { title: 'n', cell: (feature) => String(lastCell(feature)?.n ?? ''), align: 'right' },
    { title: 'the limit is', cell: ({ because = '' }) => because },
  ]);
}

const lastCell = ({ cells }: Feature) => cells.findLast((cell) => cell !== null);
