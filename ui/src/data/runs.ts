/** Runs as the tables and charts read them. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

export type Run = {
  readonly id: string;
  readonly name: string;
  readonly experimentId: string;
  readonly status: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  readonly user?: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly datasets?: readonly { readonly name: string; readonly digest: string; readonly context?: string }[];
  readonly versions?: readonly { readonly model: string; readonly version: number }[];
};

export type RunQuery = { readonly filter?: string; readonly order?: string; readonly limit?: number; readonly experiment?: string };

export const useRuns = (query: RunQuery) =>
  useQuery({
    queryKey: ['runs', query],
    queryFn: ({ signal }) => get<{ items: Run[]; next?: string; total?: number }>('/api/v1/runs', query, signal),
    placeholderData: (before) => before,
  });

export const useRun = (id: string) => useQuery({ queryKey: ['run', id], queryFn: ({ signal }) => get<Run>(`/api/v1/runs/${encodeURIComponent(id)}`, {}, signal) });

export type MetricPoint = { readonly step: number; readonly at: number; readonly value: number; readonly min?: number; readonly max?: number };

export const useMetric = (run: string | undefined, key: string) =>
  useQuery({
    queryKey: ['run', run, 'metric', key],
    enabled: run !== undefined,
    queryFn: ({ signal }) =>
      get<{ points: MetricPoint[] }>(`/api/v1/runs/${encodeURIComponent(run ?? '')}/metrics/${encodeURIComponent(key)}`, { buckets: 300 }, signal),
  });

export type Artifact = { readonly path: string; readonly size: number; readonly isFolder: boolean };

export const useArtifacts = (run: string, path = '') =>
  useQuery({
    queryKey: ['run', run, 'artifacts', path],
    queryFn: ({ signal }) => get<{ items: Artifact[] }>(`/api/v1/runs/${encodeURIComponent(run)}/artifacts`, { path }, signal),
  });

/** The metric that decides which run is best, and in which direction: the first of these that the runs have. */
const leading: readonly (readonly [string, 'higher' | 'lower'])[] = [
  ['auc', 'higher'],
  ['accuracy', 'higher'],
  ['f1', 'higher'],
  ['log_loss', 'lower'],
  ['rmse', 'lower'],
  ['mae', 'lower'],
  ['loss', 'lower'],
];

export function leadingMetric(runs: readonly Run[]): { key: string; better: 'higher' | 'lower' } | undefined {
  for (const [name, better] of leading) {
    const key = runs.flatMap((run) => Object.keys(run.metrics)).find((candidate) => candidate === name || candidate.endsWith(`_${name}`));
    if (key) return { key, better };
  }
  return undefined;
}

export function bestRun(runs: readonly Run[], { key, better }: { key: string; better: 'higher' | 'lower' }): Run | undefined {
  const sign = better === 'higher' ? 1 : -1;
  const scored = runs.filter((run) => Number.isFinite(run.metrics[key] ?? Number.NaN));
  return scored.sort((a, b) => sign * ((b.metrics[key] ?? 0) - (a.metrics[key] ?? 0)))[0];
}

/** How many decimals people read a metric with. */
export const decimalsOf = (key: string): number => (/loss|brier/.test(key) ? 4 : /auc|accuracy|f1|precision|recall/.test(key) ? 4 : 3);
