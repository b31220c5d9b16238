/** One metric by step: this run in cobalt, the live model's run in ink, labelled at the line ends. Arrow keys step the points. */
import { type KeyboardEvent, useState } from 'react';
import { fixed } from '../format.ts';

export type Series = {
  readonly name: string;
  readonly role: 'challenger' | 'champion';
  readonly points: readonly { readonly step: number; readonly value: number }[];
};

type Props = {
  readonly title: string;
  readonly note: string;
  readonly series: readonly Series[];
  readonly decimals: number;
};

const width = 336;
const left = 38;
const right = 290;
const top = 10;
const bottom = 132;

export function LineChart({ title, note, series, decimals }: Props) {
  const [cursor, setCursor] = useState<number>();
  const drawn = series.filter((line) => line.points.length > 0);
  const all = drawn.flatMap((line) => line.points);
  if (all.length === 0) return null;
  const steps = all.map((point) => point.step);
  const [from, to] = [Math.min(...steps), Math.max(...steps)];
  const ticks = roundTicks(Math.min(...all.map((point) => point.value)), Math.max(...all.map((point) => point.value)));
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (step: number) => left + ((step - from) / Math.max(1, to - from)) * (right - left);
  const y = (value: number) => bottom - ((value - low) / Math.max(1e-12, high - low)) * (bottom - top);
  const main = drawn[0];
  const points = main?.points ?? [];
  const onKey = (event: KeyboardEvent) => {
    const move = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (move === 0) return;
    event.preventDefault();
    setCursor((before) => Math.min(points.length - 1, Math.max(0, (before ?? points.length - 1) + move)));
  };
  const at = cursor === undefined ? undefined : points[cursor];
  return (
    <figure className="line-chart">
      <figcaption>
        <h3>{title}</h3>
        <p>{at ? `step ${at.step}: ${fixed(at.value, decimals)}` : note}</p>
      </figcaption>
      <svg
        width={width}
        height="156"
        viewBox={`0 0 ${width} 156`}
        role="img"
        aria-label={summary(title, drawn, decimals)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the points.
        tabIndex={0}
        onKeyDown={onKey}
        onBlur={() => setCursor(undefined)}
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <path d={`M${left} ${y(tick)}H${right}`} stroke="var(--line)" />
            <text x={left - 6} y={y(tick) + 4} textAnchor="end" className="t3">
              {fixed(tick, tickDecimals(ticks))}
            </text>
          </g>
        ))}
        {[...drawn].reverse().map((line) => {
          const colour = `var(--${line.role})`;
          const last = line.points.at(-1);
          return (
            <g key={line.name}>
              <path
                d={`M${line.points.map((point) => `${x(point.step).toFixed(1)} ${y(point.value).toFixed(1)}`).join('L')}`}
                fill="none"
                stroke={colour}
                strokeWidth={line.role === 'challenger' ? 2 : 1.5}
              />
              {last && (
                <>
                  <circle cx={x(last.step)} cy={y(last.value)} r="3" fill={colour} />
                  <text
                    x={x(last.step) + 6}
                    y={y(last.value) + (line.role === 'challenger' ? 4 : 16)}
                    className={`halo ${line.role === 'challenger' ? 'tw' : ''}`}
                    style={{ fill: colour, stroke: 'var(--canvas)' }}
                  >
                    {line.role === 'champion' ? `${line.name} ` : ''}
                    {fixed(last.value, Math.min(3, decimals))}
                  </text>
                </>
              )}
            </g>
          );
        })}
        {at && <circle cx={x(at.step)} cy={y(at.value)} r="4" fill="none" stroke="var(--ink)" />}
        <text x={left} y="152" className="t3">
          {from}
        </text>
        <text x={right} y="152" textAnchor="end" className="t3">
          {to}
        </text>
      </svg>
    </figure>
  );
}

function summary(title: string, series: readonly Series[], decimals: number): string {
  const ends = series.map((line) => `${line.name} ${fixed(line.points.at(-1)?.value ?? Number.NaN, decimals)}`);
  return `${title}: ${ends.join(', ')}`;
}

/** Three to five round ticks that enclose the values. */
function roundTicks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 3));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => span / candidate <= 3) ?? power;
  const first = Math.floor(low / step);
  const count = Math.ceil(high / step) - first;
  return Array.from({ length: count + 1 }, (_, index) => (first + index) * step);
}

const tickDecimals = (ticks: readonly number[]) =>
  Math.max(0, -Math.floor(Math.log10(Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) || 1)));
