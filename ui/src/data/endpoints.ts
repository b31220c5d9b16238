/** Endpoints: what serves, to whom, and how it does. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

export type VersionRef = { readonly model: string; readonly version: number };

export type Endpoint = {
  readonly name: string;
  readonly project: string;
  readonly champion?: VersionRef;
  readonly previous?: VersionRef;
  readonly rollout?: { readonly id: string; readonly challenger: VersionRef; readonly stage: 'shadow' | 'canary'; readonly share: number };
  readonly latencyMs: number;
  /** The greatest event time logged, where the endpoint names one. */
  readonly watermark?: number;
  readonly requests: { readonly total: number; readonly errors: number; readonly perSecond: number };
  readonly latency: { readonly p50?: number; readonly p95?: number; readonly p99?: number };
};

export const useEndpoints = () =>
  useQuery({
    queryKey: ['endpoints'],
    queryFn: ({ signal }) => get<{ items: Endpoint[] }>('/api/v1/endpoints', {}, signal),
    // Counts and clocks move without events.
    refetchInterval: 3000,
  });
