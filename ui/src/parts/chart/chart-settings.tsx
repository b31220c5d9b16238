/** How the charts of a page are drawn, all of them alike; it stands in the address. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { Axis } from '../../data/series.ts';

export type ChartSettings = {
  readonly axis: Axis;
  readonly log: boolean;
  /** Share of the range that the smoothed line reaches over; 0 draws the values alone. */
  readonly smoothing: number;
  /** Of x: steps, or seconds since the run began. */
  readonly range: readonly [number, number] | undefined;
};

type Search = Readonly<Record<string, unknown>>;
export type ChangeSettings = (next: Partial<ChartSettings>) => void;

const smoothings = [0, 0.01, 0.03, 0.1];

export function useChartSettings(): readonly [ChartSettings, ChangeSettings] {
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const navigate = useNavigate();
  const settings = useMemo(() => settingsOf(search), [search]);
  const change = useCallback(
    (next: Partial<ChartSettings>) =>
      // The page stays; only what it shows of itself changes.
      void navigate({
        to: '.',
        search: ((before: Search) => searchOf({ ...settingsOf(before), ...next }, before)) as never,
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return [settings, change];
}

function settingsOf(search: Search): ChartSettings {
  const from = numberIn(search['from']);
  const to = numberIn(search['to']);
  return {
    axis: search['axis'] === 'time' ? 'time' : 'step',
    log: search['scale'] === 'log',
    smoothing: Math.min(0.5, Math.max(0, numberIn(search['smooth']) ?? 0)),
    range: from !== undefined && to !== undefined && from < to ? [from, to] : undefined,
  };
}

/** What is as it always is stays out of the address. */
function searchOf({ axis, log, smoothing, range }: ChartSettings, before: Search): Search {
  const { axis: _a, scale: _s, smooth: _m, from: _f, to: _t, ...others } = before;
  return {
    ...others,
    ...(axis === 'time' && { axis }),
    ...(log && { scale: 'log' }),
    ...(smoothing > 0 && { smooth: smoothing }),
    ...(range && { from: tidy(range[0]), to: tidy(range[1]) }),
  };
}

const tidy = (x: number): number => Number(x.toPrecision(10));
const numberIn = (value: unknown): number | undefined => {
  const number = value === undefined || value === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
};

/** The controls over a set of charts. */
export function ChartTools({ settings, onChange }: { settings: ChartSettings; onChange: ChangeSettings }) {
  const levels = smoothings.includes(settings.smoothing) ? smoothings : [...smoothings, settings.smoothing];
  return (
    <>
      <label>
        Axis
        <select
          value={settings.axis}
          onChange={(event) => onChange({ axis: event.currentTarget.value as Axis, range: undefined })} // one of the options below
        >
          <option value="step">steps</option>
          <option value="time">time since start</option>
        </select>
      </label>
      <label>
        Scale
        <select
          value={settings.log ? 'log' : 'linear'}
          onChange={(event) => onChange({ log: event.currentTarget.value === 'log' })}
        >
          <option value="linear">linear</option>
          <option value="log">logarithmic</option>
        </select>
      </label>
      <label>
        Smoothing
        <select
          value={settings.smoothing}
          onChange={(event) => onChange({ smoothing: Number(event.currentTarget.value) })}
        >
          {levels.map((level) => (
            <option key={level} value={level}>
              {level === 0 ? 'none' : `over ${Number((level * 100).toPrecision(2))} %`}
            </option>
          ))}
        </select>
      </label>
      {settings.range && (
        <button type="button" className="as-link link" onClick={() => onChange({ range: undefined })}>
          Show all
        </button>
      )}
    </>
  );
}
