/** The endpoints that answer now, each with its plan. A change is prepared beside the old plan and takes its place in one step. */
import { PlatformError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { type EndpointMeter, newMeter } from './endpoint-meter.ts';
import type { Inference, ModelLease } from './inference-adapter.ts';
import type { ServableVersion } from './model-signature.ts';
import type { PredictionLog } from './prediction-log-store.ts';
import { compilePlan, type LoadedVersion, type RoutingPlan, type Variant } from './routing-plan.ts';
import { noTraffic, sameVersion, type Traffic, type VersionRef, versionKey, versionsOf } from './traffic.ts';

/** Finds a sealed version. @returns undefined when there is none @throws PlatformError when it may not be served */
export type ResolveVersion = (ref: VersionRef) => Promise<ServableVersion | undefined>;

export type LiveEndpoint = {
  readonly plan: RoutingPlan;
  readonly meter: EndpointMeter;
};

/** A plan with everything loaded, not yet in force. Disposing it lets go what it loaded, unless it was put in force. */
export interface PreparedPlan extends Disposable {
  /** Puts it in force; requests that were routed before finish on the version they got. */
  swap(): void;
}

export type LiveDeps = {
  readonly inference: Pick<Inference, 'load'>;
  /** Other threads, so that no client waits behind a mirrored request. */
  readonly mirrorInference: Pick<Inference, 'load'>;
  readonly log: Pick<PredictionLog, 'open' | 'setBins'>;
  readonly resolveVersion: ResolveVersion;
  /** What computes the answers: `runtimeId`. */
  readonly runtime: string;
};

export class LiveEndpoints implements Disposable {
  readonly #deps: LiveDeps;
  readonly #endpoints = new Map<string, { plan: RoutingPlan; meter: EndpointMeter; leases: DisposableStack }>();

  constructor(deps: LiveDeps) {
    this.#deps = deps;
  }

  find(name: string): LiveEndpoint | undefined {
    return this.#endpoints.get(name);
  }

  /** @throws PlatformError `serving/unknown-endpoint` in the words that clients of the protocol look for */
  get(name: string): LiveEndpoint {
    const live = this.#endpoints.get(name);
    if (!live) throw new PlatformError('serving/unknown-endpoint', name.slice(0, 128));
    return live;
  }

  get all(): readonly LiveEndpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Loads and warms what the traffic needs; nothing changes yet. @throws PlatformError `serving/cannot-load` */
  async prepare(endpoint: Endpoint, traffic: Traffic): Promise<PreparedPlan> {
    using leases = new DisposableStack();
    await this.#deps.log.open(endpoint.name);
    const loaded: LoadedVersion[] = [];
    for (const ref of versionsOf(traffic)) {
      try {
        loaded.push(
          await this.#load(ref, { traffic, warm: this.#endpoints.get(endpoint.name)?.plan.variants, leases }),
        );
      } catch (error) {
        // Only for a way back: it must not stand in the way forward.
        const needed = !sameVersion(ref, traffic.previous) || sameVersion(ref, traffic.champion);
        if (needed || sameVersion(ref, traffic.rollout?.challenger)) throw error;
      }
    }
    const plan = compilePlan(endpoint, traffic, { loaded, runtime: this.#deps.runtime });
    const held = leases.move();
    return {
      swap: () => this.#swap(plan, held.move()),
      [Symbol.dispose]: () => held.dispose(),
    };
  }

  /** @param warm what the endpoint serves: a sealed version never changes, so the way back to it asks nobody and waits for nothing */
  async #load(
    ref: VersionRef,
    {
      traffic: { rollout, champion },
      warm,
      leases,
    }: { traffic: Traffic; warm: readonly Variant[] | undefined; leases: DisposableStack },
  ): Promise<LoadedVersion> {
    const { inference, mirrorInference, resolveVersion, log } = this.#deps;
    const known = warm?.find(({ version }) => sameVersion(version, ref))?.version;
    const version = known ?? (await resolveVersion(ref));
    if (!version) throw new PlatformError('serving/cannot-load', versionKey(ref), { hint: 'It is not sealed.' });
    // Before the first answer is counted.
    if (version.bins && !known) await log.setBins(ref, version.bins);
    const file = { key: versionKey(ref), path: version.path, inputs: version.inputs, outputs: version.outputs };
    const lease = leases.use(await inference.load(file));
    const mirrors = rollout && (sameVersion(ref, rollout.challenger) || sameVersion(ref, champion));
    const mirrorLease: ModelLease | undefined = mirrors ? leases.use(await mirrorInference.load(file)) : undefined;
    return { version, lease, mirrorLease };
  }

  #swap(plan: RoutingPlan, leases: DisposableStack): void {
    const { name } = plan.endpoint;
    const old = this.#endpoints.get(name);
    if (old && old.plan.traffic.generation > plan.traffic.generation) {
      leases.dispose(); // a newer change was faster
      return;
    }
    this.#endpoints.set(name, { plan, meter: old?.meter ?? newMeter(), leases });
    old?.leases.dispose();
  }

  /** Answers that an endpoint exists and serves nothing: after a start at which its model could not be loaded. */
  async openEmpty(endpoint: Endpoint): Promise<void> {
    using prepared = await this.prepare(endpoint, noTraffic);
    prepared.swap();
  }

  [Symbol.dispose](): void {
    for (const { leases } of this.#endpoints.values()) leases.dispose();
    this.#endpoints.clear();
  }
}
