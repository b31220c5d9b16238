/** Why a rollout holds, moved on or went back: the conditions of the next step, or the rule that fired with its evidence. */
import type { ReactNode } from 'react';
import { whoActed } from '../../data/event.ts';
import { type Condition, conditionsOf, type Guardrail, isOver, type RolloutView } from '../../data/rollouts.ts';
import { count, day, duration, milliseconds, tidy } from '../../format.ts';
import { type Mark, VerdictMark } from '../../parts/verdict.tsx';
import { levelOf, lower, sayGuardrail, sayMethod, writerOf } from './lanes.ts';

export function Why({ view }: { view: RolloutView }) {
  const broken = view.guardrails.find((one) => one.broken);
  const conditions = isOver(view.state) ? earned(view) : view.conditions;
  return (
    <div className={view.state === 'rolled-back' ? 'panel why bad' : 'panel why'}>
      <h2>{title(view)}</h2>
      <p>{text(view)}</p>
      {conditions.length > 0 && <Conditions conditions={conditions} />}
      {broken && <Broken view={view} guardrail={broken} />}
      {view.forced && (
        <p className="forced">
          Forced past its gates: <q>{view.forced.reason}</q>
        </p>
      )}
      {view.undecided && view.state !== 'paused' && (
        <p>
          Still undecided on {day(view.undecided.at)}: it {actions[view.undecided.action]}.
        </p>
      )}
    </div>
  );
}

const actions = { pause: 'pauses and asks', promote: 'is promoted', rollback: 'is rolled back' } as const;

function title({ state, conditions }: RolloutView): string {
  switch (state) {
    case 'promoted':
      return 'Why it was promoted';
    case 'rolled-back':
      return 'Why it rolled back';
    case 'aborted':
      return 'Why it was aborted';
    case 'superseded':
      return 'Why it was superseded';
    case 'paused':
      return 'It waits for a person';
    case 'preparing':
    case 'promoting':
      return 'What happens now';
    case 'shadow':
    case 'step':
      return conditions.every(({ met }) => met) ? 'It moves on' : 'Why it holds';
  }
}

/** The decision that ended it. */
const endOf = ({ decisions, state }: RolloutView) =>
  decisions.find(({ type }) => type === `rollouts.${state === 'promoted' ? 'promotion-decided' : state}`);

function earned(view: RolloutView): readonly Condition[] {
  const end = endOf(view);
  return view.state === 'promoted' && end ? conditionsOf(end) : [];
}

function text(view: RolloutView): ReactNode {
  if (isOver(view.state)) {
    const broken = view.guardrails.find((one) => one.broken);
    if (view.state === 'rolled-back' && broken && (broken.verdict.lower ?? 0) > broken.margin) {
      return (
        <>
          Rule{' '}
          <b>
            {lower(sayGuardrail(broken))} not worse than {view.champion ? `v${view.champion.version}` : 'live'} by{' '}
            {writerOf(broken)(broken.margin).replace('+', '')}
          </b>
          . Even the best case that the data allows is worse.
        </>
      );
    }
    if (earned(view).length > 0) return 'All traffic needs proof of every guardrail, and each was proved.';
    return tidy(endOf(view)?.reason ?? view.because);
  }
  const paused = view.state === 'paused' && view.decisions.find(({ type }) => type === 'rollouts.paused');
  if (paused) {
    const by = paused.actor.startsWith('rule') ? 'Paused by rule' : `Paused by ${whoActed(paused.actor)}`;
    return `${by}: ${tidy(paused.reason ?? '').replace(/^(?!AUC)./, (letter) => letter.toLowerCase())}`;
  }
  const ahead = view.steps.find(({ progress }) => progress === 'ahead');
  if (view.conditions.length === 0 || !ahead) return tidy(view.because);
  const last = ahead.share === undefined;
  return last
    ? 'All traffic needs proof of every guardrail.'
    : `${ahead.name} needs the sample and nothing past its margin.`;
}

function Conditions({ conditions }: { conditions: readonly Condition[] }) {
  return (
    <ul className="conds">
      {conditions.map(({ says, value, met }) => {
        const mark: Mark = met ? 'pass' : 'undecided';
        return (
          <li key={says} className={met ? '' : 'on'}>
            <span style={{ color: `var(--${mark})` }}>
              <VerdictMark mark={mark} label={met ? 'met' : 'not yet'} />
            </span>
            <span>{tidy(says)}</span>
            <span className="val">
              {tidy(`. ${value}`)
                .slice(2)
                .replace(/, margin .*/, '')
                .replace('at worst ', '')}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Broken({ view, guardrail }: { view: RolloutView; guardrail: Guardrail }) {
  const write = writerOf(guardrail);
  const { verdict, value, margin, n, challenger, champion } = guardrail;
  const answers = view.traffic.arms?.challenger;
  const bounds = [verdict.lower, verdict.upper].map((bound) => (bound === undefined ? 'unknown' : write(bound)));
  const live = view.champion ? `v${view.champion.version}` : 'live';
  const facts: readonly (readonly [string, string])[] = [
    ['Observed', value === undefined ? 'none' : write(value)],
    [`v${view.challenger.version}, ${live}`, `${levelOf(guardrail, challenger)}, ${levelOf(guardrail, champion)}`],
    ['Best case, worst case', bounds.join(', ')],
    ['Margin', write(margin)],
    [
      'Evidence',
      `${count(n)} ${guardrail.unit === 'loss' ? 'pairs' : 'in each arm'} in ${duration((view.endedClock ?? view.clock) - view.startedClock)}`,
    ],
    [
      'Method',
      `${sayMethod(verdict.method).replace(' sequence, anytime', '').replace(', anytime', '')}, α\u00a0${/alpha ([\d.]+)/.exec(verdict.method)?.[1] ?? view.plan.alpha}`,
    ],
  ];
  const swap = swapMs(view);
  return (
    <>
      <dl className="facts">
        {facts.map(([name, says]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <div className="cost">
        <p>
          <b>{count(answers?.requests ?? 0)}</b> answers by v{view.challenger.version}
        </p>
        {swap !== undefined && (
          <p>
            <b>{swap < 1 ? `below 1\u00a0ms` : milliseconds(swap)}</b> decision to swap
          </p>
        )}
        <p>
          <b>{count(answers?.errors ?? 0)}</b> failed requests
        </p>
      </div>
    </>
  );
}

/** From the decision until the old version had all traffic again. */
function swapMs(view: RolloutView): number | undefined {
  const { decidedAt, swappedAt } = endOf(view)?.data ?? {};
  return typeof decidedAt === 'number' && typeof swappedAt === 'number' ? swappedAt - decidedAt : undefined;
}
