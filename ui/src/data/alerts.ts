/** Alerts: at most one open one per endpoint and kind of monitor. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

export type AlertItem = {
  readonly name: string;
  readonly value?: number;
  readonly threshold?: number;
  readonly ratio?: number;
  readonly says: string;
};

export type Alert = {
  readonly id: string;
  readonly endpoint: string;
  readonly monitor: 'drift' | 'quality' | 'fairness' | 'service';
  readonly model: string;
  readonly version: number;
  readonly severity: 'page' | 'ticket';
  readonly state: 'open' | 'acknowledged' | 'resolved';
  readonly title: string;
  readonly items: readonly AlertItem[];
  readonly openedAt: number;
  /** The endpoint's clock: the end of the window that opened it. */
  readonly openedClock: number;
  readonly acknowledgedBy?: string;
  readonly resolvedAt?: number;
  readonly resolvedClock?: number;
  readonly resolution?: string;
};

/** The newest first. */
export const useAlerts = () =>
  useQuery({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => get<{ items: Alert[] }>('/api/v1/alerts', { limit: 100 }, signal),
  });

export const isOpen = (alert: Alert): boolean => alert.state !== 'resolved';
