/** Changing what an endpoint serves: load, write down, then swap. The row and its event are one transaction; the swap follows it. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import { endpointSubject } from './endpoint.ts';
import type { EndpointClock } from './endpoint-clock.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';
import type { LiveEndpoints } from './live-endpoints.ts';
import { type NewTraffic, rolledBack, type Traffic } from './traffic.ts';

export type TrafficChange = {
  readonly endpoint: string;
  readonly traffic: Traffic;
  readonly reason: string;
  readonly actor: string;
};

export type SaveTrafficDeps = {
  readonly endpoints: EndpointStore;
  readonly events: Pick<EventStore, 'append'>;
  readonly now: () => number;
  readonly endpointNow: EndpointClock;
};

/** The written half, in the caller's transaction. @throws PlatformError `serving/traffic-changed` when it is not the next generation */
export async function saveTraffic(
  { endpoints, events, now, endpointNow }: SaveTrafficDeps,
  { endpoint: name, traffic, reason, actor }: TrafficChange,
): Promise<void> {
  const stored = await endpoints.find(name);
  if (!stored) throw new PlatformError('serving/unknown-endpoint', name);
  const at = now();
  if (!(await endpoints.setTraffic(name, traffic, at))) throw new PlatformError('serving/traffic-changed', name);
  const { champion, previous, rollout, generation } = traffic;
  await events.append({
    ...{ type: 'serving.traffic-set', project: stored.endpoint.project, subject: endpointSubject(name), actor, at },
    ...(stored.endpoint.time !== undefined && { endpointTime: endpointNow(stored.endpoint) }),
    reason,
    data: { endpoint: name, generation, ...json({ champion, previous, rollout }) },
  });
}

export type SetTrafficDeps = {
  readonly live: LiveEndpoints;
  readonly findEndpoint: (name: string) => Promise<StoredEndpoint | undefined>;
  /** Opens the transaction and runs `saveTraffic` in it. */
  readonly save: (change: TrafficChange) => Promise<void>;
};

/**
 * Sets what an endpoint serves. @param change from what it is to what it shall be: asked again when somebody else was faster
 * @throws PlatformError `serving/cannot-load`: then nothing has changed
 */
export async function setTraffic(
  { live, findEndpoint, save }: SetTrafficDeps,
  {
    endpoint: name,
    change,
    reason,
    actor,
  }: {
    readonly endpoint: string;
    readonly change: NewTraffic | ((current: Traffic) => NewTraffic);
    readonly reason: string;
    readonly actor: string;
  },
): Promise<Traffic> {
  for (let attempt = 1; ; attempt++) {
    const stored = await findEndpoint(name);
    if (!stored) throw new PlatformError('serving/unknown-endpoint', name);
    const next = typeof change === 'function' ? change(stored.traffic) : change;
    const traffic: Traffic = { ...next, generation: stored.traffic.generation + 1 };
    using prepared = await live.prepare(stored.endpoint, traffic);
    try {
      await save({ endpoint: name, traffic, reason, actor });
    } catch (error) {
      const again = error instanceof PlatformError && error.code === 'serving/traffic-changed';
      if (again && typeof change === 'function' && attempt < 5) continue;
      throw error;
    }
    prepared.swap();
    return traffic;
  }
}

/** @throws PlatformError `serving/nothing-to-roll-back-to` */
export const rollBack = (
  deps: SetTrafficDeps,
  { endpoint, reason, actor }: { readonly endpoint: string; readonly reason: string; readonly actor: string },
): Promise<Traffic> =>
  setTraffic(deps, {
    ...{ endpoint, reason, actor },
    change: (current) => {
      const back = rolledBack(current);
      if (!back) throw new PlatformError('serving/nothing-to-roll-back-to', endpoint);
      return back;
    },
  });

/**
 * Puts every stored plan in force that is not: at the start, and when another server may have changed one.
 * @returns why an endpoint could not follow, by name; it goes on with the plan it has
 */
export async function followTraffic({
  live,
  endpoints,
}: {
  readonly live: LiveEndpoints;
  readonly endpoints: readonly StoredEndpoint[];
}): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>();
  await Promise.all(
    endpoints.map(async ({ endpoint, traffic }) => {
      const plan = live.find(endpoint.name)?.plan;
      const followed =
        plan?.traffic.generation === traffic.generation && JSON.stringify(plan.endpoint) === JSON.stringify(endpoint);
      if (followed) return;
      try {
        using prepared = await live.prepare(endpoint, traffic);
        prepared.swap();
      } catch (error) {
        failures.set(endpoint.name, error);
        if (!plan) await live.openEmpty(endpoint);
      }
    }),
  );
  return failures;
}

// Traffic is plain data: what JSON leaves out is what is absent.
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as { readonly [key: string]: Json };
