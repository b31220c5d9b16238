/** What the monitoring pages show: features by windows, and the other monitors over time. */
import { type Static, Type } from 'typebox';
import { clock, list, maybe, share, time } from '../http/view.ts';
import { binsView, countsView, versionRefView } from '../serving/endpoint-view.ts';
import { fairnessMetrics } from '../statistics/fairness.ts';
import { metricNames } from '../statistics/metric.ts';
import { verdictView } from '../statistics/verdict.ts';
import { alertStates, type MonitorKind, monitorKinds } from './alert.ts';
import type { FeatureDrift } from './drift.ts';
import type { WindowResult } from './judge-windows.ts';
import type { StoredWindow } from './monitor-store.ts';

export function driftView(windows: readonly StoredWindow[]) {
  const ofDrift = windows.flatMap(({ result, ...window }) =>
    result.monitor === 'drift' ? [{ ...window, features: result.features }] : [],
  );
  const names = [...new Set(ofDrift.flatMap((window) => window.features.map((one) => one.feature)))];
  const features = names.map((feature) => {
    const cells = ofDrift.map((window) => window.features.find((one) => one.feature === feature));
    const last = cells.findLast((cell) => cell !== undefined);
    return {
      feature,
      method: last?.method,
      state: last?.state,
      moved: last?.moved,
      because: last?.because,
      sinceEnd: sinceOf(
        ofDrift.map((window) => window.end),
        cells,
      ),
      cells: cells.map(cellOf),
    };
  });
  return {
    windows: ofDrift.map(({ start, end, rows, version }) => ({ start, end, rows, version })),
    // The most drifted first; what cannot be judged last.
    features: features.sort((a, b) => greatestOf(b.cells) - greatestOf(a.cells)),
  };
}

export function seriesView<Monitor extends MonitorKind>(windows: readonly StoredWindow[], monitor: Monitor) {
  return windows.flatMap(({ start, end, rows, version, result }) =>
    isOf(result, monitor) ? [{ start, end, rows, version, ...result }] : [],
  );
}

const isOf = <Monitor extends MonitorKind>(
  result: WindowResult,
  monitor: Monitor,
): result is Extract<WindowResult, { readonly monitor: Monitor }> => result.monitor === monitor;

const cellOf = (cell: FeatureDrift | undefined) =>
  cell && {
    state: cell.state,
    n: cell.n,
    value: cell.value,
    threshold: cell.threshold,
    ratio: cell.ratio,
    p: cell.p,
    noise: cell.noise,
    moved: cell.moved,
    missing: cell.missing,
    quantiles: cell.quantiles,
  };

/** The end of the first window of the present run over the threshold. */
function sinceOf(ends: readonly number[], cells: readonly (FeatureDrift | undefined)[]): number | undefined {
  let since: number | undefined;
  for (const [i, cell] of cells.entries()) since = cell?.state === 'over' ? (since ?? ends[i]) : undefined;
  return since;
}

const greatestOf = (cells: readonly ({ readonly ratio: number | undefined } | undefined)[]) =>
  Math.max(0, ...cells.map((cell) => cell?.ratio ?? 0));

const number = (description?: string) => maybe(Type.Number(description === undefined ? {} : { description }));

export const alertView = Type.Object(
  {
    id: Type.String(),
    identity: Type.String({ description: '`endpoint/monitor`' }),
    endpoint: Type.String(),
    project: Type.String(),
    monitor: Type.Enum([...monitorKinds]),
    model: Type.String(),
    version: Type.Integer(),
    severity: Type.Enum(['page', 'ticket']),
    state: Type.Enum([...alertStates]),
    title: Type.String({ description: 'What happened, and in which direction' }),
    items: list(
      Type.Object({
        name: Type.String(),
        value: number(),
        threshold: number(),
        ratio: number('Value over threshold'),
        says: Type.String(),
      }),
      { description: 'What fires: the features that moved, the groups, or the metric' },
    ),
    openedAt: time(),
    openedClock: clock('End of the window that opened it'),
    lastSeenClock: clock('End of the last window in which it fired'),
    acknowledgedBy: maybe(Type.String()),
    resolvedAt: maybe(time()),
    resolvedClock: maybe(clock()),
    resolution: maybe(Type.String()),
    evidence: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What was measured when it opened or last changed',
    }),
  },
  { title: 'Alert' },
);

const windows = {
  windowMs: Type.Number({ description: 'Milliseconds' }),
  everyMs: Type.Number({ description: 'Milliseconds' }),
};
const ofLabels = {
  maturityMs: Type.Number({
    description: 'The age in milliseconds from which a prediction has its label, if it gets one',
  }),
  threshold: Type.Number({ description: 'A score at or above it is a predicted 1' }),
  minRows: Type.Integer({ description: 'What has fewer labels is not judged' }),
};

const planView = Type.Object(
  {
    drift: maybe(
      Type.Object({
        ...windows,
        persist: Type.Integer({ description: 'So many windows in a row must be over before it is an alert' }),
        features: Type.Union([Type.Literal('all'), list(Type.String())]),
        minRows: Type.Integer({ description: 'A window with fewer rows is not judged' }),
      }),
    ),
    quality: maybe(
      Type.Object({
        ...windows,
        ...ofLabels,
        metric: Type.Enum([...metricNames]),
        atLeast: number(),
        atMost: number(),
      }),
    ),
    fairness: maybe(
      Type.Object({
        ...windows,
        ...ofLabels,
        metric: Type.Enum([...fairnessMetrics]),
        column: Type.String(),
        cuts: maybe(list(Type.Number(), { description: 'Make groups of a number; absent: each value is a group' })),
        atMost: Type.Number(),
      }),
    ),
    service: maybe(
      Type.Object({
        ...windows,
        availability: maybe(share('Of the answers that are right and in time')),
        latency: maybe(Type.Object({ quantile: Type.Number(), belowMs: Type.Number({ description: 'Milliseconds' }) })),
      }),
    ),
  },
  { title: 'MonitorPlan', description: 'What is watched; a monitor that is not asked for is absent' },
);

const windowView = Type.Object({
  start: clock(),
  end: clock('Exclusive'),
  rows: Type.Integer(),
  version: versionRefView,
});

const movedView = Type.Union([
  Type.Object({ kind: Type.Enum(['lower', 'higher']), from: Type.Number(), to: Type.Number() }),
  Type.Object({
    kind: Type.Enum(['more', 'fewer'], { description: 'Of a category; then the ends are shares' }),
    category: Type.String(),
    from: Type.Number(),
    to: Type.Number(),
  }),
]);

const driftState = Type.Enum(['calm', 'over', 'too few rows', 'too short', 'no values']);

const cell = Type.Object(
  {
    state: driftState,
    n: Type.Integer({ description: 'Values in the window' }),
    value: number('The distance; absent where it was not judged'),
    threshold: Type.Number(),
    ratio: number('Distance over threshold: above 1 is over'),
    p: number('Chance of such a distance without drift, after Holm over the features'),
    noise: number(),
    moved: maybe(movedView),
    missing: maybe(Type.Object({ reference: share('Without a value in training'), current: share('Without a value') })),
    quantiles: maybe(Type.Object({ p10: Type.Number(), p50: Type.Number(), p90: Type.Number() })),
  },
  { title: 'DriftCell' },
);
/** JSON has null where a list has nothing. */
const cellView = Type.Unsafe<Static<typeof cell> | undefined>(
  Type.Union([cell, Type.Null({ description: 'The window did not look at the feature' })]),
);

const seriesOf = <T extends Parameters<typeof Type.Object>[0]>(monitor: T) =>
  list(Type.Object({ ...windowView.properties, ...monitor }));

export const monitorsView = Type.Object(
  {
    endpoint: Type.String(),
    plan: planView,
    version: maybe(versionRefView),
    clock: clock('Now'),
    drift: Type.Object({
      windows: list(windowView, { description: 'Oldest first' }),
      features: list(
        Type.Object({
          feature: Type.String(),
          method: maybe(Type.Enum(['Kolmogorov–Smirnov', 'Jensen–Shannon'])),
          state: maybe(driftState),
          moved: maybe(movedView),
          because: maybe(Type.String({ description: 'What made the threshold' })),
          sinceEnd: maybe(clock('End of the first window of the present run over the threshold')),
          cells: list(cellView, { description: 'One a window' }),
        }),
        { description: 'The most drifted first' },
      ),
    }),
    quality: seriesOf({
      monitor: Type.Literal('quality'),
      verdict: verdictView,
      metric: Type.String(),
      coverage: share('Of the scored rows, those whose label has come'),
    }),
    fairness: seriesOf({
      monitor: Type.Literal('fairness'),
      verdict: verdictView,
      column: Type.String(),
      groups: list(
        Type.Object({
          group: Type.String(),
          rows: Type.Integer(),
          trials: Type.Integer({ description: 'Rows that the rate is a share of' }),
          rate: number('0 to 1; absent where nothing could be counted'),
          lower: number(),
          upper: number(),
          tooSmall: Type.Boolean({ description: 'To be judged' }),
        }),
      ),
    }),
    service: seriesOf({
      monitor: Type.Literal('service'),
      availability: maybe(verdictView),
      latency: maybe(verdictView),
    }),
    alerts: list(alertView, { description: 'The open ones' }),
  },
  { title: 'Monitors' },
);

export const featureDriftView = Type.Object(
  {
    feature: Type.String(),
    version: versionRefView,
    reference: Type.Object(
      {
        bins: binsView,
        counts: countsView,
        days: Type.Integer(),
      },
      { description: 'What the version was trained on' },
    ),
    windows: list(windowView),
    cells: list(cellView, { description: 'One a window; none where no window looked at the feature' }),
  },
  { title: 'FeatureDrift' },
);
