/** The guarded move of an endpoint from one version to another: what it can be in, and when it moves on. */
import type { VersionRef } from '../serving/traffic.ts';
import type { Findings, GuardrailFinding } from './findings.ts';
import { sayDuration, sayPercent } from './quantity.ts';
import type { RolloutPlan } from './rollout-config.ts';

/** Where the challenger sees traffic. Steps count from 0. */
export type Live = { readonly kind: 'shadow' } | { readonly kind: 'step'; readonly step: number };

export type RolloutState =
  /** Loading and warming the challenger; nobody notices it yet. */
  | { readonly kind: 'preparing' }
  | Live
  /** A person, or the end of patience: the share stays as it is, guardrails stay on. */
  | { readonly kind: 'paused'; readonly during: Live }
  /** Decided, and the traffic is being switched. */
  | { readonly kind: 'promoting' }
  | { readonly kind: 'promoted' }
  | { readonly kind: 'rolled-back' }
  | { readonly kind: 'aborted' }
  /** Somebody changed the traffic by hand, or another rollout took its place. */
  | { readonly kind: 'superseded' };

export type Rollout = {
  readonly id: string;
  readonly endpoint: string;
  readonly project: string;
  /** Absent when nothing serves yet. */
  readonly champion?: VersionRef;
  readonly challenger: VersionRef;
  readonly plan: RolloutPlan;
  /** Whether a unit can come back: then it is counted once. */
  readonly sticky: boolean;
  readonly salt: string;
  readonly state: RolloutState;
  /** The endpoint's clock when it entered the state. */
  readonly stateSince: number;
  /** Of the traffic that belongs to the state. */
  readonly generation: number;
  /** The endpoint's log before the rollout: its evidence begins after this. */
  readonly afterSeq: number;
  readonly startedBy: string;
  /** Wall clock. */
  readonly startedAt: number;
  /** The endpoint's clock. */
  readonly startedClock: number;
  readonly endedAt?: number;
  readonly endedClock?: number;
  /** What a person overrode, and why. */
  readonly forced?: Forced;
  /** What has been told already, so that it is told once. */
  readonly told: Told;
};

export type Told = {
  /** Guardrails that were proved, by their place in the plan. */
  readonly proved: readonly number[];
  /** What the present step waits for although it has its sample. */
  readonly waitsFor?: string;
};

export const rolloutSubject = (id: string): string => `rollout/${id}`;

export type Forced = {
  readonly gates: boolean;
  readonly shadow: boolean;
  /** The step it starts with. */
  readonly fromStep: number;
  readonly reason: string;
};

export type Decision =
  /** It has ended. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'hold'; readonly conditions: readonly Condition[]; readonly because: string }
  | {
      readonly kind: 'move';
      readonly to: RolloutState;
      readonly because: string;
      readonly guardrail?: number;
      /** What was asked for and is met, where the step was earned. */
      readonly conditions?: readonly Condition[];
    };

export type Move = Extract<Decision, { kind: 'move' }>;

/** What the next step waits for. */
export type Condition = { readonly says: string; readonly value: string; readonly met: boolean };

/** @param now the endpoint's clock */
export function decide(rollout: Rollout, findings: Findings, now: number): Decision {
  const { state } = rollout;
  switch (state.kind) {
    case 'promoted':
    case 'rolled-back':
    case 'aborted':
    case 'superseded':
      return { kind: 'nothing' };
    case 'preparing':
      return replaced(findings) ?? prepare(rollout, findings);
    case 'promoting':
      return (
        replaced(findings) ?? {
          kind: 'move',
          to: { kind: 'promoted' },
          because: `${sayVersion(rollout.challenger)} has all traffic`,
        }
      );
    case 'paused':
      return (
        harm(findings) ??
        replaced(findings) ?? { kind: 'hold', conditions: [], because: 'paused: a person resumes, promotes or aborts' }
      );
    case 'shadow':
    case 'step':
      return (
        harm(findings) ??
        replaced(findings) ??
        advance(rollout, state, findings) ??
        giveUp(rollout, findings, now) ??
        waits(rollout, findings)
      );
  }
}

export type Command =
  | { readonly kind: 'pause' | 'resume' | 'abort'; readonly reason: string }
  | { readonly kind: 'promote'; readonly reason: string };

/** What a person's command does. @returns undefined where it makes no sense, such as resuming what is not paused */
export function obey({ state }: Rollout, { kind, reason }: Command): Move | undefined {
  if (isOver(state) || state.kind === 'promoting') return undefined;
  const move = (to: RolloutState): Move => ({ kind: 'move', to, because: reason });
  switch (kind) {
    case 'abort':
      return move({ kind: 'aborted' });
    case 'promote':
      return state.kind === 'preparing' ? undefined : move({ kind: 'promoting' });
    case 'pause':
      return state.kind === 'shadow' || state.kind === 'step' ? move({ kind: 'paused', during: state }) : undefined;
    case 'resume':
      return state.kind === 'paused' ? move(state.during) : undefined;
  }
}

export const isOver = ({ kind }: RolloutState): boolean =>
  kind === 'promoted' || kind === 'rolled-back' || kind === 'aborted' || kind === 'superseded';

/** Where the challenger sees traffic now, if it does. */
export function liveOf(state: RolloutState): Live | undefined {
  if (state.kind === 'paused') return state.during;
  return state.kind === 'shadow' || state.kind === 'step' ? state : undefined;
}

export const sayVersion = ({ model, version }: VersionRef): string => `${model} v${version}`;

export function sayState(state: RolloutState, plan: RolloutPlan): string {
  switch (state.kind) {
    case 'step':
      return sayPercent(plan.steps[state.step]?.share ?? 0);
    case 'paused':
      return `paused at ${sayState(state.during, plan)}`;
    default:
      return state.kind;
  }
}

function prepare(rollout: Rollout, { loaded }: Findings): Decision {
  const { challenger, champion, plan, forced } = rollout;
  switch (loaded.kind) {
    case 'pending':
      return { kind: 'hold', conditions: [], because: `${sayVersion(challenger)} is being loaded` };
    case 'failed':
      return {
        kind: 'move',
        to: { kind: 'rolled-back' },
        because: `${sayVersion(challenger)} does not load: ${loaded.problem}`,
      };
    case 'ready':
      if (!champion)
        return {
          kind: 'move',
          to: { kind: 'promoting' },
          because: 'nothing serves yet: the first version goes live directly',
        };
      if (plan.shadowRequests > 0 && !forced?.shadow) {
        return {
          kind: 'move',
          to: { kind: 'shadow' },
          because: `loaded; scores ${count(plan.shadowRequests)} requests in the shadow first`,
        };
      }
      return {
        kind: 'move',
        to: { kind: 'step', step: forced?.fromStep ?? 0 },
        because: forced ? `forced: ${forced.reason}` : 'loaded; no shadow was asked for',
      };
  }
}

/** Hard limits and guardrails: at any moment, in any step. */
function harm({ hardFailure, guardrails }: Findings): Move | undefined {
  if (hardFailure !== undefined) return { kind: 'move', to: { kind: 'rolled-back' }, because: hardFailure };
  const broken = guardrails.find((one) => one.broken !== undefined);
  if (!broken?.broken) return undefined;
  return { kind: 'move', to: { kind: 'rolled-back' }, because: broken.broken.because, guardrail: broken.index };
}

function replaced({ supersededBy }: Findings): Move | undefined {
  return supersededBy === undefined ? undefined : { kind: 'move', to: { kind: 'superseded' }, because: supersededBy };
}

function advance(rollout: Rollout, live: Live, findings: Findings): Move | undefined {
  const conditions = conditionsOf(rollout, live, findings);
  if (!conditions.every((one) => one.met)) return undefined;
  const because = conditions.map(({ says, value }) => `${says}: ${value}`).join('; ');
  const next = live.kind === 'shadow' ? 0 : live.step + 1;
  const to: RolloutState = next < rollout.plan.steps.length ? { kind: 'step', step: next } : { kind: 'promoting' };
  return { kind: 'move', to, because, conditions };
}

/** Early steps expose few, so they need little: the sample, and estimates inside the margins. All traffic needs proof. */
export function conditionsOf({ plan }: Rollout, live: Live, findings: Findings): readonly Condition[] {
  return [
    ...sampleConditions(plan, live, findings),
    ...guardrailConditions(plan, live, findings),
    {
      says: 'traffic is split as planned',
      value: findings.split.units === 0 ? 'no units yet' : `p ${findings.split.p.toPrecision(2)}`,
      met: findings.split.p >= splitAlarm,
    },
  ];
}

/** Below this the arms do not get the traffic they should, and no comparison of them means anything. */
export const splitAlarm = 0.001;

function sampleConditions(plan: RolloutPlan, live: Live, { shadow, stepArms }: Findings): readonly Condition[] {
  if (live.kind === 'shadow') {
    return [
      {
        says: `${count(plan.shadowRequests)} requests in the shadow`,
        value: count(shadow.requests),
        met: shadow.requests >= plan.shadowRequests,
      },
    ];
  }
  const min = plan.steps[live.step]?.min ?? 0;
  const smaller = Math.min(stepArms.challenger, stepArms.control);
  return [{ says: `${count(min)} requests in each arm`, value: count(smaller), met: smaller >= min }];
}

function guardrailConditions(plan: RolloutPlan, live: Live, { shadow, guardrails }: Findings): readonly Condition[] {
  if (live.kind === 'step') {
    return guardrails.map(live.step === plan.steps.length - 1 ? provenCondition : insideCondition);
  }
  // Nobody waits for an answer in the shadow, so there is nothing to learn about slow ones.
  return guardrails.flatMap((one, i) => {
    switch (plan.guardrails[i]?.kind) {
      case 'errors':
        return [shadowCondition(one, shadow)];
      case 'loss':
        return [insideCondition(one)];
      default:
        return [];
    }
  });
}

function shadowCondition({ margin, says }: GuardrailFinding, shadow: Findings['shadow']): Condition {
  const { requests, failures, championFailures } = shadow;
  return {
    says: 'failures in the shadow inside the margin',
    value: `${count(failures)} of ${count(requests)}, the old version ${count(championFailures)}, margin ${says.margin}`,
    met: requests > 0 && (failures - championFailures) / requests < margin,
  };
}

function insideCondition(one: GuardrailFinding): Condition {
  return {
    says: `${one.name} inside its margin so far`,
    value: one.value === undefined ? 'no data yet' : `${one.says.value}, margin ${one.says.margin}`,
    // No data is not success.
    met: one.value !== undefined && one.value < one.margin,
  };
}

function provenCondition(one: GuardrailFinding): Condition {
  return {
    says: `${one.name} proved no worse`,
    value: one.atWorst === undefined ? 'no data yet' : `at worst ${one.says.atWorst}, margin ${one.says.margin}`,
    met: one.proven,
  };
}

function giveUp(rollout: Rollout, findings: Findings, now: number): Move | undefined {
  const { plan, stateSince } = rollout;
  if (now - stateSince < plan.undecidedAfterMs) return undefined;
  const live = liveOf(rollout.state);
  if (!live) return undefined;
  const open = conditionsOf(rollout, live, findings).filter((one) => !one.met);
  const because = `undecided for ${sayDuration(plan.undecidedAfterMs)}: ${open.map((one) => one.says).join('; ')}`;
  switch (plan.onInconclusive) {
    case 'pause':
      return { kind: 'move', to: { kind: 'paused', during: live }, because };
    case 'promote':
      return { kind: 'move', to: { kind: 'promoting' }, because };
    case 'rollback':
      return { kind: 'move', to: { kind: 'rolled-back' }, because };
  }
}

function waits(rollout: Rollout, findings: Findings): Decision {
  const live = liveOf(rollout.state);
  const conditions = live ? conditionsOf(rollout, live, findings) : [];
  const open = conditions.filter((one) => !one.met);
  return { kind: 'hold', conditions, because: open.map(({ says, value }) => `${says}: ${value}`).join('; ') };
}

const count = (n: number) => n.toLocaleString('en-US');

/** The rollout after a move. @param place the endpoint's clock, the wall clock, and the generation of the new traffic */
export function moved(
  rollout: Rollout,
  to: RolloutState,
  { clock, at, generation }: { readonly clock: number; readonly at: number; readonly generation: number },
): Rollout {
  return {
    ...rollout,
    state: to,
    stateSince: clock,
    generation,
    told: { proved: rollout.told.proved },
    ...(isOver(to) && { endedAt: at, endedClock: clock }),
  };
}
