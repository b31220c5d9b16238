/**
 * The score of a rollout: its steps, one lane per guardrail and the traffic, on one time axis, like the staves of a score.
 * Steps are bar lines, "now" is the playhead, and right of it lies what is still to come.
 */
import { type KeyboardEvent, memo, type PointerEvent, useMemo, useState } from 'react';
import { day, moment } from '../format.ts';
import { type Mark, VerdictMark } from './verdict.tsx';

export type ScorePoint = {
  /** Where on the axis: endpoint time in ms, or requests. */
  readonly x: number;
  /** Candidate minus live: positive is worse. Absent bounds are drawn to the edge of the lane. */
  readonly estimate: number;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
};

export type ScoreLane = {
  readonly name: string;
  readonly mark: Mark;
  readonly word: string;
  /** Small print of the gutter: values, at worst, margin, n, method. The first line is ink. */
  readonly facts: readonly string[];
  readonly margin: number;
  readonly write: (difference: number) => string;
  readonly points: readonly ScorePoint[];
  /** Where the worst-case edge crossed the margin (decided) or is expected to (undecided). */
  readonly decidedAt?: number;
  readonly expectedAt?: number;
  /** Shown instead of a band when there is not enough data: `not enough data: 60 of 100 pairs`. */
  readonly tooLittle?: string;
};

export type ScoreStep = {
  readonly label: string;
  readonly note: string;
  readonly from: number;
  readonly to: number;
  readonly state: 'past' | 'now' | 'next' | 'broken';
  /** Share of requests the candidate answers in this step; the control cohort is as large. */
  readonly share: number;
};

export type ScoreProps = {
  readonly finding: string;
  readonly live: string;
  readonly candidate: string;
  readonly lanes: readonly ScoreLane[];
  readonly steps: readonly ScoreStep[];
  /** A word under the steps: where they stand. */
  readonly stepsNote: string;
  readonly now: number;
  readonly nowWord: string;
  readonly trafficFacts: readonly string[];
  /** Who answers after the end: `v2 serves all`. */
  readonly after?: string | undefined;
  readonly axis: 'time' | 'requests';
};

const width = 752;
const left = 222;
const right = 744;
const laneHeight = 138;
const laneTop = 46;

export function Score(props: ScoreProps) {
  const { lanes, steps, now, axis } = props;
  const place = placeOf(props);
  const [at, setAt] = useState<number>();
  // Read out only to those who step by keys.
  const [said, setSaid] = useState('');
  const stops = useMemo(() => stopsOf(lanes, steps, now), [lanes, steps, now]);
  const onPointer = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    const wanted = place.from + ((x - left) / (right - left)) * (place.until - place.from);
    setAt(x < left - 4 || x > place.scale(now) + 4 ? undefined : Math.min(now, wanted));
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') setAt(undefined);
    const next = nextStop(stops, at, event.key);
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
    setSaid(
      `${sayPlace(next, axis)}: ${lanes.map((lane) => `${lane.name} ${sayReading(lane, readingAt(lane, next))}`).join('; ')}`,
    );
  };
  return (
    <div className="score">
      <svg
        width={width}
        height={place.height}
        viewBox={`0 0 ${width} ${place.height}`}
        role="img"
        aria-label={props.finding}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the points.
        tabIndex={0}
        onPointerMove={onPointer}
        onPointerLeave={() => setAt(undefined)}
        onBlur={() => setAt(undefined)}
        onKeyDown={onKey}
      >
        <Picture {...props} />
        {at !== undefined && <Crosshair at={at} props={props} />}
      </svg>
      <output className="seen-only-by-readers">{said}</output>
    </div>
  );
}

type Place = {
  readonly from: number;
  readonly until: number;
  readonly scale: Scale;
  readonly trafficTop: number;
  readonly height: number;
};

function placeOf({ lanes, steps, now }: ScoreProps): Place {
  const from = steps[0]?.from ?? now;
  const until = Math.max(now, ...steps.map((step) => step.to));
  const scale = (x: number) => left + ((x - from) / Math.max(1e-9, until - from)) * (right - left);
  const trafficTop = laneTop + lanes.length * laneHeight + 3;
  return { from, until, scale, trafficTop, height: trafficTop + 88 };
}

/** All that stands still while somebody looks along it. */
const Picture = memo(function Picture(props: ScoreProps) {
  const { lanes, steps, now } = props;
  const { from, until, scale, trafficTop } = placeOf(props);
  return (
    <>
      <Patterns />
      <Steps steps={steps} note={props.stepsNote} scale={scale} />
      {lanes.map((lane, index) => (
        <Lane
          key={lane.name}
          lane={lane}
          top={laneTop + index * laneHeight}
          scale={scale}
          steps={steps}
          live={props.live}
          now={now}
          until={until}
          axis={props.axis}
          first={index === 0}
        />
      ))}
      <Traffic {...props} top={trafficTop} scale={scale} />
      <TimeAxis from={from} until={until} y={trafficTop + 62} scale={scale} axis={props.axis} avoid={scale(now)} />
      <Playhead x={scale(now)} bottom={trafficTop + 66} word={props.nowWord} />
    </>
  );
});

/** One line through all lanes: what each bound said there. */
function Crosshair({ at, props }: { at: number; props: ScoreProps }) {
  const { scale, trafficTop } = placeOf(props);
  const x = scale(at);
  const toLeft = x > (left + right) / 2;
  const word = sayPlace(at, props.axis);
  const half = word.length * 3.1 + 8;
  return (
    <g className="crosshair" aria-hidden>
      <path d={`M${x} 38V${trafficTop + 66}`} stroke="var(--ink-2)" strokeDasharray="2 2" />
      {props.lanes.map((lane, index) => {
        const reading = readingAt(lane, at);
        const top = laneTop + index * laneHeight + 10;
        const { y } = laneScale(lane, top, top + 118);
        return (
          <g key={lane.name}>
            {[reading?.estimate, reading?.upper].map((value, which) =>
              value === undefined || y(value) < top || y(value) > top + 118 ? null : (
                <circle
                  // biome-ignore lint/suspicious/noArrayIndexKey: the estimate, then the worst case.
                  key={which}
                  cx={x}
                  cy={y(value)}
                  r="3"
                  fill="var(--challenger)"
                  stroke="var(--surface)"
                  strokeWidth="1.5"
                />
              ),
            )}
            <text x={toLeft ? x - 8 : x + 8} y={top + 12} textAnchor={toLeft ? 'end' : 'start'} className="t1 tw halo">
              {sayReading(lane, reading)}
            </text>
          </g>
        );
      })}
      <rect
        x={x - half}
        y={trafficTop + 66}
        width={half * 2}
        height="18"
        rx="3"
        fill="var(--surface)"
        stroke="var(--ink-2)"
      />
      <text x={x} y={trafficTop + 79} textAnchor="middle" className="t1">
        {word}
      </text>
    </g>
  );
}

const readingAt = ({ points }: ScoreLane, at: number): ScorePoint | undefined => points.findLast(({ x }) => x <= at);

function sayReading({ write }: ScoreLane, reading: ScorePoint | undefined): string {
  if (!reading) return 'nothing to compare yet';
  return `${write(reading.estimate)}, ${reading.upper === undefined ? 'not bounded yet' : `at worst ${write(reading.upper)}`}`;
}

const sayPlace = (at: number, axis: ScoreProps['axis']): string =>
  axis === 'time' ? moment(at) : `${Math.round(at).toLocaleString('en-US')} requests`;

/** Where the arrow keys stop: where something was measured, and not so near to each other that a step is not seen. */
function stopsOf(lanes: readonly ScoreLane[], steps: readonly ScoreStep[], now: number): readonly number[] {
  const from = steps[0]?.from ?? now;
  const apart = (now - from) / 120;
  let last = Number.NEGATIVE_INFINITY;
  const measured = [...lanes.flatMap(({ points }) => points.map(({ x }) => x)), now].sort((a, b) => a - b);
  return measured.filter((x) => {
    if (x - last < apart && x !== now) return false;
    last = x;
    return true;
  });
}

function nextStop(stops: readonly number[], at: number | undefined, key: string): number | undefined {
  switch (key) {
    case 'ArrowRight':
      return at === undefined ? stops[0] : (stops.find((stop) => stop > at) ?? stops.at(-1));
    case 'ArrowLeft':
      return at === undefined ? stops.at(-1) : (stops.findLast((stop) => stop < at) ?? stops[0]);
    case 'Home':
      return stops[0];
    case 'End':
      return stops.at(-1);
    default:
      return undefined;
  }
}

type Scale = (x: number) => number;

function Patterns() {
  return (
    <defs>
      <pattern id="zone" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" fill="var(--zone)" />
        <path d="M0 0V6" stroke="var(--zone-line)" strokeWidth="1" />
      </pattern>
      <pattern id="to-come" width="4" height="4" patternUnits="userSpaceOnUse">
        <circle cx="1" cy="1" r=".7" fill="var(--challenger)" fillOpacity=".5" />
      </pattern>
      <pattern id="shadow-hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path d="M0 0V5" stroke="var(--shadow)" strokeWidth="1.5" />
      </pattern>
    </defs>
  );
}

function Steps({ steps, note, scale }: { steps: readonly ScoreStep[]; note: string; scale: Scale }) {
  return (
    <g>
      <text x="0" y="15" className="t1 tb">
        Steps
      </text>
      <text x="0" y="29" className="t3">
        {note}
      </text>
      {steps.map((step) => {
        const x = scale(step.from) + 1;
        const wide = Math.max(6, scale(step.to) - scale(step.from) - 2);
        const next = step.state === 'next';
        const colour = step.state === 'now' ? 'var(--accent)' : step.state === 'broken' ? 'var(--fail)' : undefined;
        const fill = next
          ? 'none'
          : step.state === 'now'
            ? 'var(--accent-wash)'
            : step.state === 'broken'
              ? 'var(--fail-wash)'
              : 'var(--h1)';
        return (
          <g key={step.label}>
            <rect
              x={x}
              y="0"
              width={wide}
              height="36"
              rx="4"
              fill={fill}
              {...(next ? { stroke: 'var(--line-2)', strokeDasharray: '3 3' } : {})}
            >
              <title>{`${step.label}: ${step.note}`}</title>
            </rect>
            {wide > step.label.length * 6.5 + 4 && (
              <text x={x + Math.min(8, wide / 8)} y="15" className="t1 tb" style={colour ? { fill: colour } : {}}>
                {step.label}
              </text>
            )}
            {wide > step.note.length * 5.8 + 10 && (
              <text x={x + 8} y="29" className="t3" style={colour ? { fill: colour } : {}}>
                {step.note}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

type LaneProps = {
  until: number;
  axis: ScoreProps['axis'];
  lane: ScoreLane;
  top: number;
  scale: Scale;
  steps: readonly ScoreStep[];
  live: string;
  now: number;
  first: boolean;
};

function Lane({ lane, top, scale, steps, live, now, until, axis, first }: LaneProps) {
  const plotTop = top + 10;
  const plotBottom = top + 128;
  const { y, zero, margin } = laneScale(lane, plotTop, plotBottom);
  const clip = `lane-${lane.name.replace(/\W/g, '')}`;
  const points = lane.points;
  const last = points.at(-1);
  const edge = (pick: (point: ScorePoint) => number | undefined, open: number) =>
    points.map(
      (point) => `${scale(point.x).toFixed(1)} ${(pick(point) === undefined ? open : y(pick(point) ?? 0)).toFixed(1)}`,
    );
  const worst = edge((point) => point.upper, plotBottom + 400);
  const best = edge((point) => point.lower, plotTop - 400);
  const middle = edge((point) => point.estimate, zero);
  const decided = lane.decidedAt === undefined ? undefined : scale(lane.decidedAt);
  // What is expected beyond the page is not drawn: only its word would stand there.
  const ahead =
    lane.expectedAt !== undefined && lane.expectedAt > now && lane.expectedAt <= until ? lane.expectedAt : undefined;
  const sayDecided = (place: number) =>
    axis === 'time' ? day(place) : place.toLocaleString('en-US', { maximumFractionDigits: 0 });
  const lastX = last ? scale(last.x) : left;
  const worstEnd = last?.upper === undefined ? undefined : y(last.upper);
  // Below the edge where it came inside the margin, unless its ring and date are there.
  const worstBelow =
    worstEnd !== undefined &&
    worstEnd < margin &&
    !(decided !== undefined && Math.abs(decided - lastX) < 130 && margin - worstEnd < 30);
  const worstAtLeft = Math.max(lastX, scale(now)) > right - 104;
  return (
    <g>
      <path d={`M0 ${top + 0.5}H${width}`} stroke="var(--line)" />
      <LaneGutter lane={lane} top={top} />
      <rect x={left} y={margin} width={right - left} height={Math.max(0, plotBottom - margin)} fill="url(#zone)" />
      <path d={`M${left} ${margin}H${right}`} stroke="var(--fail)" strokeOpacity=".75" />
      <path d={`M${left} ${zero}H${right}`} stroke="var(--champion)" strokeWidth="1.2" />
      <BarLines steps={steps} scale={scale} from={plotTop - 2} to={plotBottom} />
      <clipPath id={clip}>
        <rect x={left} y={plotTop} width={right - left} height={plotBottom - plotTop} />
      </clipPath>
      {points.length > 1 && (
        <g clipPath={`url(#${clip})`}>
          <path d={`M${best.join('L')}L${[...worst].reverse().join('L')}Z`} fill="var(--band)" />
          <path d={`M${worst.join('L')}`} fill="none" stroke="var(--challenger)" strokeWidth="1.5" />
          <path d={`M${best.join('L')}`} fill="none" stroke="var(--challenger)" strokeWidth=".8" strokeOpacity=".6" />
          <path d={`M${middle.join('L')}`} fill="none" stroke="var(--challenger)" strokeWidth="2" />
        </g>
      )}
      {lane.tooLittle && (
        <text x={(left + right) / 2} y={zero - 8} textAnchor="middle" className="t3 halo">
          {lane.tooLittle}
        </text>
      )}
      {last?.upper !== undefined && worstEnd !== undefined && (
        <text
          x={worstAtLeft ? lastX - 7 : Math.max(lastX, scale(now)) + 7}
          y={clamp(clearOf(worstEnd + (worstBelow ? 14 : -6), zero), plotTop + 10, plotBottom - 4)}
          textAnchor={worstAtLeft ? 'end' : 'start'}
          className="tw halo"
          style={{ fill: 'var(--challenger)' }}
        >
          at worst {lane.write(last.upper)}
        </text>
      )}
      {decided !== undefined && lane.decidedAt !== undefined && (
        <Ring
          x={decided}
          y={margin}
          word={sayDecided(lane.decidedAt)}
          colour={lane.mark === 'fail' ? 'var(--fail)' : 'var(--pass)'}
        />
      )}
      {ahead !== undefined && last?.upper !== undefined && (
        <>
          <g clipPath={`url(#${clip})`}>
            <path
              d={`M${lastX} ${y(last.upper)}L${scale(ahead)} ${margin}L${right} ${margin - 6}`}
              fill="none"
              stroke="var(--challenger)"
              strokeDasharray="4 3"
            />
            <path
              d={`M${lastX} ${y(last.upper)}L${scale(ahead)} ${margin}L${right} ${margin - 6}V${y(last.estimate)}H${lastX}Z`}
              fill="url(#to-come)"
            />
          </g>
          <Ring x={scale(ahead)} y={margin} word={`about ${sayDecided(ahead)}`} colour="var(--accent)" dashed />
        </>
      )}
      {first && (
        <>
          {zero - plotTop > 16 && (
            <text x={left + 6} y={plotTop + 10} className="t3 halo">
              better than {live}
            </text>
          )}
          <text x={left + 6} y={plotBottom - 4} className="t3 halo" style={{ fill: 'var(--fail)' }}>
            worse by more than the margin
          </text>
        </>
      )}
      {margin - zero > 11 && (
        <text x={left - 6} y={zero + 4} textAnchor="end" className="t1">
          0
        </text>
      )}
      <text x={left - 6} y={margin + 4} textAnchor="end" style={{ fill: 'var(--fail)' }}>
        {lane.write(lane.margin)}
      </text>
    </g>
  );
}

/** Worse is always down. The lane shows from one margin better to twice the margin worse, or more where the estimate needs it. */
function laneScale(lane: ScoreLane, top: number, bottom: number) {
  const estimate = lane.points.at(-1)?.estimate ?? 0;
  const worst = Math.max(1.9 * lane.margin, estimate * 1.3);
  // However far down the estimate is, zero keeps room above it for its word.
  const best = Math.min(-1.2 * lane.margin, estimate * 1.3, worst * -0.2);
  const y = (difference: number) => top + ((difference - best) / (worst - best)) * (bottom - top);
  return { y, zero: y(0), margin: y(lane.margin) };
}

function LaneGutter({ lane, top }: { lane: ScoreLane; top: number }) {
  // A long name leaves no room beside it.
  const long = lane.name.length > 13;
  return (
    <g>
      <text x="0" y={top + 20} className="t1 tb" style={{ fontSize: 13 }}>
        {lane.name}
      </text>
      <g
        transform={long ? `translate(0,${top + 26})` : `translate(${148 - lane.word.length * 6.2},${top + 9})`}
        style={{ color: `var(--${lane.mark})` }}
      >
        <VerdictMark mark={lane.mark} />
        <text x="19" y="11" className="tw" style={{ fill: 'currentColor', fontSize: 12 }}>
          {lane.word}
        </text>
      </g>
      {lane.facts.map((fact, index) => (
        <text key={fact} x="0" y={top + (long ? 55 : 40) + index * 16} className={index === 0 ? 't1' : 't3'}>
          {fact}
        </text>
      ))}
    </g>
  );
}

function BarLines({ steps, scale, from, to }: { steps: readonly ScoreStep[]; scale: Scale; from: number; to: number }) {
  return steps
    .slice(1)
    .map((step) => (
      <path
        key={step.label}
        d={`M${scale(step.from)} ${from}V${to}`}
        stroke="var(--line-2)"
        {...(step.state === 'next' ? { strokeDasharray: '2 3' } : {})}
      />
    ));
}

function Ring({
  x,
  y,
  word,
  colour,
  dashed = false,
}: {
  x: number;
  y: number;
  word: string;
  colour: string;
  dashed?: boolean;
}) {
  const nearEnd = x > right - 70;
  return (
    <>
      <circle
        cx={x}
        cy={y}
        r="5"
        fill="var(--surface)"
        stroke={colour}
        strokeWidth={dashed ? 1.5 : 2}
        {...(dashed ? { strokeDasharray: '2.5 2' } : {})}
      />
      <text
        x={nearEnd ? x - 9 : x + 9}
        y={y + 17}
        textAnchor={nearEnd ? 'end' : 'start'}
        className="tw halo"
        style={{ fill: colour }}
      >
        {word}
      </text>
    </>
  );
}

function Traffic({
  steps,
  live,
  candidate,
  trafficFacts,
  after,
  now,
  top,
  scale,
}: ScoreProps & { top: number; scale: Scale }) {
  const tall = 54;
  const y = top + 7;
  const playhead = scale(now);
  // Where the champion has nearly all of it, and a word has room.
  const champion = steps.find(
    ({ share, state, from, to }) =>
      share > 0 && share < 0.25 && state !== 'next' && Math.min(scale(to), playhead) - scale(from) > 88,
  );
  return (
    <g>
      <path d={`M0 ${top + 0.5}H${width}`} stroke="var(--line)" />
      <text x="0" y={top + 18} className="t1 tb">
        Traffic
      </text>
      {trafficFacts.map((fact, index) => (
        <text key={fact} x="0" y={top + 36 + index * 15} className={index === 0 ? 't1' : 't3'}>
          {fact}
        </text>
      ))}
      <rect
        x={left}
        y={y}
        width={Math.max(0, playhead - left)}
        height={tall}
        fill="var(--champion)"
        fillOpacity=".16"
      />
      {champion !== undefined && (
        <text x={scale(champion.from) + 6} y={y + 31} className="t1">
          champion {live}
        </text>
      )}
      {after !== undefined && (
        <text x={playhead + 7} y={y + 31} className="t1">
          {after}
        </text>
      )}
      {steps.map((step) => {
        const x = scale(step.from);
        const wide = Math.max(0, Math.min(scale(step.to), step.state === 'next' ? right : playhead) - x);
        if (step.state === 'next') {
          const high = tall * step.share;
          return (
            <rect
              key={step.label}
              x={x}
              y={y + tall - high}
              width={wide}
              height={high}
              fill="none"
              stroke="var(--challenger)"
              strokeDasharray="3 3"
            />
          );
        }
        if (step.share === 0)
          return (
            <rect key={step.label} x={x} y={y} width={wide} height={tall} fill="url(#shadow-hatch)" opacity=".55" />
          );
        const high = Math.max(1, tall * step.share);
        const control = step.share > 0.5 ? 0 : high;
        return (
          <g key={step.label}>
            <rect x={x} y={y + tall - high - control} width={wide} height={control} fill="var(--control-arm)" />
            <rect x={x} y={y + tall - high} width={wide} height={high} fill="var(--challenger)" />
            {wide > 36 && step.share >= 0.25 && (
              <>
                <text x={x + 5} y={y + tall - 8} className="tb" style={{ fill: 'var(--on-ink)' }}>
                  {candidate}
                </text>
                {control > 16 && wide > 76 && (
                  <text x={x + 5} y={y + tall - high - 8} className="tw" style={{ fill: 'var(--on-ink)' }}>
                    control {live}
                  </text>
                )}
              </>
            )}
          </g>
        );
      })}
    </g>
  );
}

function TimeAxis({
  from,
  until,
  y,
  scale,
  axis,
  avoid,
}: {
  from: number;
  until: number;
  y: number;
  scale: Scale;
  axis: 'time' | 'requests';
  avoid: number;
}) {
  const ticks = axis === 'time' ? dayTicks(from, until) : roundTicks(from, until);
  return ticks.map((tick) => {
    const x = scale(tick);
    return (
      <g key={tick}>
        <path d={`M${x} ${y - 1}v4`} stroke="var(--line-2)" />
        {Math.abs(x - avoid) > 52 && (
          <text x={x} y={y + 16} textAnchor="middle" className="t3">
            {axis === 'time' ? day(tick) : tick.toLocaleString('en-US')}
          </text>
        )}
      </g>
    );
  });
}

function Playhead({ x, bottom, word }: { x: number; bottom: number; word: string }) {
  const half = word.length * 3.2 + 14;
  return (
    <g>
      <path d={`M${x} 38V${bottom}`} stroke="var(--ink)" />
      <path d={`M${x - 4} 38h8l-4 6z`} fill="var(--ink)" />
      <rect x={x - half} y={bottom} width={half * 2} height="18" rx="3" fill="var(--ink)" />
      <text x={x} y={bottom + 13} textAnchor="middle" className="tw" style={{ fill: 'var(--on-ink)' }}>
        {word}
      </text>
    </g>
  );
}

const dayMs = 86_400_000;

function dayTicks(from: number, until: number): number[] {
  const days = Math.max(1, Math.ceil((until - from) / dayMs / 7));
  const first = Math.ceil(from / dayMs) * dayMs;
  return Array.from({ length: 16 }, (_, index) => first + index * days * dayMs).filter((tick) => tick <= until);
}

function roundTicks(from: number, until: number): number[] {
  const rough = (until - from) / 5;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power;
  return Array.from({ length: 8 }, (_, index) => Math.ceil(from / step) * step + index * step).filter(
    (tick) => tick <= until,
  );
}

/** Where a line would run through the word it moves off it. */
const clearOf = (y: number, line: number) => (y > line - 2 && y < line + 11 ? line + 15 : y);

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
