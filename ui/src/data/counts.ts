/** What the frame shows about the whole server: open things, names to go to, the endpoint's clock. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';
import { useAlerts } from './alerts.ts';
import { useEndpoints } from './endpoints.ts';
import { useRollouts } from './rollouts.ts';

export type Server = { readonly version: string; readonly folder?: string };

export const useServer = () =>
  useQuery({ queryKey: ['server'], queryFn: ({ signal }) => get<Server>('/api/v1/version', {}, signal), staleTime: Number.POSITIVE_INFINITY });

export function useCounts() {
  const server = useServer().data;
  const endpoints = useEndpoints().data?.items ?? [];
  const alerts = (useAlerts().data?.items ?? []).filter((alert) => alert.state === 'open');
  const running = (useRollouts().data?.items ?? []).filter((rollout) => !rollout.endedAt);
  const models = useQuery({ queryKey: ['models'], queryFn: ({ signal }) => get<{ items: { name: string }[] }>('/api/v1/models', {}, signal) });
  const clocks = endpoints.flatMap((endpoint) => (endpoint.watermark === undefined ? [] : [endpoint.watermark]));
  return {
    version: server?.version,
    folder: server?.folder,
    counts: { rollouts: running.length, monitoring: alerts.length } as Readonly<Record<string, number>>,
    needsYou: alerts.length + running.filter((rollout) => rollout.phase === 'paused').length,
    endpoints: endpoints.map((endpoint) => endpoint.name),
    models: (models.data?.items ?? []).map((model) => model.name),
    endpointNow: clocks.length > 0 ? Math.max(...clocks) : undefined,
  };
}
