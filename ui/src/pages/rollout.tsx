/** Rollout: is the new one safe and better, and when will we know? */
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { whoActed } from '../data/event.ts';
import { conditionsOf, isOver, type RolloutView, sayPlace, useRollout } from '../data/rollouts.ts';
import { count, day, duration, moment, percent, tidy } from '../format.ts';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Score } from '../parts/score.tsx';
import { Loaded } from '../parts/states.tsx';
import { TwinLinks, type TwinTable, TwinView } from '../parts/twin.tsx';
import { Actions } from './rollout/actions.tsx';
import {
  type Axis,
  decidedAt,
  lanesOf,
  levelOf,
  listOf,
  lower,
  sayGuardrail,
  stepsOf,
  trafficFacts,
  writerOf,
} from './rollout/lanes.ts';
import { Why } from './rollout/why.tsx';

export function RolloutPage() {
  const { id = '' } = useParams({ strict: false });
  const rollout = useRollout(id);
  return (
    <Loaded query={rollout} what={`rollout ${id}`}>
      {(view) => <RolloutBody view={view} />}
    </Loaded>
  );
}

function RolloutBody({ view }: { view: RolloutView }) {
  const [asTable, setAsTable] = useState(false);
  const [axis, setAxis] = useState<Axis>('time');
  const candidate = `v${view.challenger.version}`;
  const champion = view.champion ? `v${view.champion.version}` : 'nothing';
  const over = isOver(view.state);
  const table = (): TwinTable => guardrailTable(view);
  const mark = view.state === 'rolled-back' ? 'fail' : view.state === 'promoted' ? 'pass' : undefined;
  return (
    <>
      <PageHead title={headline(view)} {...(mark && { mark })} actions={<Actions view={view} />}>
        {reasons(view, champion)}
      </PageHead>
      <div className="cols rollout-page">
        <section>
          {asTable ? (
            <TwinView caption="Guardrails of this rollout" table={table()} />
          ) : (
            <Score
              finding={`${headline(view)}. ${view.guardrails.map((one) => `${sayGuardrail(one)}: ${one.word}`).join(', ')}.`}
              live={champion}
              candidate={candidate}
              axis={axis}
              now={axis === 'time' ? (view.endedClock ?? view.clock) : view.traffic.requests}
              nowWord={view.state === 'rolled-back' ? 'rolled back' : over ? 'end' : 'now'}
              steps={stepsOf(view, axis)}
              stepsNote={stepsNote(view)}
              lanes={lanesOf(view, axis)}
              trafficFacts={trafficFacts(view)}
              after={over ? `${view.state === 'promoted' ? candidate : champion} serves all` : undefined}
            />
          )}
          <div className="twin">
            <span>
              Bands hold at every moment (α {view.plan.alpha} over {view.guardrails.length}{' '}
              {view.guardrails.length === 1 ? 'guardrail' : 'guardrails'}), so looking early is safe.
            </span>
            <span className="twin-links">
              {!asTable && (
                <button
                  type="button"
                  className="as-link link"
                  onClick={() => setAxis(axis === 'time' ? 'requests' : 'time')}
                >
                  {axis === 'time' ? 'By requests' : 'By time'}
                </button>
              )}
              <TwinLinks
                name={`rollout-${view.endpoint}-${candidate}`}
                asTable={asTable}
                onChange={setAsTable}
                table={table}
              />
            </span>
          </div>
        </section>
        <aside>
          <Why view={view} />
          <SectionHead
            title="Decisions"
            aside={view.decisions.every(({ actor }) => actor.startsWith('rule')) && 'all by rule'}
          />
          <ul className="log">
            {view.decisions.map((one) => (
              <li key={one.position}>
                <time title={`Recorded ${new Date(one.at).toLocaleString()}`}>
                  {moment(one.endpointTime ?? one.at)}
                </time>
                <span title={one.reason}>{sayDecision(one)}</span>
              </li>
            ))}
          </ul>
        </aside>
      </div>
    </>
  );
}

function headline(view: RolloutView): string {
  const version = `v${view.challenger.version}`;
  switch (view.state) {
    case 'preparing':
      return `${version} is being loaded`;
    case 'shadow':
      return `${version} in shadow: nobody gets its answers yet`;
    case 'step':
      return `${version} at ${view.says}: ${view.conditions.every(({ met }) => met) ? 'moving on' : 'holding, nothing to do'}`;
    case 'paused':
      return `${version} ${sayPlace(view)}: resume, promote or abort`;
    case 'promoting':
      return `${version} is taking over`;
    case 'promoted':
      return view.champion
        ? `${version} has all traffic: ${version} replaced v${view.champion.version}`
        : `${version} has all traffic`;
    case 'rolled-back': {
      const broken = view.guardrails.find((one) => one.broken);
      return `${version} rolled back by rule${broken ? `: ${lower(sayGuardrail(broken))} ${broken.unit === 'loss' ? 'is' : 'are'} worse` : ''}`;
    }
    case 'aborted':
      return `${version} was aborted`;
    case 'superseded':
      return `${version} was superseded`;
  }
}

function reasons(view: RolloutView, champion: string) {
  const named = (word: string) =>
    view.guardrails.filter((one) => one.word === word).map((one) => lower(sayGuardrail(one)));
  const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  const settled = view.guardrails.filter(({ word }) => word === 'better' || word === 'no worse');
  const worse = named('worse');
  const undecided = named('undecided');
  const challenger = view.traffic.arms?.challenger;
  if (isOver(view.state) && view.endedClock !== undefined) {
    return (
      <>
        {view.state === 'promoted' ? '' : `${champion} serves all traffic. `}
        <b>
          {count(challenger?.requests ?? 0)} answers came from v{view.challenger.version}
        </b>{' '}
        in {duration(Math.max(0, view.endedClock - view.startedClock))}
        {challenger && challenger.errors === 0 ? '; no request failed.' : `; ${count(challenger?.errors ?? 0)} failed.`}
        {settled.length > 0 && view.state === 'promoted' && ` ${saySettled(settled)}.`}
      </>
    );
  }
  return (
    <>
      {worse.length > 0 && <b>{sentence(listOf(worse))} got worse by more than the margin. </b>}
      {settled.length > 0 && `${saySettled(settled)}. `}
      {undecided.length > 0 && (
        <b>
          {sentence(listOf(undecided))} {undecided.length === 1 ? 'is' : 'are'} undecided.{' '}
        </b>
      )}
      {view.champion && `If a guardrail breaks, ${champion} takes over at once.`}
    </>
  );
}

/** `Errors and log loss are no worse`, with the better ones first. */
function saySettled(settled: RolloutView['guardrails']): string {
  const said = (['better', 'no worse'] as const).flatMap((word) => {
    const names = settled.filter((one) => one.word === word).map((one) => lower(sayGuardrail(one)));
    const isMany = names.length > 1 || names[0] === 'errors' || names[0]?.startsWith('answers');
    return names.length === 0 ? [] : `${listOf(names)} ${isMany ? 'are' : 'is'} ${word}`;
  });
  const text = listOf(said);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function stepsNote(view: RolloutView): string {
  const steps = view.steps.filter(({ share }) => share !== undefined);
  const at = steps.findIndex(({ progress }) => progress === 'now');
  if (isOver(view.state))
    return `stopped ${sayPlace(view)}`
      .replace('stopped at 100 %', 'went to 100 %')
      .replace('stopped rolled back', 'rolled back');
  return `${at < 0 ? 'shadow' : `${at + 1} of ${steps.length}`}, since ${day(view.startedClock)}`;
}

function sayDecision(decision: RolloutView['decisions'][number]): string {
  const { type, actor, reason = '', data } = decision;
  const said = tidy(reason).replace(/^(?!AUC)./, (letter) => letter.toLowerCase());
  const short = said.length > 96 ? `${said.slice(0, 94).replace(/[ ;,:]+\S*$/, '')}…` : said;
  const by = actor.startsWith('rule') ? '' : ` by ${whoActed(actor)}`;
  const from = String(data['from'] ?? '');
  const earned = conditionsOf(decision);
  switch (type) {
    case 'rollouts.started':
      return `${data['forced'] ? 'Forced' : 'Started'}${by}${short && `: ${short}`}`;
    case 'rollouts.step-entered': {
      const [sample] = earned;
      const why = sample ? `${sample.value} ${from === 'shadow' ? 'mirrored' : 'in each arm'}, none broken` : short;
      return from === 'preparing'
        ? `To ${String(data['to'])}: ${why}`
        : `${from.charAt(0).toUpperCase()}${from.slice(1)} to ${String(data['to'])}: ${why}`;
    }
    case 'rollouts.held':
      // What is not proved yet must not read as if it were.
      return `Holds: ${short.replaceAll(/ (proved no worse|inside its margin so far):/g, '')}`;
    case 'rollouts.guardrail-proved':
      return tidy(short);
    case 'rollouts.promotion-decided':
      return `Promoted${by}: ${earned.length > 0 ? 'every guardrail is proved' : short}`;
    case 'rollouts.promoted':
      return `All traffic at ${percent(1)}`;
    default:
      return `${type
        .replace('rollouts.', '')
        .replace('-', ' ')
        .replace(/^./, (letter) => letter.toUpperCase())}${by}${short && `: ${short}`}`;
  }
}

function guardrailTable(view: RolloutView): TwinTable {
  return {
    columns: [
      'Guardrail',
      `v${view.challenger.version}`,
      view.champion ? `v${view.champion.version}` : 'live',
      'difference',
      'at worst',
      'margin',
      'n',
      'verdict',
      'since',
    ],
    rows: view.guardrails.map((one) => {
      const write = writerOf(one);
      const at = decidedAt(one);
      return [
        sayGuardrail(one),
        levelOf(one, one.challenger),
        levelOf(one, one.champion),
        one.value === undefined ? 'none' : write(one.value),
        typeof one.atWorst === 'number' ? write(one.atWorst) : 'unknown',
        write(one.margin),
        one.n,
        one.word,
        at === undefined ? 'open' : moment(at.eventTime),
      ];
    }),
  };
}
