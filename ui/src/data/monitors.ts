/** What the monitors of an endpoint have judged, window by window. */
import { useQuery } from '@tanstack/react-query';
import type { Alert } from './alerts.ts';
import { get } from './api.ts';
import type { VersionRef } from './endpoints.ts';
import type { Verdict } from './verdict.ts';

export type DriftState = 'calm' | 'over' | 'too few rows' | 'too short' | 'no values';

export type Moved =
  | { readonly kind: 'lower' | 'higher'; readonly from: number; readonly to: number }
  | { readonly kind: 'more' | 'fewer'; readonly category: string; readonly from: number; readonly to: number };

export type DriftCell = {
  readonly state: DriftState;
  readonly n: number;
  readonly value?: number;
  readonly threshold: number;
  /** Distance over threshold: above 1 is over. */
  readonly ratio?: number;
  readonly p?: number;
  /** The distance that chance alone makes with so few rows. */
  readonly noise?: number;
  readonly moved?: Moved;
  readonly missing?: { readonly reference: number; readonly current: number };
  readonly quantiles?: { readonly p10: number; readonly p50: number; readonly p90: number };
};

export type DriftWindow = {
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  readonly version: VersionRef;
};

export type DriftFeature = {
  readonly feature: string;
  readonly method?: string;
  readonly state?: DriftState;
  readonly moved?: Moved;
  readonly because?: string;
  /** End of the first window of the present run over the threshold. */
  readonly sinceEnd?: number;
  readonly cells: readonly (DriftCell | null)[];
};

type Window = { readonly start: number; readonly end: number; readonly rows: number; readonly version: VersionRef };

export type Monitors = {
  readonly endpoint: string;
  readonly plan: {
    readonly drift?: {
      readonly windowMs: number;
      readonly everyMs: number;
      readonly persist: number;
      readonly minRows: number;
    };
    readonly quality?: {
      readonly windowMs: number;
      readonly everyMs: number;
      readonly metric: string;
      readonly atLeast?: number;
      readonly atMost?: number;
    };
    readonly fairness?: { readonly metric: string; readonly column: string; readonly atMost: number };
    readonly service?: {
      readonly availability?: number;
      readonly latency?: { readonly quantile: number; readonly belowMs: number };
    };
  };
  readonly version?: VersionRef;
  readonly clock: number;
  readonly drift: { readonly windows: readonly DriftWindow[]; readonly features: readonly DriftFeature[] };
  readonly quality: readonly (Window & {
    readonly verdict: Verdict;
    readonly metric: string;
    readonly coverage: number;
  })[];
  readonly fairness: readonly (Window & { readonly verdict: Verdict; readonly column: string })[];
  readonly service: readonly (Window & { readonly availability?: Verdict; readonly latency?: Verdict })[];
  readonly alerts: readonly Alert[];
};

/** @param limit so many windows of each monitor, the newest */
export const useMonitors = (endpoint: string, { limit }: { limit: number }) =>
  useQuery({
    queryKey: ['monitors', endpoint, limit],
    queryFn: ({ signal }) =>
      get<Monitors>(`/api/v1/endpoints/${encodeURIComponent(endpoint)}/monitors`, { limit }, signal),
    // A new window is no event.
    refetchInterval: 10_000,
  });

export type Bins =
  | { readonly kind: 'numeric'; readonly edges: readonly number[] }
  | { readonly kind: 'categorical'; readonly categories: readonly string[] };

export type FeatureReference = {
  readonly feature: string;
  readonly reference: { readonly bins: Bins; readonly counts: readonly number[]; readonly days: number };
};

export const useFeatureReference = (endpoint: string, feature: string) =>
  useQuery({
    queryKey: ['monitors', endpoint, 'feature', feature],
    queryFn: ({ signal }) =>
      get<FeatureReference>(
        `/api/v1/endpoints/${encodeURIComponent(endpoint)}/monitors/drift/${encodeURIComponent(feature)}`,
        { limit: 1 },
        signal,
      ),
    staleTime: 60_000,
  });

type Summary = {
  readonly kind: 'prediction' | 'mirror';
  readonly model: string;
  readonly version: number;
  readonly features: Readonly<Record<string, { readonly counts: readonly number[] }>>;
};

/** What came in during a window, counted over the cells of the training data; null when it was counted over others. */
export const useFeatureCounts = (endpoint: string, feature: string, window: DriftWindow | undefined) =>
  useQuery({
    queryKey: ['monitors', endpoint, 'counts', window?.start, window?.end],
    enabled: window !== undefined,
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      get<{ items: Summary[] }>(
        `/api/v1/endpoints/${encodeURIComponent(endpoint)}/summaries`,
        { by: 'version', from: window?.start, to: (window?.end ?? 1) - 1 },
        signal,
      ),
    select: ({ items }) => {
      const own = items.filter(
        (one) =>
          one.kind === 'prediction' && one.model === window?.version.model && one.version === window.version.version,
      );
      const counted = own.flatMap(({ features }) => (features[feature] ? [features[feature].counts] : []));
      const first = counted[0];
      return first ? first.map((_, cell) => counted.reduce((sum, counts) => sum + (counts[cell] ?? 0), 0)) : null;
    },
  });

/** The columns a page shows: one window after another without overlap, the newest last. */
export function disjointWindows({ drift, plan }: Monitors, most: number): readonly number[] {
  const { windows } = drift;
  const chosen: number[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (let index = windows.length - 1; index >= 0 && chosen.length < most; index--) {
    const window = windows[index];
    if (!window || window.end > before) continue;
    chosen.unshift(index);
    before = window.end - (plan.drift?.windowMs ?? window.end - window.start);
  }
  return chosen;
}
