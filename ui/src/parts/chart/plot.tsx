/** Lines on one canvas, by uPlot: the cursor is shared by all charts of a page, dragging chooses a range, arrow keys step the points. */
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { duration, fixed, scientific } from '../../format.ts';
import type { ChartData, DrawnLine, Mark } from './chart-data.ts';

type Props = {
  readonly label: string;
  readonly data: ChartData;
  readonly time: boolean;
  readonly log: boolean;
  /** Written at the ends of the lines; a legend stands elsewhere when there are too many. */
  readonly endLabels: boolean;
  /** Of x, when only a part is shown. */
  readonly range: readonly [number, number] | undefined;
  readonly onRange: (range: readonly [number, number] | undefined) => void;
  /** The place of the cursor among the values of x. */
  readonly onCursor: (index: number | undefined) => void;
  /** Of many lines, the one near the pointer: its id. */
  readonly onNear: (line: string | undefined) => void;
};

const height = 158;
/** From the pointer to a line that is meant. */
const nearPixels = 24;

export function Plot(props: Props) {
  const { data, time, log, endLabels, range } = props;
  const scheme = useComputedColorScheme();
  const { ref: sizeRef, width } = useElementSize<HTMLDivElement>();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const shape = JSON.stringify([
    data.lines.map(({ line, raw, band }) => [line.id, line.name, line.colour, line.dash, raw !== undefined, !!band]),
    ...[time, log, endLabels, scheme],
  ]);
  const sized = width > 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` says when the lines themselves change; their points are set below.
  useEffect(() => {
    if (!host.current || !sized) return;
    const made = new uPlot(
      optionsOf(latest, host.current),
      latest.current.data.columns as uPlot.AlignedData,
      host.current,
    );
    plot.current = made;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [shape, sized]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new range moves the axis even where the points stay.
  useEffect(() => {
    plot.current?.setData(data.columns as uPlot.AlignedData);
  }, [data, range?.[0], range?.[1]]);

  const onKey = (event: KeyboardEvent) => {
    const chart = plot.current;
    if (!chart || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keyed(chart, event.key, props)) event.preventDefault();
  };
  return (
    <div ref={sizeRef} className="plot-frame">
      <div
        ref={host}
        className="plot"
        role="img"
        aria-label={props.label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the points.
        tabIndex={0}
        onKeyDown={onKey}
        onBlur={() => hideCursor(plot.current)}
      />
    </div>
  );
}

const hideCursor = (chart: uPlot | undefined): void => chart && moveCursor(chart, { left: -10, top: -10 });

/** In all charts: the third argument, which uPlot's types leave out, says so. */
function moveCursor(chart: uPlot, to: { readonly left: number; readonly top: number }): void {
  const setCursor: (...args: [typeof to, boolean, boolean]) => void = chart.setCursor;
  setCursor(to, true, true);
}

/** @returns whether the key meant something: arrows, Home and End move the cursor, + and - change the range about it, 0 shows all */
function keyed(chart: uPlot, key: string, { data, onRange, range }: Props): boolean {
  const xs = data.columns[0] as readonly number[];
  const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, Home: -xs.length, End: xs.length };
  const move = moves[key];
  const here = chart.cursor.idx ?? (move && move < 0 ? xs.length : -1);
  if (move !== undefined) {
    const next = Math.min(xs.length - 1, Math.max(0, here + move));
    const x = xs[next];
    if (x === undefined) return false;
    moveCursor(chart, { left: chart.valToPos(x, 'x'), top: chart.over.clientHeight / 2 });
    return true;
  }
  const [from, to] = [chart.scales['x']?.min ?? 0, chart.scales['x']?.max ?? 1];
  const middle = chart.cursor.idx == null ? (from + to) / 2 : (xs[chart.cursor.idx] ?? from);
  if (key === '+' || key === '=') {
    onRange([middle - (middle - from) / 2, middle + (to - middle) / 2]);
    return true;
  }
  if ((key === '-' && range) || key === '0') {
    const whole = key === '0' || !range;
    onRange(whole ? undefined : [middle - (middle - from) * 2, middle + (to - middle) * 2]);
    return true;
  }
  return false;
}

function optionsOf(latest: { readonly current: Props }, host: HTMLElement): uPlot.Options {
  const { data, time, log, endLabels } = latest.current;
  const styles = getComputedStyle(host);
  const colour = (name: string) => styles.getPropertyValue(`--${name}`).trim();
  const font = `11px ${styles.getPropertyValue('--sans')}`;
  const grid = { stroke: colour('line'), width: 1 };
  const axis = { stroke: colour('ink-3'), font, grid, ticks: { show: false }, border: { show: false } };
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const { line, main, raw, band } of data.lines) {
    const stroke = colour(line.colour);
    const lead = line.colour === 'challenger';
    if (band) {
      series[band.min] = { stroke: 'transparent', width: 0, points: { show: false } };
      series[band.max] = { stroke: 'transparent', width: 0, points: { show: false } };
      bands.push({ series: [band.max, band.min], fill: withAlpha(stroke, lead ? 0.18 : 0.12) });
    }
    const dash = line.dash && { dash: [...line.dash] };
    if (raw !== undefined) series[raw] = { stroke: withAlpha(stroke, 0.4), width: 1, points: { show: false }, ...dash };
    series[main] = { stroke, width: lead ? 2 : 1.5, points: { show: sparse }, ...dash };
  }
  return {
    width: host.clientWidth,
    height,
    padding: [8, endLabels ? 64 : 14, 0, 0],
    legend: { show: false },
    series,
    bands,
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        gap: 6,
        space: 52,
        ...(time && { incrs: clockSteps }),
        values: (_, ticks) => (time ? sayClock(ticks) : ticks.map(sayStep)),
      },
      {
        ...axis,
        size: (_, ticks) => 10 + 6.4 * Math.max(3, ...(ticks ?? []).map((text) => text.length)),
        gap: 4,
        space: 28,
        values: (_, ticks) => sayTicks(ticks, log),
      },
    ],
    scales: {
      x: { time: false, range: (_, min, max) => rangeOf(latest.current.range, min, max) },
      y: log ? { distr: 3 } : { range: (_, min, max) => roomy(min, max) },
    },
    ...(!endLabels && { focus: { alpha: 0.15 } }),
    cursor: {
      y: false,
      ...(!endLabels && { focus: { prox: nearPixels } }),
      drag: { x: true, y: false, setScale: false, dist: 6 },
      sync: { key: `rondo ${time ? 'time' : 'step'}`, setSeries: false, scales: ['x', null] },
      points: { size: 7 },
      bind: {
        dblclick: () => () => {
          latest.current.onRange(undefined);
          return null;
        },
      },
    },
    hooks: {
      setSeries: [
        (_, index) => {
          const { data, onNear } = latest.current;
          onNear(
            data.lines.find(({ main, raw, band }) => [main, raw, band?.min, band?.max].includes(index ?? -1))?.line.id,
          );
        },
      ],
      setCursor: [(chart) => latest.current.onCursor(chart.cursor.idx ?? undefined)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width > 0) latest.current.onRange([chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x')]);
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      draw: [
        (chart) => {
          const { lines, marks } = latest.current.data;
          for (const mark of marks) drawMark(chart, mark, colour('warn'));
          if (endLabels) drawEnds(chart, lines, { colour, font });
        },
      ],
    },
  };
}

/** Points of their own are drawn where a line of few points, or none, would say too little. */
const sparse = (chart: uPlot, series: number): boolean =>
  (chart.data[series] ?? []).filter((value) => value !== null && value !== undefined).length < 3;

function rangeOf(range: readonly [number, number] | undefined, min: number, max: number): [number, number] {
  const [from, to] = range ?? [min, max];
  return from === to ? [from - 0.5, to + 0.5] : [from, to];
}

function roomy(min: number, max: number): [number, number] {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return [0, 1];
  const span = max - min || Math.abs(max) || 1;
  return [min - span * 0.06, max + span * 0.06];
}

/** NaN is a cross on the floor; what is infinite, a triangle at the end it points to. */
function drawMark(chart: uPlot, { x, kind }: Mark, colour: string): void {
  const { ctx, bbox } = chart;
  const ratio = uPlot.pxRatio;
  const at = chart.valToPos(x, 'x', true);
  if (at < bbox.left - 1 || at > bbox.left + bbox.width + 1) return;
  const size = 3.5 * ratio;
  const y = kind === 'above' ? bbox.top + size : bbox.top + bbox.height - size;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.5 * ratio;
  ctx.beginPath();
  if (kind === 'nan') {
    ctx.moveTo(at - size, y - size);
    ctx.lineTo(at + size, y + size);
    ctx.moveTo(at + size, y - size);
    ctx.lineTo(at - size, y + size);
    ctx.stroke();
  } else {
    const tip = kind === 'above' ? -size : size;
    ctx.moveTo(at, y + tip);
    ctx.lineTo(at - size, y - tip);
    ctx.lineTo(at + size, y - tip);
    ctx.fill();
  }
  ctx.restore();
}

/** The last value of each line in sight, beside its end; two that would meet step aside. */
function drawEnds(
  chart: uPlot,
  lines: readonly DrawnLine[],
  { colour, font }: { readonly colour: (name: string) => string; readonly font: string },
): void {
  const { ctx } = chart;
  const ratio = uPlot.pxRatio;
  const xs = chart.data[0];
  const { min = 0, max = 0 } = chart.scales['x'] ?? {};
  const ends = lines.flatMap(({ line, main, raw = main }) => {
    const values = chart.data[main] ?? [];
    for (let at = values.length - 1; at >= 0; at -= 1) {
      const [x, y] = [xs[at], values[at]];
      if (x === undefined || x < min || x > max || y === null || y === undefined) continue;
      return [
        {
          line,
          value: line.last ?? chart.data[raw]?.[at] ?? y,
          left: chart.valToPos(x, 'x', true),
          top: chart.valToPos(y, 'y', true),
        },
      ];
    }
    return [];
  });
  ends.sort((a, b) => a.top - b.top);
  let lowest = Number.NEGATIVE_INFINITY;
  ctx.save();
  ctx.font = font.replace('11px', `${11 * ratio}px`);
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  for (const { line, value, left, top } of ends) {
    const stroke = colour(line.colour);
    ctx.fillStyle = stroke;
    ctx.beginPath();
    ctx.arc(left, top, 3 * ratio, 0, 2 * Math.PI);
    ctx.fill();
    const y = Math.max(top, lowest + 13 * ratio);
    lowest = y;
    const text = line.colour === 'challenger' ? sayValue(value) : `${line.name} ${sayValue(value)}`;
    ctx.lineWidth = 3 * ratio;
    ctx.strokeStyle = colour('canvas');
    ctx.strokeText(text, left + 7 * ratio, y);
    ctx.fillText(text, left + 7 * ratio, y);
  }
  ctx.restore();
}

/** @param colour as the tokens write it: `#2B4ACB` */
const withAlpha = (colour: string, alpha: number): string =>
  `${colour}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`;

/** With as many decimals as its size needs. */
export function sayValue(value: number): string {
  const size = Math.abs(value);
  if (size === Number.MAX_VALUE) return value > 0 ? 'Infinity' : '−Infinity'; // as MLflow stores it
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return scientific(value, 2);
  if (size >= 1000) return fixed(value, 0);
  return fixed(value, size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/** All ticks of an axis with the same decimals, as few as tell them apart. */
function sayTicks(ticks: readonly (number | null)[], log: boolean): string[] {
  const values = ticks.filter((tick) => tick !== null);
  const step = Math.abs((values[1] ?? 1) - (values[0] ?? 0)) || 1;
  const decimals =
    [0, 1, 2, 3, 4, 5, 6].find((digits) => Math.abs(((step * 10 ** digits + 0.5) % 1) - 0.5) < 1e-6) ?? 6;
  const most = Math.max(...values.map(Math.abs), 0);
  const short = log || decimals > 5 || most >= 1e6;
  return ticks.map((tick) => (tick === null ? '' : short ? scientific(tick, 0) : fixed(tick, decimals)));
}

const sayStep = (value: number): string => {
  if (!Number.isInteger(value)) return '';
  const size = Math.abs(value);
  if (size < 10_000) return fixed(value, 0);
  if (size >= 1e9) return scientific(value, 2);
  return size < 1e6
    ? `${fixed(value / 1e3, size % 1000 === 0 ? 0 : 1)}k`
    : `${fixed(value / 1e6, size % 1e6 === 0 ? 0 : 2)}M`;
};

const clockSteps = [
  ...[
    0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200,
  ],
  ...[86_400, 172_800, 432_000, 864_000, 2_592_000, 8_640_000],
];

/** All ticks in the largest unit that has them whole: `5 min`, `2:30` where minutes need their seconds. */
function sayClock(ticks: readonly number[]): string[] {
  const whole = (unit: number) => ticks.every((tick) => tick % unit === 0);
  if (whole(86_400)) return ticks.map((tick) => `${tick / 86_400} d`);
  if (whole(3600)) return ticks.map((tick) => `${tick / 3600} h`);
  if (whole(60)) return ticks.map((tick) => `${tick / 60} min`);
  const most = Math.max(...ticks);
  if (most < 120 || !whole(1)) return ticks.map((tick) => `${Number(tick.toFixed(3))} s`);
  return ticks.map((tick) => `${Math.floor(tick / 60)}:${String(tick % 60).padStart(2, '0')}`);
}

export const sayTime = (seconds: number): string =>
  seconds === 0 ? '0' : seconds < 0 ? `−${duration(-seconds * 1000)}` : duration(seconds * 1000);
