/** The five measures of delivery, as the server counts them from events. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';
import type { Verdict } from './verdict.ts';

export type Judged = Verdict & { readonly start: number; readonly end: number };

export type Delivery = {
  readonly from: number;
  readonly to: number;
  readonly changes: number;
  readonly timeToProduction: {
    readonly each: readonly { readonly version: string; readonly total: number; readonly clock?: number }[];
    readonly p50?: number;
  };
  readonly rollbacks: readonly {
    readonly version: string;
    readonly wasLive: boolean;
    readonly rollback?: number;
    readonly fromHarm?: number;
  }[];
  readonly failed: number;
  readonly caught: number;
  readonly endpoints: readonly {
    readonly endpoint: string;
    readonly quality: readonly (Judged & { readonly metric: string })[];
    readonly availability: readonly (Judged & { readonly rows: number })[];
  }[];
};

export const useDelivery = () =>
  useQuery({
    queryKey: ['rollouts', 'delivery'],
    queryFn: ({ signal }) => get<Delivery>('/api/v1/delivery', {}, signal),
    refetchInterval: 15_000,
  });
