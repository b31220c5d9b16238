/** One metric of one or several runs over their steps or their time. It reads what it draws, once it comes into sight. */
import './chart.css';
import { type UseQueryResult, useQueries, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { type Range, type Series, type Stretch, seriesOptions } from '../../data/series.ts';
import { count } from '../../format.ts';
import { Failed, Loading } from '../states.tsx';
import { CsvButton, type TwinTable, TwinView } from '../twin.tsx';
import { type ChartData, type ChartLine, chartData, xOf } from './chart-data.ts';
import type { ChangeSettings, ChartSettings } from './chart-settings.tsx';
import { Plot, sayTime, sayValue } from './plot.tsx';

export type ChartRun = {
  readonly id: string;
  readonly name: string;
  readonly startedAt: number;
  /** The last values, as far as they are known. */
  readonly metrics?: Readonly<Record<string, number | null>>;
  /** A token's name; runs without one get a colour and a dash by their place. */
  readonly colour?: string;
};

type Props = {
  readonly metric: string;
  readonly title: string;
  readonly note?: string;
  readonly runs: readonly ChartRun[];
  readonly settings: ChartSettings;
  readonly onChange: ChangeSettings;
  readonly asTable?: boolean;
  /** In place of a chart, when the first run has a single point. */
  readonly single?: ReactNode;
};

const colours = ['challenger', 'champion', 'shadow', 'control-arm'];
const dashes = [undefined, [8, 4], [2, 3]];
/** More line ends than this cannot be read beside each other. */
const mostLabels = 2;
/** More lines than these have no look of their own. */
const mostLooks = colours.length * dashes.length;

export function MetricChart({ metric, title, note, runs, settings, onChange, asTable = false, single }: Props) {
  const { ref, seen } = useSeen();
  const { axis, log, smoothing, range } = settings;
  const { series: read, failed } = useQueries({
    queries: runs.map((run) => ({
      ...seriesOptions({ run: run.id, metric, axis, range: asked(run, settings) }),
      enabled: seen,
    })),
    combine: combined,
  });
  const series = useHeld(runs, axis, read);
  const whole = useQuery({
    ...seriesOptions({ run: runs[0]?.id ?? '', metric, axis }),
    enabled: seen && single !== undefined,
  });
  const [cursor, setCursor] = useState<number>();
  const [near, setNear] = useState<string>();
  const data = useMemo(() => {
    const lines = runs.flatMap((run, place): ChartLine[] => {
      const found = series[place];
      return found && found.points.length > 0 ? [lineOf(run, place, { metric, series: found, whole: !range })] : [];
    });
    return chartData(lines, { axis, log, smoothing });
  }, [runs, series, metric, range, axis, log, smoothing]);

  if (failed) return <Failed what={title} error={failed.error} retry={failed.retry} />;
  const loaded = series.some((one) => one !== undefined);
  if (single && whole.data && totalOf(whole.data.points) === 1) return single;

  const says = cursor === undefined || asTable ? about(data, settings, note) : sayAt(data, { cursor, near, axis });
  return (
    <figure className="chart" ref={ref}>
      <h3>
        {title}
        {asTable && loaded && <CsvButton name={metric.replaceAll('/', '-')} table={() => tableOf(data, settings)} />}
      </h3>
      <p className="says" title={typeof says === 'string' ? says : undefined}>
        {says}
      </p>
      {asTable && loaded ? (
        <TwinView caption={title} table={tableOf(data, settings)} />
      ) : loaded && data.lines.length > 0 ? (
        <Plot
          label={summary(title, data)}
          data={data}
          time={axis === 'time'}
          log={log}
          endLabels={data.lines.length <= mostLabels}
          range={range}
          onRange={(next) => onChange({ range: next })}
          onCursor={setCursor}
          onNear={setNear}
        />
      ) : (
        <div className="plot small i3">
          {loaded ? range ? 'No points in this range.' : 'No points.' : <Loading what={title} rows={4} />}
        </div>
      )}
      {data.lines.length > mostLabels && !asTable && <Legend data={data} />}
    </figure>
  );
}

/** While a range is being read, the chart keeps what it has, and with it the focus. */
function useHeld(runs: readonly ChartRun[], axis: ChartSettings['axis'], read: readonly (Series | undefined)[]) {
  const held = useRef<ReadonlyMap<string, Series>>(new Map());
  const series = useMemo(
    () => read.map((one, place) => one ?? held.current.get(`${runs[place]?.id} ${axis}`)),
    [read, runs, axis],
  );
  useEffect(() => {
    held.current = new Map(series.flatMap((one, place) => (one ? [[`${runs[place]?.id} ${axis}`, one] as const] : [])));
  }, [series, runs, axis]);
  return series;
}

function combined(queries: readonly UseQueryResult<Series>[]) {
  const failed = queries.find((query) => query.isError);
  return {
    series: queries.map((query) => query.data),
    failed: failed && { error: failed.error, retry: () => void failed.refetch() },
  };
}

/** From when it first comes near the window. */
function useSeen() {
  const ref = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!ref.current || seen) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
      },
      { rootMargin: '300px' },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [seen]);
  return { ref, seen };
}

/** The range of the server's axis: steps as they are, times of this run. */
function asked(run: ChartRun, { axis, range }: ChartSettings): Range | undefined {
  if (!range) return undefined;
  const [from, to] = axis === 'step' ? range : range.map((seconds) => run.startedAt + seconds * 1000);
  return { from: Math.floor(from ?? 0), to: Math.ceil(to ?? 0) };
}

function lineOf(
  { id, name, startedAt, colour, metrics }: ChartRun,
  place: number,
  { metric, series, whole }: { readonly metric: string; readonly series: Series; readonly whole: boolean },
): ChartLine {
  const last = whole ? metrics?.[metric] : undefined;
  const dash = colour ? undefined : dashes[Math.floor(place / colours.length) % dashes.length];
  return {
    ...{ id, name, startedAt, series },
    colour: colour ?? colours[place % colours.length] ?? 'ink',
    ...(dash && { dash }),
    ...(typeof last === 'number' && { last }),
  };
}

const totalOf = (points: readonly Stretch[]): number => points.reduce((sum, { points: n }) => sum + n, 0);

/** Without the cursor: what the metric wants, how much was thinned, and what could not be drawn. */
function about({ lines, marks, hidden }: ChartData, { axis }: ChartSettings, note = ''): string {
  const series = lines.map(({ line }) => line.series);
  const total = series.reduce((sum, { points }) => sum + totalOf(points), 0);
  const drawn = series.reduce((sum, { points }) => sum + points.length, 0);
  const width = Math.max(0, ...series.map((one) => one.width));
  const thinned = total > drawn && `${count(total)} points, min and max per ${sayWidth(axis, width)}`;
  const nan = marks.filter(({ kind }) => kind === 'nan').length;
  const infinite = marks.length - nan;
  return [
    nan > 0 && `NaN at ${count(nan)} ${nan === 1 ? 'place' : 'places'}`,
    infinite > 0 && `infinite at ${count(infinite)}`,
    hidden > 0 && `${count(hidden)} not above 0`,
    note,
    thinned,
  ]
    .filter((part) => part)
    .join('; ');
}

const sayWidth = (axis: ChartSettings['axis'], width: number): string =>
  axis === 'time' ? sayTime(width / 1000) : width === 1 ? 'step' : `${count(width)} steps`;

const sayX = (axis: ChartSettings['axis'], x: number): string =>
  axis === 'step' ? `step ${x.toLocaleString('en-US').replace('-', '−')}` : sayTime(x);

/** Under the cursor: each line's value, that of the line near it first. */
function sayAt(
  { columns, lines }: ChartData,
  {
    cursor,
    near,
    axis,
  }: { readonly cursor: number; readonly near: string | undefined; readonly axis: ChartSettings['axis'] },
): ReactNode {
  const x = columns[0]?.[cursor];
  if (x === undefined || x === null) return '';
  const nearFirst = lines.toSorted((a, b) => Number(b.line.id === near) - Number(a.line.id === near));
  const values = nearFirst.map(({ line, main, raw, band }) => {
    const value = columns[raw ?? main]?.[cursor];
    const low = band && columns[band.min]?.[cursor];
    const high = band && columns[band.max]?.[cursor];
    const spread = typeof low === 'number' && typeof high === 'number' && low !== high;
    return {
      line,
      text: typeof value === 'number' ? sayValue(value) : undefined,
      spread: spread ? ` (${sayValue(low)} to ${sayValue(high)})` : '',
    };
  });
  return (
    <>
      {sayX(axis, x)}:{' '}
      {values
        .filter(({ text }) => text !== undefined)
        .map(({ line, text, spread }, at) => (
          <span key={line.id}>
            {at > 0 && ', '}
            {(lines.length > mostLabels || (lines.length > 1 && line.colour !== 'challenger')) && `${line.name} `}
            <b>{text}</b>
            {spread}
          </span>
        ))}
    </>
  );
}

function summary(title: string, { lines }: ChartData): string {
  const ends = lines.map(({ line }) => {
    const last = line.last ?? line.series.points.findLast(({ value }) => value !== undefined)?.value;
    return `${line.name} ${last === undefined ? 'without a value' : sayValue(last)}`;
  });
  return `${title}: ${ends.join(', ')}. Arrow keys step through the points.`;
}

/** All that is drawn, by x. */
function tableOf({ columns, lines }: ChartData, { axis }: ChartSettings): TwinTable {
  const xs = (columns[0] ?? []) as readonly number[];
  const cell = (column: number | undefined, row: number): string => {
    const value = column === undefined ? undefined : columns[column]?.[row];
    return typeof value === 'number' ? sayValue(value) : '';
  };
  return {
    columns: [
      axis === 'step' ? 'Step' : 'Time',
      ...lines.flatMap(({ line, band }) => [
        line.name,
        ...(band ? [`${line.name} lowest`, `${line.name} highest`] : []),
      ]),
    ],
    rows: xs.map((x, row) => [
      axis === 'step' ? x : sayTime(x),
      ...lines.flatMap(({ line, main, raw, band }) => [
        [cell(raw ?? main, row), unusual(line, axis, x)].filter((part) => part !== '').join(', '),
        ...(band ? [cell(band.min, row), cell(band.max, row)] : []),
      ]),
    ]),
  };
}

function unusual(line: ChartLine, axis: ChartSettings['axis'], x: number): string {
  const point = line.series.points.find((candidate) => xOf(axis, line, candidate) === x);
  if (!point) return '';
  return [point.nan && 'NaN', point.above && 'infinite', point.below && '−infinite'].filter((part) => part).join(', ');
}

function Legend({ data }: { data: ChartData }) {
  const list = (
    <ul className="chart-legend">
      {data.lines.map(({ line }) => (
        <li key={line.id}>
          <svg width="18" height="3" aria-hidden="true">
            <path
              d="M0 1.5H18"
              stroke={`var(--${line.colour})`}
              strokeWidth="2"
              strokeDasharray={line.dash?.join(' ')}
            />
          </svg>
          {line.name}
        </li>
      ))}
    </ul>
  );
  if (data.lines.length <= mostLooks) return list;
  return (
    <details className="micro i2">
      <summary>{count(data.lines.length)} runs; the one near the pointer is named above</summary>
      {list}
    </details>
  );
}
