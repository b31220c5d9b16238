/** Runs as the tables and charts read them. */
import { useQuery } from '@tanstack/react-query';
import { fixed, scientific } from '../format.ts';
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
  /** JSON has no NaN: it is null. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly datasets: readonly { readonly name: string; readonly digest: string; readonly context?: string }[];
};

export type Experiment = { readonly id: string; readonly name: string; readonly project: string };

export const useExperiments = () =>
  useQuery({
    queryKey: ['runs', 'experiments'],
    queryFn: ({ signal }) => get<{ items: Experiment[] }>('/api/v1/experiments', { limit: 1000 }, signal),
  });

export const useExperiment = (id: string | undefined) =>
  useQuery({
    queryKey: ['runs', 'experiment', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) => get<Experiment>(`/api/v1/experiments/${encodeURIComponent(id ?? '')}`, {}, signal),
  });

/** The runs directly below a run, the newest first. */
export const useChildren = (parent: string) =>
  useQuery({
    queryKey: ['runs', 'children', parent],
    queryFn: ({ signal }) => get<{ items: Run[]; next?: string }>('/api/v1/runs', { parent, limit: 100 }, signal),
  });

export type RunQuery = { readonly experiment?: string; readonly filter?: string; readonly limit: number };

/** Newest first. */
export const useRuns = (query: RunQuery) =>
  useQuery({
    queryKey: ['runs', query],
    queryFn: ({ signal }) => get<{ items: Run[]; next?: string }>('/api/v1/runs', query, signal),
    placeholderData: (before) => before,
  });

export const useRun = (id: string | undefined) =>
  useQuery({
    queryKey: ['run', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) => get<RunDetails>(`/api/v1/runs/${encodeURIComponent(id ?? '')}`, {}, signal),
  });

/** The shape of a metric: one value for each of some stretches. Charts read `series.ts`. */
export const useMetric = (run: string | undefined, key: string) =>
  useQuery({
    queryKey: ['run', run, 'metric', key],
    enabled: run !== undefined,
    queryFn: async ({ signal }) => {
      const path = `/api/v1/runs/${encodeURIComponent(run ?? '')}/series`;
      const { points } = await get<{ points: { value?: number }[] }>(path, { key, buckets: 60 }, signal);
      return points.flatMap(({ value }) => (value === undefined ? [] : { value }));
    },
  });

export type LoggedModel = {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly type?: string;
  readonly createdAt: number;
};

/** A run with what only its own page shows. */
export type RunDetails = Omit<Run, 'datasets'> & {
  readonly parent?: string;
  readonly deleted: boolean;
  readonly models: readonly LoggedModel[];
  readonly datasets: readonly {
    readonly name: string;
    readonly digest: string;
    readonly context?: string;
    readonly sourceType: string;
    readonly source: string;
    readonly schema?: string;
  }[];
};

export type Artifact = { readonly path: string; readonly size: number; readonly isFolder: boolean };

/** What lies directly in a folder of a run, or of a model that it logged. */
export const useArtifacts = (place: { run: string; model?: string | undefined; path?: string } | undefined) => {
  const { run = '', model, path = '' } = place ?? {};
  return useQuery({
    queryKey: ['run', run, 'artifacts', model, path],
    enabled: place !== undefined,
    queryFn: ({ signal }) =>
      get<{ items: Artifact[] }>(`/api/v1/runs/${encodeURIComponent(run)}/artifacts`, { path, model }, signal),
  });
};

type Lead = { readonly key: string; readonly better: 'higher' | 'lower' };

/** The metric that decides which run is best, and in which direction: the first of these that the runs have. */
const leading: readonly (readonly [string, Lead['better']])[] = [
  ['auc', 'higher'],
  ['accuracy', 'higher'],
  ['f1', 'higher'],
  ['log_loss', 'lower'],
  ['rmse', 'lower'],
  ['mae', 'lower'],
  ['loss', 'lower'],
];

export function leadingMetric(runs: readonly Run[]): Lead | undefined {
  for (const [name, better] of leading) {
    const key = runs
      .flatMap((run) => Object.keys(run.metrics).filter((one) => run.metrics[one] !== null))
      .find((candidate) => candidate === name || (candidate.endsWith(`_${name}`) && !candidate.includes('train')));
    if (key) return { key, better };
  }
  return undefined;
}

/** How many decimals people read a metric with. */
export const decimalsOf = (key: string): number => (/loss|brier|auc|accuracy|f1|precision|recall/.test(key) ? 4 : 3);

/** A value among others of its metric: with the same decimals, unless that would say nothing of it. */
export function sayMetricValue(value: number, decimals: number): string {
  const size = Math.abs(value);
  if (size === Number.MAX_VALUE) return value > 0 ? 'Infinity' : '−Infinity'; // as MLflow stores it
  if (size >= 1e9 || (size > 0 && size < 0.5 * 10 ** -decimals)) return scientific(value, 2);
  return Number.isInteger(value) ? fixed(value, 0) : fixed(value, decimals);
}

/** A metric's or parameter's name as a heading: `log_loss` reads "Log loss". */
export function sayMetric(key: string): string {
  const words = key
    .replaceAll('_', ' ')
    .replace(/\bauc\b/gi, 'AUC')
    .replace(/\bf1\b/gi, 'F1');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
