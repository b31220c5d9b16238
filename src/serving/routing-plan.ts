/** Everything a request needs, compiled when the traffic changes: choosing a variant is a hash and a comparison. */
import type { Endpoint } from './endpoint.ts';
import type { ModelLease } from './inference-adapter.ts';
import { type CellReader, compileCells } from './line-count.ts';
import { compileHead, compileLines, type LineWriter } from './log-line.ts';
import { compileSignature, type ModelSignature, type ServableVersion } from './model-signature.ts';
import type { Role } from './prediction.ts';
import type { LineSource } from './summary.ts';
import { assign, sameVersion, type Traffic, type VersionRef } from './traffic.ts';

/** A version that is loaded for one endpoint. */
export type Variant = {
  readonly version: ServableVersion;
  readonly signature: ModelSignature;
  readonly lines: LineWriter;
  readonly cells: CellReader;
  readonly lease: ModelLease;
  /** In the threads that only mirror; only for the versions of a rollout. */
  readonly mirrorLease: ModelLease | undefined;
};

export type Route = {
  readonly role: Role;
  readonly variant: Variant;
  /** The part of a log line that is the same for every answer on this route. */
  readonly head: string;
  readonly source: LineSource;
  readonly mirror:
    | { readonly role: Role; readonly variant: Variant; readonly rollout: string; readonly source: LineSource }
    | undefined;
};

/** Immutable: a change of traffic makes another and swaps one reference. */
export type RoutingPlan = {
  readonly endpoint: Endpoint;
  readonly traffic: Traffic;
  readonly variants: readonly Variant[];
  /** @returns undefined while there is no champion, or while it is not loaded */
  route(unit: string): Route | undefined;
  /** A version the client asked for by number; outside every comparison. @returns undefined when it is not served here */
  pinned(version: string): Route | undefined;
};

export type LoadedVersion = Pick<Variant, 'version' | 'lease' | 'mirrorLease'>;

/** @param runtime what computes the answers: `runtimeId` */
export function compilePlan(
  endpoint: Endpoint,
  traffic: Traffic,
  { loaded, runtime }: { readonly loaded: readonly LoadedVersion[]; readonly runtime: string },
): RoutingPlan {
  const variants = loaded.map((one): Variant => {
    const signature = compileSignature(one.version, endpoint.task);
    return {
      ...one,
      signature,
      lines: compileLines(endpoint, signature),
      cells: compileCells(endpoint, signature, one.version.bins),
    };
  });
  const variantOf = (ref: VersionRef) => variants.find(({ version }) => sameVersion(version, ref));
  const routes = new Map<Role, Route>();
  const routeOf = (unit: string): Route | undefined => {
    const assigned = assign(traffic, unit);
    if (!assigned) return undefined;
    const known = routes.get(assigned.role);
    if (known) return known;
    const variant = variantOf(assigned.serve);
    if (!variant) return undefined;
    const mirrored = assigned.mirror && variantOf(assigned.mirror.version);
    const rollout = traffic.rollout?.id;
    const route: Route = {
      role: assigned.role,
      variant,
      head: compileHead({
        ...{ role: assigned.role, served: variant.version, generation: traffic.generation, rollout, runtime },
      }),
      source: sourceOf('prediction', assigned.role, variant),
      mirror:
        mirrored && assigned.mirror && rollout !== undefined
          ? {
              ...{ role: assigned.mirror.role, variant: mirrored, rollout },
              source: sourceOf('mirror', assigned.mirror.role, mirrored),
            }
          : undefined,
    };
    // Within one traffic the role says everything: who serves, and who mirrors.
    routes.set(assigned.role, route);
    return route;
  };
  const pinnedRoutes = new Map(
    variants.map((variant): [string, Route] => {
      const role = sameVersion(variant.version, traffic.champion) ? 'champion' : 'challenger';
      const head = compileHead({ role, served: variant.version, generation: traffic.generation, runtime });
      const source = sourceOf('prediction', role, variant);
      return [String(variant.version.version), { role, variant, head, source, mirror: undefined }];
    }),
  );
  return { endpoint, traffic, variants, route: routeOf, pinned: (version) => pinnedRoutes.get(version) };
}

const sourceOf = (kind: LineSource['kind'], role: Role, { version: { model, version } }: Variant): LineSource => ({
  ...{ kind, role, model, version },
});
