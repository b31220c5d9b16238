/** Webhooks and what was delivered to them, as administrators see them. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { get, post, send } from './api.ts';

export type Webhook = {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly state: 'active' | 'disabled' | 'paused';
  readonly pausedAt?: number;
  readonly pausedBecause?: string;
  readonly signed: boolean;
  /** Attempts since the last one that succeeded. */
  readonly failures: number;
  readonly failingSince?: number;
};

export type Attempt = {
  readonly at: number;
  readonly ms: number;
  readonly status?: number;
  readonly answer?: string;
  readonly problem?: string;
};

export type Delivery = {
  readonly id: string;
  readonly to: {
    readonly kind: 'webhook' | 'slack' | 'pagerduty' | 'address';
    readonly webhook?: string;
    readonly project?: string;
  };
  readonly event: string;
  readonly subject: string;
  readonly state: 'waiting' | 'delivered' | 'failed';
  readonly tries: number;
  readonly dueAt: number;
  readonly createdAt: number;
  readonly body?: string;
  readonly attempts: readonly Attempt[];
};

/** What webhooks can be told of, by what it is about; those of MLflow's registry first. */
export const webhookEvents: Readonly<Record<string, readonly string[]>> = {
  registered_model: ['created'],
  model_version: ['created'],
  model_version_tag: ['set', 'deleted'],
  model_version_alias: ['created', 'deleted'],
  model_version_stage: ['set'],
  experiment: ['created', 'deleted', 'restored'],
  run: ['created', 'ended', 'deleted', 'restored'],
  rollout: ['started', 'step_entered', 'paused', 'resumed', 'promoted', 'rolled_back', 'aborted', 'superseded'],
  alert: ['opened', 'changed', 'acknowledged', 'resolved'],
  approval: ['asked', 'granted', 'refused', 'expired'],
};

/** @param enabled only administrators may ask */
export const useWebhooks = (enabled: boolean) =>
  useQuery({
    queryKey: ['webhooks'],
    enabled,
    queryFn: ({ signal }) => get<{ items: Webhook[] }>('/api/v1/webhooks', {}, signal),
  });

export const useDeliveries = (query: { readonly state: string | undefined }, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: ['webhooks', 'deliveries', query],
    enabled,
    queryFn: ({ signal, pageParam }) =>
      get<{ items: Delivery[]; next?: string }>(
        '/api/v1/webhooks/deliveries',
        { ...query, limit: 50, cursor: pageParam },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    // An attempt is no event.
    refetchInterval: 5000,
  });

export const useDelivery = (id: string | undefined) =>
  useQuery({
    queryKey: ['webhooks', 'delivery', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) => get<Delivery>(`/api/v1/webhooks/deliveries/${encodeURIComponent(id ?? '')}`, {}, signal),
  });

export type NewWebhook = {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly secret?: string;
};

const path = (id: string) => `/api/v1/webhooks/${encodeURIComponent(id)}`;

export const addWebhook = (webhook: NewWebhook) => post<Webhook>('/api/v1/webhooks', webhook);
export const removeWebhook = (id: string) => send<unknown>('DELETE', path(id));
export const switchWebhook = (id: string, active: boolean) => send<Webhook>('PATCH', path(id), { active });
export const redeliver = (id: string) =>
  post<Delivery>(`/api/v1/webhooks/deliveries/${encodeURIComponent(id)}/redeliver`);

export type Tested = { readonly delivered: boolean; readonly status?: number; readonly problem?: string };

export const testWebhook = (id: string) => post<Tested>(`${path(id)}/test`);
