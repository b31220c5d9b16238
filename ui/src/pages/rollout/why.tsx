/** Why a rollout holds, moved on or went back: the conditions of the next step, or the rule that fired with its evidence. */
import { type Guardrail, isOver, type RolloutView } from '../../data/rollouts.ts';
import { count, day, duration, percent, tidy } from '../../format.ts';
import { type Mark, VerdictMark } from '../../parts/verdict.tsx';
import { levelOf, sayGuardrail, writerOf } from './lanes.ts';

export function Why({ view }: { view: RolloutView }) {
  const broken = view.guardrails.find((one) => one.broken);
  return (
    <div className={view.state === 'rolled-back' ? 'panel why bad' : 'panel why'}>
      <h2>{title(view)}</h2>
      <p>{text(view)}</p>
      {!isOver(view.state) && view.conditions.length > 0 && <Conditions view={view} />}
      {broken && <Broken view={view} guardrail={broken} />}
      {view.forced && <p>Forced: {view.forced.reason}</p>}
      {view.undecided && (
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

function text(view: RolloutView): string {
  const ended = view.decisions.find(
    ({ type }) => type === `rollouts.${view.state === 'promoted' ? 'promotion-decided' : view.state}`,
  );
  if (isOver(view.state)) return tidy(ended?.reason ?? view.because);
  const ahead = view.steps.find(({ progress }) => progress === 'ahead');
  if (view.conditions.length === 0 || !ahead) return tidy(view.because);
  const last = ahead.share === undefined;
  return last
    ? 'All traffic needs proof of every guardrail.'
    : `${ahead.name} needs the sample and nothing past its margin.`;
}

function Conditions({ view: { conditions } }: { view: RolloutView }) {
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
                .replace(/, margin .*/, '')}
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
  const facts: readonly (readonly [string, string])[] = [
    [sayGuardrail(guardrail), `${levelOf(guardrail, challenger)}, live ${levelOf(guardrail, champion)}`],
    ['Difference', value === undefined ? 'none' : write(value)],
    ['Best case, worst case', bounds.join(', ')],
    ['Margin', write(margin)],
    [
      'Evidence',
      `${count(n)} ${guardrail.unit === 'loss' ? 'pairs' : 'in each arm'} in ${duration((view.endedClock ?? view.clock) - view.startedClock)}`,
    ],
    ['Chance of a wrong rollback', `at most ${percent(view.plan.alpha)}`],
  ];
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
        <p>
          <b>{count(answers?.errors ?? 0)}</b> failed requests
        </p>
        <p>
          <b>{count(view.traffic.shadow?.requests ?? 0)}</b> mirrored first
        </p>
      </div>
    </>
  );
}
