/** A rollout as the page and the client see it. */
import type { LoggedEvent } from '../events/event.ts';
import { isOver, liveOf, type Rollout, sayState, sayVersion } from './rollout.ts';
import type { Look } from './rollout-store.ts';

export function summaryOf(rollout: Rollout) {
  const { plan, state } = rollout;
  const live = liveOf(state);
  return {
    id: rollout.id,
    endpoint: rollout.endpoint,
    project: rollout.project,
    ...(rollout.champion && { champion: rollout.champion }),
    challenger: rollout.challenger,
    state: state.kind,
    says: sayState(state, plan),
    share: live?.kind === 'step' ? (plan.steps[live.step]?.share ?? 0) : state.kind === 'promoted' ? 1 : 0,
    startedAt: rollout.startedAt,
    startedClock: rollout.startedClock,
    startedBy: rollout.startedBy,
    stateSince: rollout.stateSince,
    ...(rollout.endedAt !== undefined && { endedAt: rollout.endedAt }),
    ...(rollout.endedClock !== undefined && { endedClock: rollout.endedClock }),
    ...(rollout.forced && { forced: rollout.forced }),
  };
}

/** @param events of this rollout, oldest first */
export function detailOf(rollout: Rollout, look: Look | undefined, events: readonly LoggedEvent[]) {
  const live = liveOf(rollout.state);
  return {
    ...summaryOf(rollout),
    plan: rollout.plan,
    headline: headlineOf(rollout, look, events),
    because: look?.because ?? '',
    conditions: look?.conditions ?? [],
    /** When patience ends, on the endpoint's clock, and what is done. */
    ...(live && {
      undecided: { at: rollout.stateSince + rollout.plan.undecidedAfterMs, action: rollout.plan.onInconclusive },
    }),
    steps: stepsOf(rollout, events),
    guardrails: (look?.findings.guardrails ?? []).map(({ broken, ...one }) => ({ ...one, ...(broken && { broken }) })),
    traffic: {
      requests: look?.findings.requests ?? 0,
      arms: look?.findings.arms,
      stepArms: look?.findings.stepArms,
      shadow: look?.findings.shadow,
      split: look?.findings.split,
    },
    clock: look?.clock ?? rollout.startedClock,
    decisions: events.toReversed().map(({ position, type, at, endpointTime, actor, reason, data }) => ({
      position,
      type,
      at,
      endpointTime,
      actor,
      reason,
      data,
    })),
  };
}

function headlineOf(rollout: Rollout, look: Look | undefined, events: readonly LoggedEvent[]): string {
  const { state, plan } = rollout;
  const name = sayVersion(rollout.challenger);
  if (isOver(state)) {
    const why = events.findLast((event) => event.type === `rollouts.${state.kind}`)?.reason;
    return `${name} ${state.kind === 'promoted' ? 'is live' : `was ${state.kind.replace('-', ' ')}`}${why ? `: ${why}` : ''}`;
  }
  const decided = look?.findings.guardrails.filter((one) => one.proven).length ?? 0;
  const of = plan.guardrails.length;
  const stands = `${state.kind === 'step' ? 'at ' : ''}${sayState(state, plan)}`;
  return `${name} ${stands}: ${decided} of ${of} guardrails decided`;
}

/** The rail: shadow, every step, and all traffic. */
function stepsOf(rollout: Rollout, events: readonly LoggedEvent[]) {
  const { plan, state } = rollout;
  const names = [
    ...(plan.shadowRequests > 0 ? ['shadow'] : []),
    ...plan.steps.map((_, step) => sayState({ kind: 'step', step }, plan)),
    '100 %',
  ];
  const live = liveOf(state);
  const at = state.kind === 'promoted' ? '100 %' : live ? sayState(live, plan) : undefined;
  return names.map((name) => {
    const entered = events.find(({ type, data }) =>
      name === '100 %'
        ? type === 'rollouts.promoted'
        : (type === 'rollouts.step-entered' || type === 'rollouts.resumed') && data.to === name,
    );
    const progress = entered ? (name === at ? 'now' : 'done') : 'ahead';
    const step = plan.steps.find((_, i) => sayState({ kind: 'step', step: i }, plan) === name);
    return {
      name,
      progress,
      ...(entered && { enteredAt: entered.at, enteredClock: entered.endpointTime, because: entered.reason }),
      ...(name === 'shadow' && { needs: plan.shadowRequests }),
      ...(step && { share: step.share, needs: step.min }),
    };
  });
}
