/** Runs as lines over parallel axes, params before metrics. A range on an axis keeps the runs that go through it. */
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import type { Run } from '../../data/runs.ts';
import { count } from '../../format.ts';
import { type Field, isWithin, placeOn, type Ranges, sayPlace, shareOf } from './fields.ts';

type Props = {
  readonly runs: readonly Run[];
  readonly fields: readonly Field[];
  readonly ranges: Ranges;
  readonly onRanges: (ranges: Ranges) => void;
  readonly onKeep: (runs: readonly Run[]) => void;
};

const height = 320;
const top = 46;
const bottom = 276;
/** Runs without a value pass below the axis. */
const none = 300;
const narrowest = 104;
const widest = 210;
const left = 64;

export function Parallel({ runs, fields, ranges, onRanges, onKeep }: Props) {
  const [at, setAt] = useState<number>();
  const [drawn, setDrawn] = useState<{ readonly id: string; readonly from: number; readonly to: number }>();
  const svg = useRef<SVGSVGElement>(null);
  const kept = runs.filter((run) => isWithin(run, fields, ranges));
  const isNarrowed = fields.some(({ id }) => ranges[id]);
  const { ref: place, width: room } = useElementSize();
  const gaps = Math.max(1, fields.length - 1);
  const gap = Math.min(widest, Math.max(narrowest, (room - left * 2) / gaps));
  const width = left * 2 + gaps * gap;
  const x = (index: number) => left + index * gap;
  const y = (field: Field, place: number | undefined) =>
    place === undefined ? none : bottom - shareOf(field, place) * (bottom - top);
  const path = (run: Run) =>
    `M${fields.map((field, index) => `${x(index)} ${y(field, placeOn(field, run)).toFixed(1)}`).join('L')}`;
  const shown = at === undefined ? undefined : kept[Math.min(at, kept.length - 1)];

  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined || kept.length === 0) return;
    event.preventDefault();
    setAt((before) => ((before ?? -1) + step + kept.length) % kept.length);
  };
  const heightAt = (event: PointerEvent) => {
    const box = svg.current?.getBoundingClientRect();
    const scale = box ? height / box.height : 1;
    return Math.min(bottom, Math.max(top, (event.clientY - (box?.top ?? 0)) * scale));
  };
  const setRange = ({ id, low, high }: Field, range: readonly [number, number] | undefined) => {
    const { [id]: _, ...others } = ranges;
    const whole = range === undefined || (range[0] <= low && range[1] >= high);
    onRanges(whole ? others : { ...others, [id]: range });
  };
  const finish = (field: Field) => {
    if (!drawn) return;
    setDrawn(undefined);
    const [upper, lower] = [Math.min(drawn.from, drawn.to), Math.max(drawn.from, drawn.to)];
    // A click without a way to go takes the range away.
    if (lower - upper < 3) return setRange(field, undefined);
    const valueAt = (height: number) => field.low + ((bottom - height) / (bottom - top)) * (field.high - field.low);
    const round = (value: number) => Number(value.toPrecision(4));
    const [from, to] = [valueAt(lower), valueAt(upper)];
    setRange(field, field.words ? [Math.ceil(from - 0.25), Math.floor(to + 0.25)] : [round(from), round(to)]);
  };

  if (fields.length < 2)
    return <p className="i2">The runs differ in fewer than two values: there is nothing to draw between.</p>;
  return (
    <figure className="compare-figure">
      <p className="says" aria-live="polite">
        {shown ? (
          <>
            <b className="m">{shown.name}</b>{' '}
            {fields.map((field) => `${field.title} ${sayPlace(field, placeOn(field, shown))}`).join(', ')}
          </>
        ) : (
          `${count(kept.length)} of ${count(runs.length)} runs${isNarrowed ? ' go through the ranges' : ''}. Drag along an axis to keep a range.`
        )}
      </p>
      <div className="wide" ref={place}>
        <svg
          ref={svg}
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          role="img"
          aria-label={`${count(kept.length)} of ${count(runs.length)} runs over ${fields.map(({ title }) => title).join(', ')}. Arrow keys step through the runs.`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the runs.
          tabIndex={0}
          onKeyDown={onKey}
          onBlur={() => setAt(undefined)}
          onPointerLeave={() => setAt(undefined)}
        >
          {runs.map((run) => {
            const isKept = kept.includes(run);
            return (
              <g key={run.id}>
                <path
                  d={path(run)}
                  fill="none"
                  stroke={isKept ? (isNarrowed ? 'var(--challenger)' : 'var(--champion)') : 'var(--line-2)'}
                  strokeOpacity={isKept ? 0.55 : 0.6}
                  strokeWidth={isKept ? 1.2 : 1}
                />
                {isKept && (
                  <path
                    d={path(run)}
                    fill="none"
                    stroke="transparent"
                    strokeWidth="9"
                    onPointerEnter={() => setAt(kept.indexOf(run))}
                  />
                )}
              </g>
            );
          })}
          {shown && <path d={path(shown)} fill="none" stroke="var(--accent)" strokeWidth="2.5" pointerEvents="none" />}
          {fields.map((field, index) => {
            const range = ranges[field.id];
            const band =
              drawn?.id === field.id
                ? [Math.min(drawn.from, drawn.to), Math.max(drawn.from, drawn.to)]
                : range && [Math.max(top - 4, y(field, range[1])), Math.min(bottom + 4, y(field, range[0]))];
            return (
              <g key={field.id}>
                <text x={x(index)} y="16" textAnchor="middle" className="t1 tw">
                  {clip(field.title, 20)}
                </text>
                <text x={x(index)} y="34" textAnchor="middle" className="t3">
                  {sayPlace(field, field.high)}
                </text>
                <path d={`M${x(index)} ${top}V${bottom}`} stroke="var(--control-line)" />
                {field.words
                  ?.slice(1, -1)
                  .slice(0, 8)
                  .map((word, place) => (
                    <text key={word} x={x(index) + 6} y={y(field, place + 1) + 4} className="t3 halo">
                      {clip(word, 14)}
                    </text>
                  ))}
                <text x={x(index)} y={bottom + 15} textAnchor="middle" className="t3">
                  {sayPlace(field, field.low)}
                </text>
                {runs.some((run) => placeOn(field, run) === undefined) && (
                  <text x={x(index)} y={none + 14} textAnchor="middle" className="t3">
                    none
                  </text>
                )}
                {band && (
                  <rect
                    x={x(index) - 7}
                    y={band[0]}
                    width="14"
                    height={Math.max(2, (band[1] ?? 0) - (band[0] ?? 0))}
                    rx="3"
                    fill="var(--band)"
                    stroke="var(--accent)"
                  />
                )}
                <rect
                  x={x(index) - 14}
                  y={top - 8}
                  width="28"
                  height={bottom - top + 16}
                  fill="transparent"
                  className="brush"
                  onPointerDown={(event) => {
                    event.currentTarget.setPointerCapture(event.pointerId);
                    const from = heightAt(event);
                    setDrawn({ id: field.id, from, to: from });
                  }}
                  onPointerMove={(event) => drawn && setDrawn({ ...drawn, to: heightAt(event) })}
                  onPointerUp={() => finish(field)}
                  onPointerCancel={() => setDrawn(undefined)}
                />
              </g>
            );
          })}
        </svg>
      </div>
      <div className="range-inputs">
        {fields.map((field) => (
          <RangeInputs
            key={field.id}
            field={field}
            range={ranges[field.id]}
            onRange={(range) => setRange(field, range)}
          />
        ))}
      </div>
      {isNarrowed && (
        <div className="compare-tools">
          <button type="button" className="btn" disabled={kept.length < 2} onClick={() => onKeep(kept)}>
            Compare these {count(kept.length)} only
          </button>
          {kept.length < 2 && <span className="small i3">two runs at least</span>}
          <button type="button" className="btn quiet" onClick={() => onRanges({})}>
            Clear the ranges
          </button>
        </div>
      )}
    </figure>
  );
}

const clip = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

type RangeProps = {
  readonly field: Field;
  readonly range: readonly [number, number] | undefined;
  readonly onRange: (range: readonly [number, number] | undefined) => void;
};

/** The same without dragging. */
function RangeInputs({ field, range, onRange }: RangeProps) {
  const [from, to] = range ?? [field.low, field.high];
  const set = (low: number, high: number) => {
    if (Number.isFinite(low) && Number.isFinite(high) && low <= high) onRange([low, high]);
  };
  return (
    <fieldset>
      <legend title={field.title}>{field.title}</legend>
      {(['from', 'to'] as const).map((end) => {
        const value = end === 'from' ? from : to;
        const change = (text: string) => {
          const next = text === '' ? Number.NaN : Number(text);
          if (end === 'from') set(next, to);
          else set(from, next);
        };
        const label = `${field.title} ${end}`;
        return field.words ? (
          <select key={end} aria-label={label} value={value} onChange={(event) => change(event.currentTarget.value)}>
            {field.words.map((word, place) => (
              <option key={word} value={place}>
                {word}
              </option>
            ))}
          </select>
        ) : (
          <input
            key={`${end} ${value}`}
            type="number"
            step="any"
            aria-label={label}
            defaultValue={Number(value.toPrecision(4))}
            onBlur={(event) =>
              Number(event.currentTarget.value) !== Number(value.toPrecision(4)) && change(event.currentTarget.value)
            }
            onKeyDown={(event) => event.key === 'Enter' && change(event.currentTarget.value)}
          />
        );
      })}
    </fieldset>
  );
}
