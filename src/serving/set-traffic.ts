/**
 * Changing what an endpoint serves: load, write down, then swap. The row and its event are one transaction; the swap follows it,
 * except on the way back: there it goes first, since every answer until then is one of a version that nobody wants.
 */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import { endpointSubject } from './endpoint.ts';
import type { EndpointClock } from './endpoint-clock.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';
import type { LiveEndpoints } from './live-endpoints.ts';
import { type NewTraffic, rolledBack, sameTraffic, type Traffic } from './traffic.ts';

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
 * @throws PlatformError `serving/cannot-load`: then nothing has changed. On the way back a full disk is told as well, and the
 * version that was gone back to serves all the same, until the next start
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
    readonly change: (current: Traffic) => NewTraffic;
    readonly reason: string;
    readonly actor: string;
  },
): Promise<Traffic> {
  for (let attempt = 1; ; attempt++) {
    const stored = await findEndpoint(name);
    if (!stored) throw new PlatformError('serving/unknown-endpoint', name);
    const next = change(stored.traffic);
    const traffic: Traffic = { ...next, generation: stored.traffic.generation + 1 };
    using prepared = await live.prepare(stored.endpoint, traffic);
    const isWayBack = sameTraffic(rolledBack(stored.traffic), next);
    if (isWayBack) prepared.swap();
    try {
      await save({ endpoint: name, traffic, reason, actor });
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== 'serving/traffic-changed') throw error;
      // What is written down is somebody else's change.
      if (isWayBack) await putInForce(live, await findEndpoint(name));
      if (attempt < 5) continue;
      throw error;
    }
    if (!isWayBack) prepared.swap();
    return traffic;
  }
}

async function putInForce(
  live: LiveEndpoints,
  stored: Pick<StoredEndpoint, 'endpoint' | 'traffic'> | undefined,
): Promise<void> {
  if (!stored) return;
  using prepared = await live.prepare(stored.endpoint, stored.traffic);
  prepared.swap();
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
        await putInForce(live, { endpoint, traffic });
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
