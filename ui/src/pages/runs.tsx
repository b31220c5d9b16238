/** Run list: which run is best, and what made it so? */
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useVersionsByRun } from '../data/models.ts';
import { bestRun, decimalsOf, leadingMetric, type Run, sayMetric, useExperiments, useRuns } from '../data/runs.ts';
import { count, fixed } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { keysAreOff, typing } from '../shell/keys.ts';
import { Compare } from './runs/compare.tsx';
import { differences, RunTable } from './runs/run-table.tsx';

const pageSize = 100;

type Search = { readonly filter?: string; readonly experiment?: string; readonly compare?: string };

export function RunsPage() {
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const navigate = useNavigate();
  const filter = search.filter === undefined ? '' : String(search.filter);
  const wanted = search.experiment === undefined ? undefined : String(search.experiment);
  const [draft, setDraft] = useState(filter);
  const experiments = useExperiments();
  const runs = useRuns({ limit: pageSize, ...(wanted && { experiment: wanted }), ...(filter && { filter }) });
  const { shown, waiting, show } = useStillRows(
    runs.isPlaceholderData ? undefined : runs.data?.items,
    `${wanted} ${filter}`,
  );
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const look = (next: Search) => void navigate({ to: '/experiments', search: clean({ ...search, ...next }) as never }); // The page's own view state.
  const chosen = shown.filter(({ id }) => selected.has(id));
  const toggle = (id: string) =>
    setSelected((before) => new Set(before.has(id) ? [...before].filter((one) => one !== id) : [...before, id]));
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (keysAreOff() || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'c' && selected.size > 1) look({ compare: [...selected].join(',') });
      const row = document.activeElement?.closest('tr')?.dataset['run'];
      if (event.key === 'x' && row) toggle(row);
      if (event.key === 'Escape' && search.compare) look({ compare: '' });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  const compared = search.compare
    ? (runs.data?.items ?? []).filter(({ id }) => String(search.compare).split(',').includes(id))
    : [];
  if (compared.length > 1) return <Compare runs={compared} onBack={() => look({ compare: '' })} />;
  return (
    <>
      <RunsHead runs={shown} more={runs.data?.next !== undefined} />
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          look({ filter: draft });
        }}
      >
        <input
          type="search"
          className="btn query mono"
          aria-label="Filter runs"
          placeholder="metrics.auc > 0.5 and attributes.status != 'RUNNING'"
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
        />
        <button type="submit" className="btn">
          Filter
        </button>
        {(experiments.data?.items.length ?? 0) > 1 && (
          <select
            className="btn"
            aria-label="Experiment"
            value={wanted ?? ''}
            onChange={(event) => look({ experiment: event.currentTarget.value })}
          >
            <option value="">All experiments</option>
            {experiments.data?.items.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </form>
      <Loaded query={runs} what="the runs">
        {() =>
          shown.length > 0 ? (
            <RunTable runs={shown} selected={selected} onSelect={toggle} />
          ) : filter ? (
            <Nothing title="No run matches this filter">
              <button
                type="button"
                className="btn"
                onClick={() => {
                  setDraft('');
                  look({ filter: '' });
                }}
              >
                Clear the filter
              </button>
            </Nothing>
          ) : (
            <Nothing title="No runs yet">
              <Link className="link" to="/start">
                Send a first run
              </Link>
            </Nothing>
          )
        }
      </Loaded>
      <div className="table-foot">
        <span>
          {count(shown.length)} {shown.length === 1 ? 'run' : 'runs'}
          {runs.data?.next !== undefined && ', the newest; a filter finds the others'}
        </span>
        {waiting > 0 && (
          <button type="button" className="new" onClick={show}>
            {waiting} new {waiting === 1 ? 'run' : 'runs'}
          </button>
        )}
        {shown.length > 0 && (
          <span className="keys">
            <kbd>j</kbd> <kbd>k</kbd> move <kbd>x</kbd> select <kbd>c</kbd> compare
          </span>
        )}
      </div>
      {chosen.length > 0 && (
        <div className="compare-bar" role="status">
          <b className="m">{count(chosen.length)} selected</b>
          <span className="i2">{chosen.length > 1 ? differ(chosen) : 'select another to compare'}</span>
          <button type="button" className="btn quiet" onClick={() => setSelected(new Set())}>
            Clear
          </button>
          {chosen.length > 1 && (
            <button
              type="button"
              className="btn primary"
              onClick={() => look({ compare: chosen.map(({ id }) => id).join(',') })}
            >
              Compare
            </button>
          )}
        </div>
      )}
    </>
  );
}

const clean = (search: Search): Search =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== ''));

function differ(runs: readonly Run[]): string {
  const keys = differences(runs);
  if (keys.length === 0) return 'all inputs are equal';
  return `${keys.length} ${keys.length === 1 ? 'input differs' : 'inputs differ'}: ${keys
    .slice(0, 4)
    .map((key) => sayMetric(key).toLowerCase())
    .join(', ')}${keys.length > 4 ? ' and more' : ''}`;
}

/** Rows stay where they are until somebody asks: numbers change in place, new runs wait behind a pill. @param about another query begins anew */
function useStillRows(items: readonly Run[] | undefined, about: string) {
  const [order, setOrder] = useState<{ about: string; ids: readonly string[] }>();
  const ids = items?.map(({ id }) => id);
  const current = order?.about === about ? order.ids : undefined;
  useEffect(() => {
    if (ids && (current === undefined || current.length === 0) && ids.length > 0) setOrder({ about, ids });
  });
  const known = new Set(current);
  const byId = new Map((items ?? []).map((run) => [run.id, run]));
  return {
    shown: current ? current.flatMap((id) => byId.get(id) ?? []) : (items ?? []),
    waiting: current === undefined || current.length === 0 ? 0 : (ids ?? []).filter((id) => !known.has(id)).length,
    show: () => setOrder({ about, ids: ids ?? [] }),
  };
}

function RunsHead({ runs, more }: { runs: readonly Run[]; more: boolean }) {
  const versions = useVersionsByRun();
  const metric = leadingMetric(runs);
  const best = metric && bestRun(runs, metric);
  const value = best && metric && best.metrics[metric.key];
  const became = runs.filter(({ id }) => versions.has(id)).length;
  const keys = differences(runs)
    .slice(0, 4)
    .map((key) => sayMetric(key).toLowerCase());
  const title =
    best && metric && typeof value === 'number'
      ? `Best so far: ${best.name}, ${sayMetric(metric.key)} ${fixed(value, decimalsOf(metric.key) - 1)}`
      : runs.length === 0
        ? 'No runs'
        : 'Runs without a metric to compare';
  return (
    <PageHead title={title}>
      {count(runs.length)}
      {more && ' and more'} {runs.length === 1 ? 'run' : 'runs'}, {count(became)} became{' '}
      {became === 1 ? 'a version' : 'versions'}.{keys.length > 0 && ` They differ in ${keys.join(', ')}.`}
    </PageHead>
  );
}
