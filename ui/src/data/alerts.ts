/** Alerts: one open one per thing that is wrong. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

export type Alert = {
  readonly id: string;
  readonly endpoint: string;
  readonly monitor: 'drift' | 'quality' | 'fairness' | 'service';
  readonly title: string;
  readonly state: 'open' | 'acknowledged' | 'resolved';
  /** The endpoint's clock. */
  readonly openedClock: number;
  readonly openedAt: number;
  readonly resolvedClock?: number;
};

export const useAlerts = () => useQuery({ queryKey: ['alerts'], queryFn: ({ signal }) => get<{ items: Alert[] }>('/api/v1/alerts', {}, signal) });
