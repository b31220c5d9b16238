/** From series to what is drawn: one axis for all lines, gaps where there is no value, marks where a value cannot be drawn. Pure. */
import type { Axis, Series } from '../../data/series.ts';
import { smoothed } from './smooth.ts';

export type ChartLine = {
  readonly id: string;
  readonly name: string;
  /** A CSS variable's name, without the dashes: `challenger`. */
  readonly colour: string;
  readonly dash?: readonly number[];
  /** Where its time begins, in milliseconds. */
  readonly startedAt: number;
  readonly series: Series;
  /** The last value, where the end of a thinned line would only be the mean of its last stretch. */
  readonly last?: number;
};

export type Mark = { readonly x: number; readonly kind: 'nan' | 'above' | 'below'; readonly line: ChartLine };

export type DrawnLine = {
  readonly line: ChartLine;
  /** In the columns of `columns`: what is drawn thick, the raw line below it when smoothed, and the edges of the band. */
  readonly main: number;
  readonly raw?: number;
  readonly band?: { readonly min: number; readonly max: number };
};

/** null is a gap, undefined only means that the line has no point at this x. */
export type Column = (number | null | undefined)[];

export type ChartData = {
  /** The first is x. */
  readonly columns: readonly Column[];
  readonly lines: readonly DrawnLine[];
  readonly marks: readonly Mark[];
  /** Values that a logarithmic axis has no place for. */
  readonly hidden: number;
};

export const xOf = (axis: Axis, line: Pick<ChartLine, 'startedAt'>, at: { step: number; at: number }): number =>
  axis === 'step' ? at.step : (at.at - line.startedAt) / 1000;

/** @param smoothing share of the range that a mean reaches over, 0 for none */
export function chartData(
  lines: readonly ChartLine[],
  { axis, log, smoothing }: { readonly axis: Axis; readonly log: boolean; readonly smoothing: number },
): ChartData {
  const xs = [...new Set(lines.flatMap((line) => line.series.points.map((point) => xOf(axis, line, point))))].sort(
    (a, b) => a - b,
  );
  const place = new Map(xs.map((x, index) => [x, index]));
  const columns: Column[] = [xs];
  const drawn: DrawnLine[] = [];
  const marks: Mark[] = [];
  let hidden = 0;
  for (const line of lines) {
    const { points } = line.series;
    const at = points.map((point) => xOf(axis, line, point));
    const fits = (value: number | undefined) => (value === undefined || (log && value <= 0) ? undefined : value);
    const values = points.map(({ value }) => fits(value));
    hidden += points.filter(({ value }, index) => value !== undefined && values[index] === undefined).length;
    for (const [index, { nan, above, below }] of points.entries()) {
      const x = at[index] ?? 0;
      if (nan) marks.push({ x, kind: 'nan', line });
      if (above) marks.push({ x, kind: 'above', line });
      if (below) marks.push({ x, kind: 'below', line });
    }
    const add = (of: readonly (number | undefined)[]): number => {
      const column: Column = new Array(xs.length).fill(undefined);
      for (const [index, value] of of.entries()) column[place.get(at[index] ?? 0) ?? 0] = value ?? null;
      return columns.push(column) - 1;
    };
    const hasBand = points.some(({ min }) => min !== undefined);
    const band = hasBand && {
      min: add(points.map(({ min, value }) => fits(min) ?? fits(value))),
      max: add(points.map(({ max, value }) => fits(max ?? value))),
    };
    const weights = points.map((point) => point.points);
    const raw = add(values);
    const main = smoothing > 0 && values.length > 2 ? add(smoothed(at, values, weights, smoothing)) : raw;
    drawn.push({ line, main, ...(main !== raw && { raw }), ...(band && { band }) });
  }
  return { columns, lines: drawn, marks, hidden };
}
