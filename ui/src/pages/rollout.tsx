/** Rollout: is the new one safe and better, and when will we know? */
import { useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiProblem, post } from '../data/api.ts';
import { type Guardrail, isOver, type RolloutView, useRollout } from '../data/rollouts.ts';
import { count, day, difference, duration, fixed, moment, percent, points, pValue } from '../format.ts';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { ReasonDialog } from '../parts/reason-dialog.tsx';
import { Score, type ScoreLane, type ScoreStep } from '../parts/score.tsx';
import { Loaded } from '../parts/states.tsx';
import { type Mark, VerdictMark } from '../parts/verdict.tsx';

export function RolloutPage() {
  const { id = '' } = useParams({ strict: false });
  const [live, setLive] = useState(true);
  const rollout = useRollout(id, { live });
  const over = rollout.data ? isOver(rollout.data.phase) : false;
  if (live === over) setLive(!over);
  return (
    <Loaded query={rollout} what={`rollout ${id}`}>
      {(view) => <RolloutBody view={view} />}
    </Loaded>
  );
}

function RolloutBody({ view }: { view: RolloutView }) {
  const [asTable, setAsTable] = useState(false);
  const candidate = `v${view.challenger.version}`;
  const champion = view.champion ? `v${view.champion.version}` : 'nothing';
  return (
    <>
      <PageHead title={headline(view)} actions={<Actions view={view} />}>
        {reasons(view, champion)}
      </PageHead>
      <div className="cols rollout-page">
        <section>
          {asTable ? (
            <DecisionTable view={view} />
          ) : (
            <Score
              finding={`${headline(view)}. ${view.guardrails.map((one) => `${one.name}: ${one.word}`).join(', ')}.`}
              live={champion}
              candidate={candidate}
              axis="time"
              now={view.endedClock ?? view.clock}
              ended={isOver(view.phase)}
              steps={scoreSteps(view)}
              lanes={orderedGuardrails(view).map((one) => laneOf(one, candidate, champion))}
              trafficFacts={trafficFacts(view, candidate, champion)}
            />
          )}
          <div className="twin">
            <span>Bands hold at every moment (α 0.05 over {view.guardrails.length} guardrails), so looking early is safe.</span>
            <button type="button" className="as-link link" onClick={() => setAsTable(!asTable)}>
              {asTable ? 'Show as chart' : 'Show as table'}
            </button>
          </div>
        </section>
        <aside>
          <Why view={view} />
          <SectionHead title="Decisions" aside={view.decisions.every((one) => one.actor.startsWith('rule')) && 'all by rule'} />
          <ul className="log">
            {view.decisions.map((one) => (
              <li key={`${one.at} ${one.text}`}>
                <time>{moment(one.clock ?? one.at)}</time>
                <span>{one.text}</span>
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
  switch (view.phase) {
    case 'preparing':
      return `${version} is being loaded`;
    case 'shadow':
      return `${version} in shadow: nobody gets its answers yet`;
    case 'step':
      return `${version} at ${percent(view.share)}: ${view.why.conditions.every((one) => one.met) ? 'moving on' : 'holding, nothing to do'}`;
    case 'paused':
      return `${version} paused at ${percent(view.share)}: resume, promote or abort`;
    case 'promoting':
      return `${version} is taking over`;
    case 'promoted':
      return `${version} has all traffic`;
    case 'rolled-back':
      return `${version} was rolled back`;
    case 'aborted':
      return `${version} was aborted`;
    case 'superseded':
      return `${version} was superseded`;
  }
}

function reasons(view: RolloutView, champion: string) {
  const said = (word: string) => view.guardrails.filter((one) => one.word === word).map((one) => one.name);
  const worse = said('worse');
  const undecided = said('undecided');
  const settled = view.guardrails.filter((one) => one.word === 'better' || one.word === 'no worse');
  return (
    <>
      {worse.length > 0 && <b>{list(worse)} got worse by more than the margin. </b>}
      {settled.length > 0 && `${settled.map((one) => `${one.name} ${one.word}`).join(', ')}. `}
      {undecided.length > 0 && <b>{list(undecided)} undecided. </b>}
      {view.because && isOver(view.phase) && `${view.because}. `}
      {!isOver(view.phase) && `If a guardrail breaks, ${champion} takes over at once.`}
    </>
  );
}

const list = (names: readonly string[]): string => (names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`);

/** The broken lane moves first; otherwise the order of the file stays. */
const orderedGuardrails = (view: RolloutView) => view.guardrails.toSorted((a, b) => Number(b.broken !== undefined) - Number(a.broken !== undefined));

function laneOf(guardrail: Guardrail, candidate: string, champion: string): ScoreLane {
  const write = guardrail.unit === 'share' ? points : (value: number) => difference(value, 4);
  const level = (value: number | undefined) => (value === undefined ? 'none' : guardrail.unit === 'share' ? percent(value, 2) : fixed(value, 3));
  const decided = guardrail.broken?.eventTime ?? crossing(guardrail);
  return {
    name: guardrail.name,
    mark: markOf(guardrail),
    word: guardrail.word,
    margin: guardrail.margin,
    write,
    facts: [
      `${candidate} ${level(guardrail.challenger)} · ${champion} ${level(guardrail.champion)}`,
      `at worst ${guardrail.atWorst === undefined ? 'unknown' : write(guardrail.atWorst)}`,
      `margin ${write(guardrail.margin)}`,
      `n ${count(guardrail.n)}`,
      shorten(guardrail.verdict.method),
    ],
    points: guardrail.series.map((point) => ({ x: point.eventTime, estimate: point.value, lower: point.lower ?? undefined, upper: point.upper ?? undefined })),
    ...(guardrail.series.length < 2 && { tooLittle: `not enough data: ${guardrail.verdict.reason}` }),
    ...(decided !== undefined && { decidedAt: decided }),
  };
}

const markOf = ({ word }: Guardrail): Mark => (word === 'worse' ? 'fail' : word === 'undecided' ? 'undecided' : 'pass');

/** Where the worst-case edge last came inside the margin and stayed there. */
function crossing({ series, margin, word }: Guardrail): number | undefined {
  if (word !== 'better' && word !== 'no worse') return undefined;
  const outside = series.findLastIndex((point) => point.upper === null || point.upper > margin);
  return series[outside + 1]?.eventTime;
}

const shorten = (method: string): string => (method.length > 34 ? `${method.slice(0, 33)}…` : method);

function scoreSteps(view: RolloutView): ScoreStep[] {
  const entered = view.steps.filter((step) => step.enteredClock !== undefined);
  const begin = entered[0]?.enteredClock ?? view.startedClock;
  const until = view.endedClock ?? view.clock;
  const next = view.steps.find((step) => step.enteredClock === undefined);
  const room = Math.max((until - begin) / 6, 3_600_000);
  const drawn: ScoreStep[] = entered.map((step) => ({
    label: step.label,
    note: step.state === 'now' ? `${duration((step.leftClock ?? until) - (step.enteredClock ?? until))} so far` : step.note || duration((step.leftClock ?? until) - (step.enteredClock ?? until)),
    from: step.enteredClock ?? begin,
    to: step.leftClock ?? until,
    state: step.state,
    share: step.share,
  }));
  if (next && !isOver(view.phase)) drawn.push({ label: next.label, note: 'next', from: until, to: until + room, state: 'next', share: next.share });
  return drawn;
}

function trafficFacts(view: RolloutView, candidate: string, champion: string): string[] {
  const { challenger, control } = view.arms;
  return [
    `${candidate} ${count(challenger)} requests`,
    `control ${champion} ${count(control)}`,
    view.split.units > 0 ? `split as planned, p ${pValue(view.split.p)}` : 'no split yet',
  ];
}

function Why({ view }: { view: RolloutView }) {
  return (
    <div className="panel why">
      <h2>{view.why.title}</h2>
      <p>{view.why.text}</p>
      {view.why.conditions.length > 0 && (
        <ul className="conds">
          {view.why.conditions.map((condition) => {
            const mark: Mark = condition.met ? 'pass' : 'undecided';
            return (
              <li key={condition.says} className={condition.met ? '' : 'on'}>
                <span style={{ color: `var(--${mark})` }}>
                  <VerdictMark mark={mark} label={condition.met ? 'met' : 'not yet'} />
                </span>
                <span>{condition.says}</span>
                <span className="val">{condition.value}</span>
              </li>
            );
          })}
        </ul>
      )}
      {view.forced && <p>Forced: {view.forced.reason}</p>}
    </div>
  );
}

function Actions({ view }: { view: RolloutView }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'promote' | 'abort-reason'>();
  const [problem, setProblem] = useState<string>();
  if (isOver(view.phase) || view.phase === 'promoting') return null;
  const act = async (verb: 'pause' | 'resume' | 'promote' | 'abort', reason: string) => {
    setProblem(undefined);
    try {
      await post(`/api/v1/rollouts/${encodeURIComponent(view.id)}/${verb}`, { reason });
      await queries.invalidateQueries({ queryKey: ['rollout', view.id] });
    } catch (error) {
      setProblem(error instanceof ApiProblem ? `${error.message} ${error.fix ?? ''}` : 'The server could not be reached.');
    }
  };
  return (
    <>
      {problem && (
        <span className="small warn-text" role="alert">
          {problem}
        </span>
      )}
      {view.phase === 'paused' ? (
        <button type="button" className="btn" onClick={() => void act('resume', 'resumed on the rollout page')}>
          Resume
        </button>
      ) : (
        <button type="button" className="btn quiet" onClick={() => void act('pause', 'paused on the rollout page')}>
          Pause
        </button>
      )}
      <button type="button" className="btn" onClick={() => setAsking('promote')}>
        Promote…
      </button>
      {/* Abort acts at once; nobody looks for words while answers are bad. */}
      <button type="button" className="btn danger" onClick={() => void act('abort', 'aborted on the rollout page')}>
        Abort
      </button>
      <ReasonDialog
        opened={asking === 'promote'}
        title={`Promote v${view.challenger.version} before the rule allows?`}
        consequence={`It gets all traffic at once; ${view.guardrails.filter((one) => one.word === 'undecided').length} guardrails are undecided. The reason goes into the log.`}
        action="Promote"
        onClose={() => setAsking(undefined)}
        onConfirm={(reason) => {
          setAsking(undefined);
          void act('promote', reason);
        }}
      />
    </>
  );
}

function DecisionTable({ view }: { view: RolloutView }) {
  return (
    <table>
      <caption className="seen-only-by-readers">Guardrails of this rollout</caption>
      <thead>
        <tr>
          <th>Guardrail</th>
          <th className="num">Candidate</th>
          <th className="num">Live</th>
          <th className="num">At worst</th>
          <th className="num">Margin</th>
          <th className="num">n</th>
          <th>Verdict</th>
          <th>Since</th>
        </tr>
      </thead>
      <tbody>
        {view.guardrails.map((one) => {
          const write = one.unit === 'share' ? points : (value: number) => difference(value, 4);
          const at = one.broken?.eventTime ?? crossing(one);
          return (
            <tr key={one.name}>
              <td>{one.name}</td>
              <td className="num">{one.challenger === undefined ? 'none' : fixed(one.challenger, 4)}</td>
              <td className="num">{one.champion === undefined ? 'none' : fixed(one.champion, 4)}</td>
              <td className="num">{one.atWorst === undefined ? 'unknown' : write(one.atWorst)}</td>
              <td className="num">{write(one.margin)}</td>
              <td className="num">{count(one.n)}</td>
              <td>
                <span className={`v ${markOf(one) === 'undecided' ? 'und' : markOf(one)}`}>
                  <VerdictMark mark={markOf(one)} />
                  {one.word}
                </span>
              </td>
              <td className="i2">{at === undefined ? '' : day(at)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
