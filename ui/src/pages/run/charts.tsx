/** What came out: the metrics in groups by their prefix, each over its steps beside the live model's run. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { decimalsOf, type Run, sayMetric } from '../../data/runs.ts';
import { useLiveSeries } from '../../data/series.ts';
import { count, difference } from '../../format.ts';
import { ChartTools, useChartSettings } from '../../parts/chart/chart-settings.tsx';
import { type ChartRun, MetricChart } from '../../parts/chart/metric-chart.tsx';
import { sayValue } from '../../parts/chart/plot.tsx';
import { SectionHead } from '../../parts/page-head.tsx';
import { Nothing } from '../../parts/states.tsx';
import { useTableKey } from '../../parts/twin.tsx';
import { groupsOf } from './metric-groups.ts';

export type Live = { readonly run: Run; readonly version: number };

/** From here on they need a filter. */
const many = 12;

export function Charts({ run, live }: { run: Run; live: Live | undefined }) {
  const [settings, change] = useChartSettings();
  const search = useSearch({ strict: false }) as { readonly metrics?: unknown }; // View state lives in the address.
  const navigate = useNavigate();
  const wanted = search.metrics === undefined ? '' : String(search.metrics);
  const [asTable, setAsTable] = useState(false);
  useTableKey(asTable, setAsTable);
  useLiveSeries(run.status === 'RUNNING' ? [run.id] : []);

  // What comes while the page is open stands after what is being read.
  const [first] = useState(() => new Set(Object.keys(run.metrics)));
  const keys = Object.keys(run.metrics);
  const shown = keys.filter((key) => key.toLowerCase().includes(wanted.toLowerCase()));
  const groups = groupsOf(shown, new Set(shown.filter((key) => !first.has(key))));
  const runs = useMemo(
    (): readonly ChartRun[] => [
      { id: run.id, name: run.name, startedAt: run.startedAt, metrics: run.metrics, colour: 'challenger' },
      ...(live ? [{ ...live.run, name: `v${live.version}`, colour: 'champion' }] : []),
    ],
    [run.id, run.name, run.startedAt, run.metrics, live],
  );
  if (keys.length === 0)
    return (
      <Nothing title="It has logged no metric">mlflow.log_metric("auc", value, step=i) draws a line here.</Nothing>
    );
  return (
    <>
      <div className="chart-tools">
        {keys.length > many && (
          <input
            type="search"
            className="field query"
            placeholder={`Find among ${count(keys.length)} metrics`}
            aria-label="Find metrics"
            defaultValue={wanted}
            onChange={(event) => {
              const metrics = event.currentTarget.value || undefined;
              void navigate({
                to: '.',
                search: ((before: object) => ({ ...before, metrics })) as never,
                replace: true,
                resetScroll: false,
              });
            }}
          />
        )}
        <ChartTools settings={settings} onChange={change} />
        <button type="button" className="as-link link at-end" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show as charts' : 'Show as tables'}
        </button>
      </div>
      {shown.length === 0 && <Nothing title={`No metric’s name has “${wanted}” in it`} />}
      {groups.map(({ name, keys: members, isSystem }) => (
        <details key={name} open={!isSystem} className="metric-group">
          <summary hidden={groups.length === 1 && name === ''}>
            {name === '' ? 'Metrics' : name} <span className="i3">{count(members.length)}</span>
          </summary>
          <div className="charts">
            {members.map((key) => (
              <MetricChart
                key={key}
                metric={key}
                title={titleOf(key, name)}
                note={noteOf(key)}
                runs={key in (live?.run.metrics ?? {}) ? runs : runs.slice(0, 1)}
                settings={settings}
                onChange={change}
                asTable={asTable}
                single={<SingleValue name={key} title={titleOf(key, name)} run={run} live={live} />}
              />
            ))}
          </div>
        </details>
      ))}
    </>
  );
}

/** Without the prefix that stands above it. */
const titleOf = (key: string, group: string): string => sayMetric(group === '' ? key : key.slice(group.length + 1));

function noteOf(key: string): string {
  if (/loss|seconds|error|rmse|mae|mse/.test(key)) return 'lower is better';
  return /auc|acc|f1|precision|recall|r2/.test(key) ? 'higher is better' : '';
}

function SingleValue({ name, title, run, live }: { name: string; title: string; run: Run; live: Live | undefined }) {
  const value = run.metrics[name];
  const compared = live?.run.metrics[name];
  const gap = typeof value === 'number' && typeof compared === 'number' ? value - compared : undefined;
  return (
    <div className="value-line">
      <h3>{title}</h3>
      <b>{typeof value === 'number' ? sayValue(value) : 'NaN'}</b>
      {gap !== undefined && (
        <span className="small i3">
          {difference(gap, decimalsOf(name))} to v{live?.version}
        </span>
      )}
    </div>
  );
}

export function ChartsHead({ live }: { live: Live | undefined }) {
  return <SectionHead title="What came out" aside={live && `ink is the run of v${live.version}, the live model`} />;
}
