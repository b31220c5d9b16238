/** A rollout as the page and the client see it. */
import { type Static, Type } from 'typebox';
import type { LoggedEvent } from '../events/event.ts';
import { clock, list, maybe, share, time } from '../http/view.ts';
import { versionRefView } from '../serving/endpoint-view.ts';
import { verdictView } from '../statistics/verdict.ts';
import { words } from './findings.ts';
import { isOver, liveOf, type Rollout, sayState, sayVersion } from './rollout.ts';
import { inconclusiveActions } from './rollout-config.ts';
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
function stepsOf(rollout: Rollout, events: readonly LoggedEvent[]): Static<typeof rolloutDetailView>['steps'] {
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

export const rolloutView = Type.Object(
  {
    id: Type.String(),
    endpoint: Type.String(),
    project: Type.String(),
    champion: maybe(Type.Object(versionRefView.properties, { description: 'Absent where nothing served yet' })),
    challenger: versionRefView,
    state: Type.Enum([
      'preparing',
      'shadow',
      'step',
      'paused',
      'promoting',
      'promoted',
      'rolled-back',
      'aborted',
      'superseded',
    ]),
    says: Type.String({ description: 'The state in words: `5 %`, `paused at 5 %`' }),
    share: share("The challenger's share of the units now"),
    startedAt: time(),
    startedClock: clock(),
    startedBy: Type.String(),
    stateSince: clock('When it entered its state'),
    endedAt: maybe(time()),
    endedClock: maybe(clock()),
    forced: maybe(
      Type.Object(
        {
          gates: Type.Boolean(),
          shadow: Type.Boolean(),
          fromStep: Type.Integer({ description: 'The step it starts with, counted from 0' }),
          reason: Type.String(),
        },
        { description: 'What a person overrode, and why' },
      ),
    ),
  },
  { title: 'Rollout' },
);

const margin = Type.Number({ description: 'So much worse is no harm' });
const ms = (description: string) => Type.Number({ description: `Milliseconds: ${description}` });

const planView = Type.Object(
  {
    shadowRequests: Type.Integer({ description: '0: no shadow' }),
    steps: list(
      Type.Object({
        share: share('Of all units, at most 0.5'),
        min: Type.Integer({ description: 'Requests in each arm before the next step' }),
      }),
    ),
    guardrails: list(
      Type.Union([
        Type.Object({
          kind: Type.Literal('errors'),
          margin,
          ratio: Type.Number({ description: 'So many times as many errors are no reason to roll back' }),
        }),
        Type.Object({ kind: Type.Literal('slow'), margin, aboveMs: ms('what is slow') }),
        Type.Object({
          kind: Type.Literal('loss'),
          margin,
          metric: Type.Enum(['log_loss', 'brier', 'mae']),
          maturityMs: ms('the age from which a prediction has its label'),
        }),
      ]),
    ),
    undecidedAfterMs: ms("how long one step may stay undecided, on the endpoint's clock"),
    onInconclusive: Type.Enum([...inconclusiveActions]),
    alpha: Type.Number({ description: 'Chance of a wrong rollback over the whole rollout, and of a wrong promotion' }),
  },
  { title: 'RolloutPlan', description: 'As it was when the rollout began' },
);

const guardrailView = Type.Object(
  {
    index: Type.Integer({ description: 'In the plan' }),
    name: Type.String(),
    unit: Type.Enum(['share', 'loss']),
    value: maybe(
      Type.Number({
        description: 'Challenger minus champion; above 0 is worse. Absent before anything can be compared',
      }),
    ),
    challenger: maybe(Type.Number()),
    champion: maybe(Type.Number()),
    atWorst: maybe(Type.Number({ description: 'Where the difference may be at worst' })),
    margin,
    n: Type.Integer({ description: 'Requests in the smaller arm, or labelled pairs' }),
    maturing: maybe(Type.Integer({ description: 'Pairs whose labels came but are too young to prove anything' })),
    proven: Type.Boolean(),
    broken: maybe(Type.Object({ because: Type.String(), seq: Type.Integer(), eventTime: clock() })),
    word: Type.Enum([...words]),
    verdict: verdictView,
    says: Type.Object({ value: Type.String(), atWorst: Type.String(), margin: Type.String() }),
    series: list(
      Type.Object({
        requests: Type.Integer({ description: 'Of the rollout so far' }),
        eventTime: clock(),
        value: Type.Number(),
        lower: Type.Number(),
        upper: Type.Number(),
      }),
    ),
  },
  { title: 'Guardrail' },
);

const arm = Type.Object({ requests: Type.Integer(), errors: Type.Integer() });

export const rolloutDetailView = Type.Object(
  {
    ...rolloutView.properties,
    plan: planView,
    headline: Type.String(),
    because: Type.String({ description: 'What it waits for, or why it moved; empty before the first look' }),
    conditions: list(Type.Object({ says: Type.String(), value: Type.String(), met: Type.Boolean() }), {
      description: 'What the next step waits for',
    }),
    undecided: maybe(
      Type.Object(
        { at: clock(), action: Type.Enum([...inconclusiveActions]) },
        { description: 'When patience ends, and what is done then' },
      ),
    ),
    steps: list(
      Type.Object({
        name: Type.String(),
        progress: Type.Enum(['now', 'done', 'ahead']),
        enteredAt: maybe(time()),
        enteredClock: maybe(clock()),
        because: maybe(Type.String()),
        share: maybe(share('Of all units')),
        needs: maybe(Type.Integer({ description: 'Requests, in each arm or in the shadow' })),
      }),
      { description: 'Shadow, every step, and all traffic' },
    ),
    guardrails: list(guardrailView, { description: 'None before the first look' }),
    traffic: Type.Object({
      requests: Type.Integer({ description: 'Of this rollout in all, whoever answered' }),
      arms: maybe(Type.Object({ challenger: arm, control: arm, champion: arm })),
      stepArms: maybe(
        Type.Object(
          { challenger: Type.Integer(), control: Type.Integer() },
          { description: 'Requests in each arm since the step began' },
        ),
      ),
      shadow: maybe(
        Type.Object({ requests: Type.Integer(), failures: Type.Integer(), championFailures: Type.Integer() }),
      ),
      split: maybe(
        Type.Object({
          p: Type.Number({ description: 'Chance of such a split if units were assigned as planned' }),
          units: Type.Integer(),
        }),
      ),
    }),
    clock: clock('At the last look'),
    decisions: list(
      Type.Object({
        position: Type.Integer({ description: 'In the log of events' }),
        type: Type.String(),
        at: time(),
        endpointTime: maybe(clock()),
        actor: Type.String(),
        reason: maybe(Type.String()),
        data: Type.Record(Type.String(), Type.Unknown()),
      }),
      { description: 'Newest first' },
    ),
  },
  { title: 'RolloutDetail' },
);
