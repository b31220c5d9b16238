/** Compare: what is different between these runs, and what came of it? */
import './runs/runs.css';
import './compare/compare.css';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { type ListedRun, useRunsNow } from '../data/run-list.ts';
import { leadingMetric, type Run, sayMetric } from '../data/runs.ts';
import { count } from '../format.ts';
import { ChartTools, useChartSettings } from '../parts/chart/chart-settings.tsx';
import { MetricChart } from '../parts/chart/metric-chart.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { TwinLinks, type TwinTable, TwinView } from '../parts/twin.tsx';
import { type Field, fieldsOf, placeOn, rangesIn, sayPlace } from './compare/fields.ts';
import { Parallel } from './compare/parallel.tsx';
import { Scatter } from './compare/scatter.tsx';
import { CompareTable } from './compare/table.tsx';
import { differences } from './runs/columns.ts';

type Search = Readonly<Record<string, unknown>>;

const views = [
  ['table', 'Table'],
  ['parallel', 'Parallel axes'],
  ['scatter', 'Scatter'],
  ['curves', 'Curves'],
] as const;

/** More axes than these make lines that nobody follows. */
const usualAxes = 8;
const mostCharts = 40;

export function ComparePage() {
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const ids = useMemo(
    () =>
      String(search['runs'] ?? '')
        .split(',')
        .filter(Boolean),
    [search],
  );
  const runs = useRunsNow(ids);
  if (ids.length === 0) return <NothingChosen />;
  return (
    <Loaded query={runs} what="the runs">
      {(items) => {
        // In the order in which they were chosen.
        const found = ids.flatMap((id) => items.find((run) => run.id === id) ?? []);
        return found.length === 0 ? <NothingChosen /> : <Compare runs={found} asked={ids.length} search={search} />;
      }}
    </Loaded>
  );
}

const NothingChosen = () => (
  <Nothing title="No runs to compare">
    <p className="i2">Select two or more in the list, then press c.</p>
    <Link className="link" to="/runs">
      To the runs
    </Link>
  </Nothing>
);

type CompareProps = { readonly runs: readonly ListedRun[]; readonly asked: number; readonly search: Search };

function Compare({ runs, asked, search }: CompareProps) {
  const navigate = useNavigate();
  const view = views.find(([id]) => id === search['show'])?.[0] ?? 'table';
  const look = (next: Search) =>
    void navigate({
      to: '/compare',
      search: ((before: Search) => cleaned({ ...before, ...next })) as never, // the page's own view state
      resetScroll: false,
    });
  const fields = useMemo(() => fieldsOf(runs), [runs]);
  const onlyDifferences = search['equal'] !== true;
  return (
    <>
      <Head runs={runs} gone={asked - runs.length} />
      <div className="compare-views">
        <fieldset className="segments" aria-label="Show as">
          {views.map(([id, title]) => (
            <button
              key={id}
              type="button"
              aria-pressed={view === id}
              onClick={() => look({ show: id === 'table' ? '' : id })}
            >
              {title}
            </button>
          ))}
        </fieldset>
        {view === 'table' && (
          <label className="toggle">
            <input
              type="checkbox"
              checked={onlyDifferences}
              onChange={(event) => look({ equal: event.currentTarget.checked ? '' : true })}
            />{' '}
            Differences only
          </label>
        )}
      </div>
      {view === 'table' && <CompareTable runs={runs} onlyDifferences={onlyDifferences} />}
      {view === 'parallel' && <ParallelView runs={runs} fields={fields} search={search} look={look} />}
      {view === 'scatter' && <ScatterView runs={runs} fields={fields} search={search} look={look} />}
      {view === 'curves' && <Curves runs={runs} />}
    </>
  );
}

const cleaned = (search: Search): Search =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== '' && value !== undefined));

function Head({ runs, gone }: { runs: readonly Run[]; gone: number }) {
  const differing = differences(runs);
  const params = new Set(runs.flatMap((run) => Object.keys(run.params))).size;
  const experiments = new Set(runs.map(({ experimentId }) => experimentId));
  const [experiment] = experiments;
  const names = differing.slice(0, 6).map((key) => sayMetric(key).toLowerCase());
  return (
    <PageHead
      title={
        runs.length === 1
          ? `${runs[0]?.name} has nothing beside it`
          : `${count(runs.length)} runs: ${differing.length} of ${params} inputs differ`
      }
      actions={
        experiments.size === 1 && experiment !== undefined ? (
          <Link className="btn" to="/experiments/$experiment" params={{ experiment }}>
            Back to the runs
          </Link>
        ) : (
          <Link className="btn" to="/runs">
            Back to the runs
          </Link>
        )
      }
    >
      {runs.length > 1 &&
        (differing.length > 0
          ? `They differ in ${names.join(', ')}${differing.length > names.length ? ' and more' : ''}.`
          : 'What came out differs for another reason than the params.')}
      {gone > 0 && ` ${count(gone)} of those asked for ${gone === 1 ? 'is' : 'are'} not there, or deleted.`}
    </PageHead>
  );
}

type ViewProps = {
  readonly runs: readonly Run[];
  readonly fields: readonly Field[];
  readonly search: Search;
  readonly look: (next: Search) => void;
};

function ParallelView({ runs, fields, search, look }: ViewProps) {
  const [asTable, setAsTable] = useState(false);
  const chosen = search['axes'] === undefined ? undefined : String(search['axes']).split(',');
  const axes = chosen ? fields.filter(({ id }) => chosen.includes(id)) : usual(runs, fields);
  const shown = axes.map(({ id }) => id);
  return (
    <>
      <div className="axes-picker">
        {fields.map(({ id, title }) => (
          <label key={id} className="toggle">
            <input
              type="checkbox"
              checked={shown.includes(id)}
              onChange={() =>
                look({ axes: (shown.includes(id) ? shown.filter((one) => one !== id) : [...shown, id]).join(',') })
              }
            />{' '}
            {title}
          </label>
        ))}
        <TwinLinks name="runs" asTable={asTable} onChange={setAsTable} table={() => twinOf(runs, axes)} />
      </div>
      {asTable ? (
        <TwinView caption="The runs over the axes" table={twinOf(runs, axes)} />
      ) : (
        <Parallel
          runs={runs}
          fields={axes}
          ranges={rangesIn(search['ranges'])}
          onRanges={(ranges) => look({ ranges: Object.keys(ranges).length > 0 ? ranges : '' })}
          onKeep={(kept) => look({ runs: kept.map(({ id }) => id).join(','), ranges: '' })}
        />
      )}
    </>
  );
}

/** What went in, then the leading metrics. */
function usual(runs: readonly Run[], fields: readonly Field[]): readonly Field[] {
  const lead = leadingMetric(runs)?.key;
  const metrics = fields
    .filter(({ kind }) => kind === 'metric')
    .toSorted((a, b) => Number(b.id === `metrics.${lead}`) - Number(a.id === `metrics.${lead}`))
    .slice(0, 3);
  const params = fields.filter(({ kind }) => kind === 'param').slice(0, usualAxes - metrics.length);
  return [...params, ...metrics];
}

function ScatterView({ runs, fields, search, look }: ViewProps) {
  const navigate = useNavigate();
  const [asTable, setAsTable] = useState(false);
  const named = (key: string) => fields.find(({ id }) => id === search[key]);
  const lead = leadingMetric(runs)?.key;
  const y = named('y') ?? fields.find(({ id }) => id === `metrics.${lead}`) ?? fields.at(-1);
  const x = named('x') ?? fields.find(({ id }) => id !== y?.id);
  if (!x || !y)
    return <p className="i2">The runs differ in fewer than two values: there is nothing to draw between.</p>;
  const colour = named('colour');
  const axes = [...new Set([x, y, ...(colour ? [colour] : [])])];
  return (
    <>
      {asTable ? (
        <TwinView caption={`${y.title} over ${x.title}`} table={twinOf(runs, axes)} />
      ) : (
        <Scatter
          {...{ runs, fields, x, y, colour }}
          onAxes={(next) => look(next)}
          onOpen={({ id }) => void navigate({ to: '/runs/$run', params: { run: id } })}
        />
      )}
      <TwinLinks name="runs" asTable={asTable} onChange={setAsTable} table={() => twinOf(runs, axes)} />
    </>
  );
}

const twinOf = (runs: readonly Run[], fields: readonly Field[]): TwinTable => ({
  columns: ['Run', ...fields.map(({ title }) => title)],
  rows: runs.map((run) => [run.name, ...fields.map((field) => sayPlace(field, placeOn(field, run)))]),
});

function Curves({ runs }: { runs: readonly ListedRun[] }) {
  const [settings, onChange] = useChartSettings();
  const [asTable, setAsTable] = useState(false);
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))];
  if (metrics.length === 0) return <p className="i2">None of these runs has a metric.</p>;
  return (
    <>
      <div className="compare-tools">
        <ChartTools settings={settings} onChange={onChange} />
        <button type="button" className="as-link link" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show as charts' : 'Show as tables'}
        </button>
      </div>
      <div className="charts">
        {metrics.slice(0, mostCharts).map((metric) => (
          <MetricChart
            key={metric}
            metric={metric}
            title={sayMetric(metric)}
            runs={runs}
            settings={settings}
            onChange={onChange}
            asTable={asTable}
          />
        ))}
      </div>
      {metrics.length > mostCharts && (
        <p className="small i3">
          {count(mostCharts)} of {count(metrics.length)} metrics; the others are in the table.
        </p>
      )}
    </>
  );
}
