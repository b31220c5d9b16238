/** Each run as a point between two of its values; a third may colour it. */
import { type KeyboardEvent, useState } from 'react';
import type { Run } from '../../data/runs.ts';
import { count } from '../../format.ts';
import { type Field, placeOn, sayPlace, shareOf } from './fields.ts';

type Props = {
  readonly runs: readonly Run[];
  readonly fields: readonly Field[];
  readonly x: Field;
  readonly y: Field;
  readonly colour: Field | undefined;
  readonly onAxes: (axes: { readonly x?: string; readonly y?: string; readonly colour?: string }) => void;
  readonly onOpen: (run: Run) => void;
};

const width = 760;
const height = 380;
const left = 72;
const right = 736;
const top = 16;
const bottom = 336;
const inset = 0.04;

export function Scatter({ runs, fields, x, y, colour, onAxes, onOpen }: Props) {
  const [at, setAt] = useState<number>();
  const across = (place: number) => left + (inset + shareOf(x, place) * (1 - 2 * inset)) * (right - left);
  const down = (place: number) => bottom - (inset + shareOf(y, place) * (1 - 2 * inset)) * (bottom - top);
  const points = runs
    .flatMap((run) => {
      const [a, b] = [placeOn(x, run), placeOn(y, run)];
      return a === undefined || b === undefined ? [] : [{ run, a, b }];
    })
    .toSorted((one, other) => one.a - other.a);
  const shown = at === undefined ? undefined : points[at];
  const missing = runs.length - points.length;
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && shown) onOpen(shown.run);
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0 || points.length === 0) return;
    event.preventDefault();
    setAt((before) => Math.min(points.length - 1, Math.max(0, (before ?? (step > 0 ? -1 : points.length)) + step)));
  };
  return (
    <figure className="compare-figure">
      <div className="compare-tools">
        <Choice label="Across" fields={fields} value={x.id} onChange={(id) => onAxes({ x: id })} />
        <Choice label="Up" fields={fields} value={y.id} onChange={(id) => onAxes({ y: id })} />
        <Choice
          label="Colour"
          fields={fields}
          value={colour?.id ?? ''}
          none="none"
          onChange={(id) => onAxes({ colour: id })}
        />
        {colour && (
          <span className="ramp small i2">
            {sayPlace(colour, colour.low)} <i aria-hidden /> {sayPlace(colour, colour.high)}
          </span>
        )}
      </div>
      <p className="says" aria-live="polite">
        {shown ? (
          <>
            <b className="m">{shown.run.name}</b> {x.title} {sayPlace(x, shown.a)}, {y.title} {sayPlace(y, shown.b)}
            {colour &&
              colour.id !== x.id &&
              colour.id !== y.id &&
              `, ${colour.title} ${sayPlace(colour, placeOn(colour, shown.run))}`}
          </>
        ) : (
          <>
            {y.title} over {x.title}, {count(points.length)} {points.length === 1 ? 'run' : 'runs'}
            {missing > 0 && `; ${count(missing)} without both values`}
          </>
        )}
      </p>
      <div className="wide">
        <svg
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          role="img"
          aria-label={`${y.title} over ${x.title} of ${count(points.length)} runs. Arrow keys step through them, Enter opens one.`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the points.
          tabIndex={0}
          onKeyDown={onKey}
          onBlur={() => setAt(undefined)}
        >
          {ticksOf(y).map((place) => (
            <g key={place}>
              <path d={`M${left} ${down(place)}H${right}`} stroke="var(--line)" />
              <text x={left - 8} y={down(place) + 4} textAnchor="end" className="t3">
                {sayTick(y, place)}
              </text>
            </g>
          ))}
          {ticksOf(x).map((place) => (
            <g key={place}>
              <path d={`M${across(place)} ${top}V${bottom}`} stroke="var(--line)" />
              <text x={across(place)} y={bottom + 18} textAnchor="middle" className="t3">
                {sayTick(x, place)}
              </text>
            </g>
          ))}
          <text x={(left + right) / 2} y={height - 6} textAnchor="middle">
            {x.title}
          </text>
          <text x={left - 8} y={top - 4} textAnchor="end" className="tw">
            {y.title}
          </text>
          {points.map(({ run, a, b }, index) => (
            // biome-ignore lint/a11y/noStaticElementInteractions: the chart takes the keys.
            <circle
              key={run.id}
              cx={across(a)}
              cy={down(b)}
              r={5}
              fill={colour ? tint(colour, run) : 'var(--champion)'}
              fillOpacity={colour ? 1 : 0.75}
              stroke={colour ? 'var(--control-line)' : 'var(--canvas)'}
              className="point"
              onPointerEnter={() => setAt(index)}
              onPointerLeave={() => setAt(undefined)}
              onClick={() => onOpen(run)}
            />
          ))}
          {shown && (
            <circle
              cx={across(shown.a)}
              cy={down(shown.b)}
              r={8}
              fill="none"
              stroke="var(--accent)"
              strokeWidth="2.5"
              pointerEvents="none"
            />
          )}
        </svg>
      </div>
    </figure>
  );
}

/** From pale to the full colour; without a value only an outline. */
function tint(field: Field, run: Run): string {
  const place = placeOn(field, run);
  if (place === undefined) return 'var(--canvas)';
  return `color-mix(in oklab, var(--accent) ${Math.round(shareOf(field, place) * 100)}%, var(--h1))`;
}

/** Three to five round places within the axis; of words every one that there is room for. */
function ticksOf({ low, high, words }: Field): readonly number[] {
  if (words) return words.slice(0, 12).map((_, place) => place);
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 3));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => span / candidate <= 4.5) ?? power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first) + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

const sayTick = (field: Field, place: number): string =>
  field.words ? (field.words[place] ?? '').slice(0, 12) : String(place).replace('-', '−');

type ChoiceProps = {
  readonly label: string;
  readonly fields: readonly Field[];
  readonly value: string;
  readonly none?: string;
  readonly onChange: (id: string) => void;
};

export function Choice({ label, fields, value, none, onChange }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {(['param', 'metric'] as const).map((kind) => {
          const some = fields.filter((field) => field.kind === kind);
          return (
            some.length > 0 && (
              <optgroup key={kind} label={kind === 'param' ? 'Params' : 'Metrics'}>
                {some.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </optgroup>
            )
          );
        })}
      </select>
    </label>
  );
}
