/** Begins to move an endpoint to another version. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import { sameVersion, type Traffic, type VersionRef } from '../serving/traffic.ts';
import type { Outcome } from '../statistics/verdict.ts';
import { type Forced, type Rollout, rolloutSubject, sayVersion } from './rollout.ts';
import type { RolloutPlan } from './rollout-config.ts';
import type { RolloutStore } from './rollout-store.ts';

export type StartRolloutDeps = {
  readonly rollouts: RolloutStore;
  readonly events: EventStore;
  readonly now: () => number;
  readonly newId: () => string;
};

export type RolloutStart = {
  readonly endpoint: Endpoint;
  readonly challenger: VersionRef;
  readonly plan: RolloutPlan;
  readonly traffic: Traffic;
  /** The endpoint's log and clock now: evidence begins after it. */
  readonly lastSeq: number;
  readonly clock: number;
  /** What the gates said; absent: they were never asked. */
  readonly gates: { readonly outcome: Outcome; readonly reason: string } | undefined;
  readonly force?: Force | undefined;
  readonly reason?: string | undefined;
  readonly actor: string;
};

export type Force = {
  /** Ship although the gates did not pass. */
  readonly gates?: boolean | undefined;
  /** Leave out the shadow. */
  readonly shadow?: boolean | undefined;
  /** The share to begin with, as one of the plan's steps. */
  readonly from?: number | undefined;
};

/** @throws PlatformError rollouts/already-running, /already-live, /gates-not-passed, /reason-missing, /not-possible */
export async function startRollout(
  { rollouts, events, now, newId }: StartRolloutDeps,
  input: RolloutStart,
): Promise<Rollout> {
  const { endpoint, challenger, plan, traffic, gates, reason, actor } = input;
  requirePossible(input);
  const forced = forcedOf(input);
  if (gates?.outcome !== 'pass' && !forced?.gates) {
    throw new PlatformError('rollouts/gates-not-passed', sayVersion(challenger), {
      hint: `${gates ? gates.reason : 'They were not run yet: rondo ship runs them.'} To ship it all the same, force it with a reason.`,
    });
  }
  const at = now();
  const rollout: Rollout = {
    id: newId(),
    endpoint: endpoint.name,
    project: endpoint.project,
    ...(traffic.champion && { champion: traffic.champion }),
    challenger,
    plan,
    sticky: endpoint.assign !== undefined,
    salt: newId(),
    state: { kind: 'preparing' },
    stateSince: input.clock,
    generation: traffic.generation,
    afterSeq: input.lastSeq,
    startedBy: actor,
    startedAt: at,
    startedClock: input.clock,
    ...(forced && { forced }),
    told: { proved: [] },
  };
  if (!(await rollouts.insert(rollout))) throw alreadyRunning(endpoint.name);
  await events.append({
    type: 'rollouts.started',
    project: endpoint.project,
    subject: rolloutSubject(rollout.id),
    actor,
    at,
    endpointTime: input.clock,
    ...(reason !== undefined && { reason }),
    data: {
      endpoint: endpoint.name,
      model: challenger.model,
      version: challenger.version,
      champion: traffic.champion?.version ?? null,
      gates: gates?.outcome ?? 'not run',
      forced: forced ? { gates: forced.gates, shadow: forced.shadow, fromStep: forced.fromStep } : null,
    },
  });
  return rollout;
}

/**
 * What can be told before anything is tested: whether there is something to roll out, and by which steps.
 * @throws PlatformError rollouts/already-live, /not-possible, /reason-missing
 */
export function requirePossible(
  input: Pick<RolloutStart, 'challenger' | 'traffic' | 'plan' | 'force' | 'reason'>,
): void {
  const { challenger, traffic } = input;
  if (sameVersion(traffic.champion, challenger))
    throw new PlatformError('rollouts/already-live', sayVersion(challenger));
  forcedOf(input);
}

/** @throws PlatformError rollouts/already-running */
export function requireNoneRunning(running: readonly Pick<Rollout, 'endpoint'>[], endpoint: string): void {
  if (running.some((one) => one.endpoint === endpoint)) throw alreadyRunning(endpoint);
}

const alreadyRunning = (endpoint: string) =>
  new PlatformError('rollouts/already-running', endpoint, { hint: 'Abort it first, or wait for its end.' });

/** Whoever forces says why, before anything is begun. @throws PlatformError rollouts/reason-missing */
function requireReason(reason: string | undefined, challenger: VersionRef): string {
  if (reason?.trim()) return reason;
  throw new PlatformError('rollouts/reason-missing', `force ${sayVersion(challenger)} past its safeguards`, {
    hint: 'Say why: it is kept in the audit log.',
  });
}

const isForced = (force: Force | undefined): force is Force =>
  force?.gates === true || force?.shadow === true || force?.from !== undefined;

function forcedOf({
  force,
  plan,
  challenger,
  ...input
}: Pick<RolloutStart, 'force' | 'plan' | 'challenger' | 'reason'>): Forced | undefined {
  if (!isForced(force)) return undefined;
  const reason = requireReason(input.reason, challenger);
  const from = force.from;
  const fromStep = from === undefined ? 0 : plan.steps.findIndex((step) => Math.abs(step.share - from) < 1e-9);
  if (fromStep < 0) {
    throw new PlatformError('rollouts/not-possible', `to begin at a share of ${from}`, {
      hint: `The plan's steps are ${plan.steps.map((step) => `${step.share * 100}%`).join(', ')}.`,
    });
  }
  // Beginning with a share means beginning without a shadow.
  return { gates: force.gates ?? false, shadow: force.shadow ?? from !== undefined, fromStep, reason };
}
