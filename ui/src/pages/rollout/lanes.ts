/** What the server found, as lanes and steps of the score. Pure. */
import { type Guardrail, isOver, type RolloutView, type SeriesPoint } from '../../data/rollouts.ts';
import { sayMetric } from '../../data/runs.ts';
import { count, difference, duration, fixed, percent, points, pValue } from '../../format.ts';
import type { ScoreLane, ScoreStep } from '../../parts/score.tsx';
import type { Mark } from '../../parts/verdict.tsx';

export type Axis = 'time' | 'requests';

export const sayGuardrail = ({ name }: Guardrail): string => sayMetric(name);
export const markOf = ({ word }: Guardrail): Mark =>
  word === 'worse' ? 'fail' : word === 'undecided' ? 'undecided' : 'pass';

/** How a difference of this guardrail is written. */
export const writerOf = ({ unit }: Guardrail) =>
  unit === 'share' ? points : (value: number) => difference(value, Math.abs(value) >= 0.00995 ? 3 : 4);

export function levelOf({ unit }: Guardrail, value: number | undefined): string {
  if (value === undefined) return 'none';
  return unit === 'share' ? percent(value, 2) : fixed(value, 3);
}

/** The point where a verdict was reached: where it broke, or where the worst case last came inside the margin and stayed. */
export function decidedAt({
  broken,
  word,
  series,
  margin,
}: Guardrail): Pick<SeriesPoint, 'eventTime' | 'requests'> | undefined {
  if (broken) return series.find(({ eventTime }) => eventTime >= broken.eventTime) ?? series.at(-1);
  if (word !== 'better' && word !== 'no worse') return undefined;
  const outside = series.findLastIndex((point) => point.upper > margin);
  return outside < 0 ? undefined : series[outside + 1];
}

/** The broken lane moves first; otherwise the order of the file stays. */
export function lanesOf(view: RolloutView, axis: Axis): ScoreLane[] {
  const ordered = view.guardrails.toSorted((a, b) => Number(b.broken !== undefined) - Number(a.broken !== undefined));
  return ordered.map((one) => laneOf(one, view, axis));
}

function laneOf(one: Guardrail, view: RolloutView, axis: Axis): ScoreLane {
  const write = writerOf(one);
  const place = (point: Pick<SeriesPoint, 'eventTime' | 'requests'>) =>
    axis === 'time' ? point.eventTime : point.requests;
  const decided = decidedAt(one);
  const expected = isOver(view.state) ? undefined : expectedAt(one, view, axis);
  const pairs = one.unit === 'loss' ? 'labelled pairs' : 'in each arm';
  return {
    // The gutter has room for a short name only.
    name: sayGuardrail(one).replace(/^Answers above/, 'Over'),
    mark: markOf(one),
    word: one.word,
    margin: one.margin,
    write,
    facts: [
      `v${view.challenger.version} ${levelOf(one, one.challenger)} · ${view.champion ? `v${view.champion.version}` : 'live'} ${levelOf(one, one.champion)}`,
      one.broken
        ? `at best ${bestCase(one, write)}`
        : `at worst ${typeof one.atWorst === 'number' ? write(one.atWorst) : 'unknown'}`,
      `margin ${write(one.margin)}`,
      `${count(one.n)} ${pairs}`,
      sayMethod(one.verdict.method),
    ],
    // Where nothing is bounded yet there is nothing to draw.
    points: one.series
      .filter(({ lower, upper }) => lower !== null || upper !== null)
      .map((point) => ({
        x: place(point),
        estimate: point.value,
        lower: point.lower ?? undefined,
        upper: point.upper ?? undefined,
      })),
    ...(one.series.length < 2 && {
      tooLittle: one.n === 0 ? 'no data yet' : `not enough data: ${count(one.n)} ${pairs}`,
    }),
    ...(decided && { decidedAt: place(decided) }),
    ...(expected !== undefined && { expectedAt: expected }),
  };
}

function bestCase({ verdict }: Guardrail, write: (value: number) => string): string {
  return verdict.lower === undefined ? 'unknown' : write(verdict.lower);
}

export const sayMethod = (method: string): string => {
  if (method.includes('Bernstein')) return 'Bernstein bounds, anytime';
  return method.includes('paired') ? 'paired sequence, anytime' : (method.split(',', 1)[0] ?? method).slice(0, 34);
};

/**
 * When the worst case should come inside the margin, at the pace of the present step: a bound closes in with the square root of n.
 * None when the estimate itself is past the margin.
 */
function expectedAt({ series, margin, word, n }: Guardrail, view: RolloutView, axis: Axis): number | undefined {
  const last = series.at(-1);
  if (word !== 'undecided' || !last || last.value >= margin || last.upper <= margin) return undefined;
  const { stepArms } = view.traffic;
  const step = view.steps.find(({ progress }) => progress === 'now');
  const gained = Math.min(stepArms?.challenger ?? 0, stepArms?.control ?? 0);
  const entered = step && (axis === 'time' ? step.enteredClock : requestsAt(view, step.name));
  const now = axis === 'time' ? view.clock : view.traffic.requests;
  if (gained === 0 || entered === undefined) return undefined;
  const missing = n * (((last.upper - last.value) / (margin - last.value)) ** 2 - 1);
  return now + ((now - entered) * missing) / gained;
}

export function stepsOf(view: RolloutView, axis: Axis): ScoreStep[] {
  const over = isOver(view.state);
  const until = axis === 'time' ? (view.endedClock ?? view.clock) : view.traffic.requests;
  const placed = view.steps.flatMap((step) => {
    if (step.enteredClock === undefined || (step.name === '100 %' && over)) return [];
    const from = axis === 'time' ? step.enteredClock : requestsAt(view, step.name);
    return from === undefined ? [] : [{ step, from }];
  });
  const begin = placed[0]?.from ?? (axis === 'time' ? view.startedClock : 0);
  const drawn = placed.map(({ step, from }, index): ScoreStep => {
    const to = placed[index + 1]?.from ?? until;
    const stopped = over && view.state !== 'promoted' && index === placed.length - 1;
    const took = axis === 'time' ? duration(Math.max(0, to - from)) : `${count(to - from)} requests`;
    return {
      label: step.name.charAt(0).toUpperCase() + step.name.slice(1),
      note: step.progress === 'now' && !over ? `${took} so far` : took,
      from,
      to,
      state: stopped ? 'broken' : step.progress === 'now' && !over ? 'now' : 'past',
      share: step.share ?? 0,
    };
  });
  const least = axis === 'time' ? 3_600_000 : 100;
  const awaited = over ? [] : view.guardrails.flatMap((one) => expectedAt(one, view, axis) ?? []);
  // Room for what is expected soon; what is far away would squeeze what is known.
  const ahead = Math.max(0, ...awaited.map((at) => (at - until) * 1.25));
  const room = Math.max((until - begin) / 4, least, Math.min((until - begin) / 2, ahead));
  const next = view.steps.find(({ progress }) => progress === 'ahead');
  if (over) {
    const serves =
      view.state === 'promoted' ? `v${view.challenger.version}` : view.champion && `v${view.champion.version}`;
    return serves
      ? [
          ...drawn,
          { label: `100 % ${serves}`, note: 'since then', from: until, to: until + room, state: 'next', share: 0 },
        ]
      : drawn;
  }
  return next
    ? [
        ...drawn,
        { label: next.name, note: 'next', from: until, to: until + room, state: 'next', share: next.share ?? 1 },
      ]
    : drawn;
}

/** How many requests the rollout had seen when it entered a step: its decision says so. */
function requestsAt({ decisions }: RolloutView, name: string): number | undefined {
  const entered = decisions.find(({ type, data }) => type === 'rollouts.step-entered' && data['to'] === name);
  const evidence = entered?.data['evidence'];
  return typeof evidence === 'object' && evidence !== null && 'requests' in evidence
    ? Number(evidence.requests)
    : undefined;
}

export function trafficFacts({ traffic, challenger, champion, state }: RolloutView): string[] {
  const { arms, shadow, split } = traffic;
  const version = `v${challenger.version}`;
  if (!arms || arms.challenger.requests === 0) {
    return [
      `${version} answered nobody`,
      `${count(shadow?.requests ?? 0)} mirrored`,
      `${count(shadow?.failures ?? 0)} of them failed`,
    ];
  }
  return [
    `${version} ${count(arms.challenger.requests)} answers`,
    `control ${champion ? `v${champion.version}` : ''} ${count(arms.control.requests)}`,
    split && split.units > 0 ? `split as planned, p ${pValue(split.p)}` : isOver(state) ? '' : 'no split yet',
  ];
}

/** A guardrail's name inside a sentence. */
export const lower = (name: string): string =>
  name.startsWith('AUC') ? name : name.charAt(0).toLowerCase() + name.slice(1);

export const listOf = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
