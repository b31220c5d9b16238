/** Writes a move down and makes the traffic fit it. May run at any time, twice, and after a crash. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Traffic } from '../serving/traffic.ts';
import { evidenceJson } from './evidence-json.ts';
import type { Findings } from './findings.ts';
import { type Move, moved, type Rollout, type RolloutState, rolloutSubject, sayState } from './rollout.ts';
import type { News } from './rollout-news.ts';
import type { Look, RolloutStore } from './rollout-store.ts';
import { trafficFor } from './rollout-traffic.ts';

/** Replaces the traffic if its generation is still `after`. @returns what is in force now, or `undefined` if it was not */
export type SetTraffic = (change: {
  readonly endpoint: string;
  readonly after: number;
  readonly traffic: Omit<Traffic, 'generation'>;
  readonly reason: string;
  readonly actor: string;
}) => Promise<Traffic | undefined>;

/** Runs one use case in a transaction of its own. */
export type InTransaction = <T>(
  work: (stores: { readonly rollouts: RolloutStore; readonly events: EventStore }) => Promise<T>,
) => Promise<T>;

export type AdvanceDeps = {
  readonly inTransaction: InTransaction;
  readonly setTraffic: SetTraffic;
  readonly now: () => number;
};

export type Advance = {
  readonly rollout: Rollout;
  readonly move: Move;
  readonly findings: Findings;
  readonly look: Look;
  readonly traffic: Traffic;
  readonly actor: string;
  /** The endpoint's clock. */
  readonly clock: number;
};

/** @returns the rollout after the move; the one before when somebody else was faster: look again */
export async function advanceRollout(deps: AdvanceDeps, advance: Advance): Promise<Rollout> {
  const { inTransaction, now } = deps;
  const { rollout, move, findings, look, traffic, actor, clock } = advance;
  const target = trafficFor({ ...rollout, state: move.to }, traffic);
  const changes = target !== traffic;
  const decidedAt = now();
  // Away from harm first, bookkeeping after: if that fails, the same log leads to the same decision again.
  const swapFirst = changes && (move.to.kind === 'rolled-back' || move.to.kind === 'aborted');
  const swapped = swapFirst ? await swap(deps, advance, target) : true;
  if (!swapped) return rollout;
  const swappedAt = now();

  const after = moved(rollout, move.to, { clock, at: now(), generation: traffic.generation + (changes ? 1 : 0) });
  const written = await inTransaction(async ({ rollouts, events }) => {
    if (!(await rollouts.replace(rollout, after))) return false;
    await rollouts.saveLook(rollout.id, look);
    await events.append({
      type: eventOf(rollout.state, move.to),
      project: rollout.project,
      subject: rolloutSubject(rollout.id),
      actor,
      at: after.endedAt ?? now(),
      endpointTime: clock,
      reason: move.because,
      data: {
        endpoint: rollout.endpoint,
        model: rollout.challenger.model,
        version: rollout.challenger.version,
        champion: rollout.champion?.version ?? null,
        from: sayState(rollout.state, rollout.plan),
        to: sayState(move.to, rollout.plan),
        share: target.rollout?.share ?? (move.to.kind === 'promoted' ? 1 : 0),
        generation: after.generation,
        ...(swapFirst && { decidedAt, swappedAt }),
        ...(move.conditions && { conditions: move.conditions }),
        evidence: evidenceJson(findings),
      },
    });
    return true;
  });
  if (!written) return rollout;
  if (changes && !swapFirst) await swap(deps, advance, target);
  return after;
}

/** Tells what is new although nothing moves. */
export async function tellNews(
  { inTransaction, now }: Pick<AdvanceDeps, 'inTransaction' | 'now'>,
  {
    rollout,
    after,
    news,
    findings,
    look,
    clock,
  }: Pick<Advance, 'rollout' | 'findings' | 'look' | 'clock'> & {
    readonly after: Rollout;
    readonly news: readonly News[];
  },
): Promise<Rollout> {
  return inTransaction(async ({ rollouts, events }) => {
    if (!(await rollouts.replace(rollout, after))) return rollout;
    await rollouts.saveLook(rollout.id, look);
    for (const { type, says } of news) {
      await events.append({
        type,
        project: rollout.project,
        subject: rolloutSubject(rollout.id),
        actor: ruleActor,
        at: now(),
        endpointTime: clock,
        reason: says,
        data: {
          endpoint: rollout.endpoint,
          model: rollout.challenger.model,
          version: rollout.challenger.version,
          at: sayState(rollout.state, rollout.plan),
          evidence: evidenceJson(findings),
        },
      });
    }
    return after;
  });
}

export const ruleActor = 'rule:rollouts';

async function swap(
  { setTraffic }: AdvanceDeps,
  { rollout, move, traffic, actor }: Advance,
  target: Traffic,
): Promise<boolean> {
  const { generation: _, ...rest } = target;
  const now = await setTraffic({
    endpoint: rollout.endpoint,
    after: traffic.generation,
    traffic: rest,
    reason: `rollout ${rollout.id}: ${move.because}`,
    actor,
  });
  return now !== undefined;
}

function eventOf(from: RolloutState, to: RolloutState): string {
  switch (to.kind) {
    case 'shadow':
    case 'step':
      return from.kind === 'paused' ? 'rollouts.resumed' : 'rollouts.step-entered';
    case 'promoting':
      return 'rollouts.promotion-decided';
    case 'paused':
    case 'promoted':
    case 'rolled-back':
    case 'aborted':
    case 'superseded':
      return `rollouts.${to.kind}`;
    case 'preparing':
      throw new PlatformError('http/internal', 'a rollout that goes back to preparing');
  }
}
