/** Drift: which features moved, since when, and does it matter? */
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { isOpen } from '../data/alerts.ts';
import { useEndpoints } from '../data/endpoints.ts';
import { type LoggedEvent, useEvents } from '../data/event.ts';
import { driftLine, type HealthLine, qualityLine, servingLine } from '../data/health.ts';
import { type DriftCell, type DriftFeature, disjointWindows, type Monitors, useMonitors } from '../data/monitors.ts';
import { isOver, type RolloutSummary, sayPlace, useRollouts } from '../data/rollouts.ts';
import { decimalsOf, sayMetric } from '../data/runs.ts';
import { count, day, fixed, percent, pValue, tidy } from '../format.ts';
import { type HeatCell, HeatGrid, HeatKey, type HeatMark } from '../parts/heat-grid.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { SeriesChart } from '../parts/series.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { TwinLinks, type TwinTable, TwinView } from '../parts/twin.tsx';
import { keysAreOff, typing } from '../shell/keys.ts';
import { FeatureDetail, sayMoved } from './drift/feature-detail.tsx';
import { OpenAlert } from './monitoring.tsx';

const allWindows = 400;
const columns = 10;

export function DriftPage() {
  const { endpoint = '' } = useParams({ strict: false });
  const monitors = useMonitors(endpoint, { limit: allWindows });
  return (
    <Loaded query={monitors} what={`the monitors of ${endpoint}`}>
      {(data) => <DriftView monitors={data} />}
    </Loaded>
  );
}

function DriftView({ monitors }: { monitors: Monitors }) {
  const endpoint = useEndpoints().data?.items.find(({ name }) => name === monitors.endpoint);
  const rollout = useRollouts().data?.items.find((one) => one.endpoint === monitors.endpoint && !isOver(one.state));
  const drift = driftLine(monitors);
  const lines = [qualityLine(monitors), endpoint && servingLine(endpoint, monitors)].filter(
    (line) => line !== undefined,
  );
  return (
    <>
      <PageHead
        title={headline(monitors, drift)}
        actions={
          rollout && (
            <Link className="btn primary" to="/rollouts/$id" params={{ id: rollout.id }}>
              Open v{rollout.challenger.version} rollout
            </Link>
          )
        }
      >
        {reasons(monitors, rollout, lines)}
      </PageHead>
      {monitors.alerts.filter(isOpen).map((alert) => (
        // The grid below says of each feature what a drift alert would.
        <OpenAlert key={alert.id} alert={alert} brief={alert.monitor === 'drift'} />
      ))}
      {monitors.drift.windows.length > 0 ? <Heat monitors={monitors} /> : <NotJudged monitors={monitors} />}
      <Quality monitors={monitors} />
    </>
  );
}

function headline({ endpoint, plan, drift }: Monitors, line: HealthLine | undefined): string {
  if (!plan.drift) return `Drift of ${endpoint} is not watched`;
  if (!line || line.mark === 'undecided') return `Drift of ${endpoint} is undecided: ${line?.why ?? 'no window yet'}`;
  const judged = drift.features.filter(({ state }) => state === 'calm' || state === 'over');
  const moved = judged.filter(({ state }) => state === 'over');
  if (moved.length === 0) return `None of ${judged.length} features of ${endpoint} has moved`;
  return `${moved.length} of ${judged.length} features ${moved.length === 1 ? 'has' : 'have'} moved ${line.why}`;
}

function reasons({ drift, alerts }: Monitors, rollout: RolloutSummary | undefined, lines: readonly HealthLine[]) {
  // An open alert says it below.
  const told = alerts.some((alert) => isOpen(alert) && alert.monitor === 'drift');
  const moved = told ? [] : drift.features.filter(({ state }) => state === 'over').slice(0, 2);
  return (
    <>
      {moved.map((one) => `${tidy(one.feature)} ${one.moved ? sayMoved(one.moved) : 'differs'}. `)}
      {rollout && (
        <b>
          v{rollout.challenger.version} is {sayPlace(rollout)}.{' '}
        </b>
      )}
      {lines.map(({ name, says, why }) => `${name}: ${says}${why ? `, ${why}` : ''}. `)}
    </>
  );
}

function NotJudged({ monitors }: { monitors: Monitors }) {
  const { drift } = monitors.plan;
  if (!drift) {
    return (
      <Nothing title="No drift monitor is declared">
        It compares what comes in with what the model was trained on, window by window.
        <code>monitors: {'{drift: {window: 7d, every: 1d, persist: 3}}'}</code>
      </Nothing>
    );
  }
  return (
    <Nothing title="No window could be judged yet">
      A window covers {Math.round(drift.windowMs / 86_400_000)} days of the endpoint’s time and needs{' '}
      {count(drift.minRows)} requests.
    </Nothing>
  );
}

function Heat({ monitors }: { monitors: Monitors }) {
  const search = useSearch({ strict: false }) as { open?: string; window?: unknown; back?: number }; // View state lives in the address.
  const { open, back = 0 } = search;
  const navigate = useNavigate();
  const [asTable, setAsTable] = useState(false);
  const all = disjointWindows(monitors, Number.POSITIVE_INFINITY);
  const hidden = Math.max(0, Math.min(all.length - columns, Number(back) || 0));
  const shown = all.slice(Math.max(0, all.length - columns - hidden), all.length - hidden);
  const windows = shown.map((index) => monitors.drift.windows[index]).filter((window) => window !== undefined);
  const marks = useMarks(monitors, windows);
  // The window that somebody chose; else the newest that counts, else the newest.
  const feature = monitors.drift.features.find((one) => one.feature === open);
  const wanted = shown.find((index) => monitors.drift.windows[index]?.start === Number(search.window));
  const told =
    wanted ??
    shown.findLast((index) => feature?.cells[index]?.state === 'over') ??
    shown.findLast((index) => feature?.cells[index]);
  const look = (next: { open?: string | undefined; window?: number | undefined; back?: number | undefined }) =>
    void navigate({
      to: '/monitoring/$endpoint',
      params: { endpoint: monitors.endpoint },
      search: {
        ...(open !== undefined && { open }),
        ...(wanted !== undefined && { window: monitors.drift.windows[wanted]?.start }),
        ...(hidden > 0 && { back: hidden }),
        ...next,
      } as never, // The page's own view state.
      replace: true,
      resetScroll: false,
    });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (keysAreOff() || typing(event.target) || event.ctrlKey || event.metaKey) return;
      if (event.key === '[') look({ back: hidden + 1 });
      if (event.key === ']') look({ back: hidden > 1 ? hidden - 1 : undefined });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  const table = (): TwinTable => twinOf(monitors, shown);
  const caption = `Drift of ${monitors.endpoint}, ${monitors.drift.features.length} features by ${windows.length} windows`;
  return (
    <section>
      {asTable ? (
        <TwinView caption={caption} table={table()} />
      ) : (
        <div className="wide">
          <HeatGrid
            caption={caption}
            windows={windows.map((window) => day(window.start))}
            marks={marks}
            rows={monitors.drift.features.map((feature) => ({
              name: feature.feature,
              cells: shown.map((index) => cellOf(feature.cells[index])),
              ...findingOf(feature, monitors),
            }))}
            open={open}
            column={told === undefined ? undefined : shown.indexOf(told)}
            onOpen={(name, column) =>
              look({
                open: name,
                window: column === undefined ? undefined : monitors.drift.windows[shown[column] ?? -1]?.start,
              })
            }
            detail={(name) => <FeatureDetail monitors={monitors} feature={name} shown={shown} told={told} />}
          />
        </div>
      )}
      <div className="twin">
        {asTable ? <span /> : <HeatKey />}
        {hidden > 0 && <span className="i3">{hidden} newer windows hidden; ] goes on</span>}
        <TwinLinks name={`drift-${monitors.endpoint}`} asTable={asTable} onChange={setAsTable} table={table} />
      </div>
    </section>
  );
}

function cellOf(cell: DriftCell | null | undefined): HeatCell {
  if (!cell) return { ratio: undefined, drifted: false, state: 'none', title: 'not judged against this version' };
  const { state, value, threshold, ratio, n, p } = cell;
  if (state !== 'calm' && state !== 'over') {
    return {
      ratio: undefined,
      drifted: false,
      state: 'impossible',
      title: `${state}: ${count(n)} rows`,
      why: state === 'too few rows' ? 'few rows' : state,
    };
  }
  const distance =
    value === undefined ? 'values missing' : `distance ${fixed(value, 3)}, threshold ${fixed(threshold, 3)}`;
  return {
    ratio,
    drifted: state === 'over',
    state: 'closed',
    title: `${distance}, ${count(n)} rows${p === undefined ? '' : `, p ${pValue(p)}`}`,
  };
}

function findingOf(
  { state, sinceEnd, moved, because, cells }: DriftFeature,
  { drift: { windows } }: Monitors,
): { sentence: string; loud: boolean } {
  switch (state) {
    case 'over':
      return {
        sentence: `${sinceEnd === undefined ? 'over' : `since ${day(sinceEnd)}`}${moved ? `, ${moved.kind}` : ''}`,
        loud: true,
      };
    case 'calm': {
      const wasOver = windows[cells.findLastIndex((cell) => cell?.state === 'over')];
      return { sentence: wasOver ? `calm since ${day(wasOver.end)}` : 'calm', loud: false };
    }
    case 'too short':
      return { sentence: 'needs whole weeks', loud: false };
    case 'too few rows':
      return { sentence: 'too few rows', loud: false };
    default:
      return { sentence: because ?? 'no values', loud: false };
  }
}

/** What happened to the traffic and the alerts while these windows passed. */
function useMarks(
  monitors: Monitors,
  windows: readonly { readonly start: number; readonly end: number }[],
): readonly HeatMark[] {
  const types = 'rollouts.promoted,rollouts.rolled-back,rollouts.step-entered,monitoring.alert-opened';
  const events = useEvents({ limit: 200, order: 'newest', types }).data?.items ?? [];
  // Of a rollout its end says enough, and its newest step while it runs.
  const told = new Set<string>();
  return events.flatMap((event) => {
    if (event.data['endpoint'] !== monitors.endpoint || event.endpointTime === undefined) return [];
    if (told.has(event.subject)) return [];
    told.add(event.subject);
    const column = windows.findIndex(
      ({ start, end }) => (event.endpointTime ?? 0) >= start && (event.endpointTime ?? 0) < end,
    );
    const window = windows[column];
    const word = window && wordOf(event);
    return word ? [{ ...word, at: column + (event.endpointTime - window.start) / (window.end - window.start) }] : [];
  });
}

function wordOf({ type, data }: LoggedEvent): Omit<HeatMark, 'at'> | undefined {
  const version = `v${String(data['version'])}`;
  if (type === 'rollouts.promoted') return { word: `${version} live`, colour: 'var(--champion)' };
  if (type === 'rollouts.rolled-back') return { word: `${version} out`, colour: 'var(--fail)' };
  if (type === 'monitoring.alert-opened') return { word: 'alert', colour: 'var(--ink)' };
  const share = Number(data['share']);
  return share > 0 ? { word: `${version} ${percent(share)}`, colour: 'var(--challenger)' } : undefined;
}

function twinOf(monitors: Monitors, shown: readonly number[]): TwinTable {
  const { drift } = monitors;
  return {
    columns: ['Feature', ...shown.map((index) => day(drift.windows[index]?.start ?? 0)), 'Finding'],
    rows: drift.features.map((feature) => [
      feature.feature,
      ...shown.map((index) => feature.cells[index]?.ratio?.toFixed(3) ?? feature.cells[index]?.state ?? 'none'),
      findingOf(feature, monitors).sentence,
    ]),
  };
}

/** How right the answers were, on the predictions whose truth is known. */
function Quality({ monitors }: { monitors: Monitors }) {
  const [asTable, setAsTable] = useState(false);
  const { plan, quality } = monitors;
  if (!plan.quality) return null;
  const valued = quality.flatMap((one) =>
    one.verdict.value === undefined ? [] : [{ ...one, value: one.verdict.value }],
  );
  const last = quality.at(-1);
  const decimals = decimalsOf(plan.quality.metric) - 1;
  const metric = sayMetric(plan.quality.metric);
  const limit = plan.quality.atLeast ?? plan.quality.atMost;
  if (!last || valued.length < 2) return null;
  const table = (): TwinTable => ({
    columns: ['Window from', 'to', metric, 'lower', 'upper', 'labelled rows', 'labels in', 'verdict'],
    rows: quality.map(({ start, end, verdict, coverage }) => [
      day(start),
      day(end),
      ...[verdict.value, verdict.lower, verdict.upper].map((value) =>
        value === undefined ? 'none' : fixed(value, decimals),
      ),
      verdict.n,
      percent(coverage, 0),
      verdict.outcome === 'inconclusive' ? 'undecided' : verdict.outcome,
    ]),
  });
  const finding = `${metric} per window, last ${last.verdict.value === undefined ? 'undecided' : fixed(last.verdict.value, decimals)}, limit ${limit ?? 'none'}`;
  return (
    <section className="below">
      <SectionHead
        title={`${metric} on labelled answers`}
        aside={`${tidy(last.verdict.reason)}; ${percent(last.coverage, 0)} of the labels are in`}
      />
      {asTable ? (
        <TwinView caption={finding} table={table()} />
      ) : (
        <div className="wide">
          <SeriesChart
            finding={finding}
            points={valued.map((one) => ({
              at: one.end,
              value: one.value,
              lower: one.verdict.lower,
              upper: one.verdict.upper,
              failed: one.verdict.outcome === 'fail',
            }))}
            limit={limit}
            decimals={decimals}
            width={820}
            height={120}
            axis
          />
        </div>
      )}
      <div className="twin">
        <span className="i3">The band is the 95 % interval of each window.</span>
        <TwinLinks name={`quality-${monitors.endpoint}`} asTable={asTable} onChange={setAsTable} table={table} />
      </div>
    </section>
  );
}
