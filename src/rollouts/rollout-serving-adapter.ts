/** Serving as a rollout sees it. */
import { PlatformError } from '../errors.ts';
import type { StoredEndpoint } from '../serving/endpoint-store.ts';
import { setTraffic } from '../serving/set-traffic.ts';
import type { Serving } from '../serving/start-serving-adapter.ts';
import type { RolloutServing } from './rollout-worker.ts';

export function rolloutServing({
  live,
  log,
  endpointNow,
  trafficDeps,
}: Pick<Serving, 'live' | 'log' | 'endpointNow' | 'trafficDeps'>): RolloutServing {
  const stored = async (name: string): Promise<StoredEndpoint> => {
    const found = await trafficDeps.findEndpoint(name);
    if (!found) throw new PlatformError('serving/unknown-endpoint', name);
    return found;
  };
  return {
    readLog: log.readLog,
    logSignal: log.signal,
    trafficOf: async (name) => (await stored(name)).traffic,
    endpointNow: async (name) => endpointNow((await stored(name)).endpoint),
    lastSeq: async (name) => {
      await log.open(name);
      return log.stats(name).last;
    },
    load: async (name, challenger) => {
      const { endpoint, traffic } = await stored(name);
      const rollout = { id: 'try', salt: 'try', challenger, stage: 'shadow', share: 0 } as const;
      // Without a champion there is nobody to shadow: then it is tried as what it will be.
      const tried = traffic.champion ? { ...traffic, rollout } : { ...traffic, champion: challenger };
      try {
        using _loaded = await live.prepare(endpoint, tried);
        return { kind: 'ready' };
      } catch (error) {
        if (error instanceof PlatformError) return { kind: 'failed', problem: error.message };
        throw error;
      }
    },
    setTraffic: async ({ endpoint, after, traffic, reason, actor }) => {
      try {
        return await setTraffic(trafficDeps, {
          endpoint,
          reason,
          actor,
          change: (current) => {
            if (current.generation !== after) throw new PlatformError('serving/traffic-changed', endpoint);
            return traffic;
          },
        });
      } catch (error) {
        if (error instanceof PlatformError && error.code === 'serving/traffic-changed') return undefined;
        throw error;
      }
    },
  };
}
