/** What the frame shows about the whole server: open things, names to go to, the endpoint's clock. */
import { useQuery } from '@tanstack/react-query';
import { isOpen, useAlerts } from './alerts.ts';
import { get } from './api.ts';
import { useOpenApprovals } from './approvals.ts';
import { useEndpoints } from './endpoints.ts';
import { useModels } from './models.ts';
import { isOver, useRollouts } from './rollouts.ts';

export type Server = { readonly version: string; readonly folder?: string };

export const useServer = () =>
  useQuery({
    queryKey: ['server'],
    queryFn: ({ signal }) => get<Server>('/api/v1/version', {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export function useCounts() {
  const server = useServer().data;
  const endpoints = useEndpoints().data?.items ?? [];
  const alerts = (useAlerts().data?.items ?? []).filter(isOpen);
  const rollouts = (useRollouts().data?.items ?? []).filter((rollout) => !isOver(rollout.state));
  const approvals = useOpenApprovals().data?.items ?? [];
  const models = useModels().data?.items ?? [];
  const clocks = endpoints.flatMap(({ time, endpointTime = [] }) => (time === undefined ? [] : endpointTime));
  return {
    version: server?.version,
    folder: server?.folder,
    counts: { rollouts: rollouts.length, monitoring: alerts.length } as Readonly<Record<string, number>>,
    /** What waits for a person: consent, alerts nobody has taken, and rollouts that stand still. */
    needsYou:
      approvals.length +
      alerts.filter(({ state }) => state === 'open').length +
      rollouts.filter(({ state }) => state === 'paused').length,
    endpoints: endpoints.map(({ name }) => name),
    rollouts,
    models: models.map(({ name }) => name),
    endpointNow: clocks.length > 0 ? Math.max(...clocks) : undefined,
  };
}
