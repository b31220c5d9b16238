/** Endpoints: what serves, to whom, and how it does. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

export type VersionRef = { readonly model: string; readonly version: number };

export type Endpoint = {
  readonly name: string;
  readonly project: string;
  /** The input that carries event time; absent: the wall clock. */
  readonly time?: string;
  readonly champion?: VersionRef;
  readonly previous?: VersionRef;
  readonly rollout?: {
    readonly id: string;
    readonly challenger: VersionRef;
    readonly stage: 'shadow' | 'canary';
    readonly share: number;
  };
  readonly ready: boolean;
  /** What an answer may take. */
  readonly latencyLimitMs: number;
  /** Of the last five minutes; absent, as the numbers below, until it is loaded. */
  readonly requestsPerSecond?: number;
  readonly requests?: number;
  readonly errors?: number;
  readonly latencyMs?: { readonly p50?: number; readonly p95?: number; readonly p99?: number };
  readonly logState?: { readonly last: number };
  /** The endpoint's clock: the greatest event time logged, where it names one. */
  readonly endpointTime?: number;
};

export const useEndpoints = () =>
  useQuery({
    queryKey: ['endpoints'],
    queryFn: ({ signal }) => get<{ items: Endpoint[] }>('/api/v1/endpoints', {}, signal),
    // Counts and clocks move without events.
    refetchInterval: 3000,
  });

/** How much of the traffic the champion and the challenger answer. */
export function sharesOf({
  champion,
  rollout,
}: Endpoint): readonly { ref: VersionRef; role: 'champion' | 'challenger'; share: number }[] {
  if (!champion) return [];
  const moved = rollout?.stage === 'canary' ? rollout.share : 0;
  return [
    { ref: champion, role: 'champion', share: 1 - moved },
    ...(rollout ? [{ ref: rollout.challenger, role: 'challenger' as const, share: moved }] : []),
  ];
}
