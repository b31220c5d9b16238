/** Run list: which run is best, and what made it so? */
import './runs/runs.css';
import { useElementSize } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { ApiProblem } from '../data/api.ts';
import { useVersionsByRun } from '../data/models.ts';
import { type RunScope, useArrived, useBest, useGroups, useNewest, useRunKeys, useTotal } from '../data/run-list.ts';
import { decimalsOf, leadingMetric, type Run, sayMetric, sayMetricValue, useExperiment } from '../data/runs.ts';
import { count } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Failed, Loading, Nothing } from '../parts/states.tsx';
import { keysAreOff, typing } from '../shell/keys.ts';
import { ColumnPicker } from './runs/column-picker.tsx';
import { columnOf, differences, inOrder, usualColumns } from './runs/columns.ts';
import { FilterBox } from './runs/filter-box.tsx';
import { GroupPicker } from './runs/group-picker.tsx';
import { RunTable } from './runs/run-table.tsx';
import { SelectionBar } from './runs/selection-bar.tsx';
import type { ReadRows } from './runs/use-run-rows.ts';
import { useSelection } from './runs/use-selection.ts';
import { field, type RunView, type Search, searchOf, viewOf } from './runs/view.ts';

const none: readonly never[] = [];
const dayMs = 86_400_000;
/** Of the page, until it is measured. */
const usualWidth = 1072;

export function RunsPage() {
  const { experiment } = useParams({ strict: false });
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const navigate = useNavigate();
  const queries = useQueryClient();
  const view = useMemo(() => viewOf(search), [search]);
  const look = useCallback(
    (next: Partial<RunView>, options: { replace?: boolean } = {}) =>
      // The page stays; only what it shows of itself changes.
      void navigate({ to: '.', search: ((before: Search) => searchOf(next, before)) as never, ...options }),
    [navigate],
  );
  const everyRun = useMemo(
    (): RunScope => ({
      ...(experiment !== undefined && { experiment }),
      ...(view.filter && { filter: view.filter }),
    }),
    [experiment, view.filter],
  );
  const scope = useMemo((): RunScope => (view.nested ? { ...everyRun, top: true } : everyRun), [everyRun, view.nested]);
  const newest = useNewest(scope);
  const sample = newest.data?.items ?? none;
  const startedUntil = newest.data && Math.max(0, ...sample.map(({ startedAt }) => startedAt));
  const { data: all } = useTotal(everyRun);
  const total = all?.total;
  // Runs start after those that they stand under: they are no newer than the list for that.
  const arrived = useArrived(everyRun, view.nested ? all?.startedUntil : startedUntil).data ?? 0;
  const keys = useRunKeys(experiment).data;

  const { ref: page, width } = useElementSize();
  // Several experiments, where the list is of all.
  const mixed = experiment === undefined && new Set(sample.map(({ experimentId }) => experimentId)).size > 1;
  const usual = useMemo(
    () => usualColumns(sample, { experiment: mixed, equal: view.equal, width: width || usualWidth }),
    [sample, mixed, view.equal, width],
  );
  const columnIds = view.columns ?? usual.columns;
  const columns = useMemo(() => inOrder(columnIds.flatMap((id) => columnOf(id, sample) ?? none)), [columnIds, sample]);
  const metrics = columns.flatMap(({ kind, key }) => (kind === 'metric' ? key : none));
  const groups = useGroups({ ...scope, ...(startedUntil !== undefined && { startedUntil }) }, view.group, metrics);

  const top = newest.data?.total ?? 0;
  const source = useMemo(
    () => ({
      scope,
      startedUntil,
      order: view.order,
      total: top,
      groups: view.group ? (groups.data?.items ?? none) : undefined,
      groupedBy: view.group,
      open: view.open,
    }),
    [scope, startedUntil, top, groups.data, view.order, view.group, view.open],
  );
  const reader = useRef<ReadRows>(undefined);
  const lead = leadingMetric(sample);
  const best = useBest(
    scope,
    lead && `${field('metrics', lead.key)} ${lead.better === 'higher' ? 'DESC' : 'ASC'}`,
  ).data;
  const selection = useSelection({ chosen: view.selected, look, reader });
  const { toggle } = selection;
  const onOpen = useCallback(
    (id: string) => look({ open: view.open.includes(id) ? view.open.filter((one) => one !== id) : [...view.open, id] }),
    [look, view.open],
  );
  const reload = () => void queries.invalidateQueries({ queryKey: ['run-pages'] });

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (keysAreOff() || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      const row = document.activeElement?.closest('tr')?.dataset;
      if ((event.key === 'x' || event.key === 'X') && row?.['run'])
        toggle(row['run'], Number(row['at']), event.shiftKey);
      const opener = document.activeElement?.closest('tr')?.querySelector('.opener');
      const isOpen = opener?.getAttribute('aria-expanded') === 'true';
      if (
        opener instanceof HTMLElement &&
        ((event.key === 'ArrowRight' && !isOpen) || (event.key === 'ArrowLeft' && isOpen))
      ) {
        event.preventDefault();
        opener.click();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [toggle]);

  const { error: missing } = useExperiment(experiment);
  if (missing instanceof ApiProblem && missing.status === 404)
    return <Failed what={`experiment ${experiment}`} error={missing} />;
  const refused = newest.error ?? groups.error;
  const isEmpty = newest.data?.total === 0;
  return (
    <>
      <Head best={best ?? undefined} sample={sample} total={newest.data && total} experiment={experiment} />
      <div className="filters" ref={page}>
        <FilterBox
          filter={view.filter}
          error={newest.error}
          known={{
            metrics: keys?.metrics ?? none,
            params: keys?.params ?? none,
            tags: keys?.tags ?? none,
            days: [0, 7, 30].map((ago) => new Date(Date.now() - ago * dayMs).toISOString().slice(0, 10)),
            values: (kind, key) => [...new Set(sample.flatMap((run) => run[kind][key] ?? none))].sort(),
          }}
          onFilter={(filter) => look({ filter, selected: none })}
        />
        <GroupPicker keys={keys} group={view.group} onGroup={(group) => look({ group, open: none })} />
        <ColumnPicker
          keys={keys}
          shown={columnIds}
          chosen={view.columns !== undefined}
          onChange={(columns) => look({ columns })}
        />
      </div>
      <div className="list-options">
        <label className="toggle">
          <input
            type="checkbox"
            checked={!view.equal}
            disabled={view.columns !== undefined}
            onChange={(event) => look({ equal: !event.currentTarget.checked })}
          />{' '}
          Differences only
        </label>
        {view.columns !== undefined && <span className="small i3">the columns are chosen</span>}
        <label className="toggle">
          <input
            type="checkbox"
            checked={view.nested}
            disabled={view.group !== ''}
            onChange={(event) => look({ nested: event.currentTarget.checked, open: none })}
          />{' '}
          Nested
        </label>
        {view.group !== '' && <span className="small i3">groups show every run</span>}
      </div>
      {refused && newest.data === undefined && !view.filter ? (
        <Failed what="the runs" error={refused} retry={() => void newest.refetch()} />
      ) : newest.data === undefined ? (
        !newest.isError && <Loading what="the runs" rows={12} />
      ) : isEmpty && view.filter ? (
        <Nothing title="No run matches this filter">
          <button type="button" className="btn" onClick={() => look({ filter: '' })}>
            Clear the filter
          </button>
        </Nothing>
      ) : isEmpty ? (
        <Nothing title="No runs yet">
          <Link className="link" to="/start">
            Send a first run
          </Link>
        </Nothing>
      ) : (
        <RunTable
          source={source}
          reader={reader}
          columns={columns}
          hidden={view.columns === undefined ? usual.hidden : 0}
          more={view.columns === undefined ? usual.more : 0}
          order={view.order}
          onOrder={(order) => look({ order })}
          best={best && lead ? { run: best.id, metric: lead.key } : undefined}
          selected={selection.ids}
          onSelect={toggle}
          onOpen={onOpen}
        />
      )}
      <div className="table-foot">
        <Footer
          total={total}
          top={view.nested ? newest.data?.total : undefined}
          groups={view.group ? groups.data?.items.length : undefined}
        />
        {arrived > 0 && (
          <button type="button" className="new" onClick={reload}>
            {count(arrived)} new {arrived === 1 ? 'run' : 'runs'}
          </button>
        )}
        {arrived > 0 && <span className="i3">rows stay where they are until you ask</span>}
        {(newest.data?.total ?? 0) > 0 && (
          <span className="keys">
            <kbd>j</kbd> <kbd>k</kbd> move <kbd>x</kbd> select <kbd>Shift x</kbd> range <kbd>c</kbd> compare
          </span>
        )}
      </div>
      <SelectionBar selection={selection} onChanged={reload} />
    </>
  );
}

type FooterProps = {
  readonly total: number | undefined;
  /** How many of them stand under no other, where that is what is shown. */
  readonly top: number | undefined;
  readonly groups: number | undefined;
};

function Footer({ total, top, groups }: FooterProps) {
  if (total === undefined || total === 0) return null;
  const runs = `${count(total)} ${total === 1 ? 'run' : 'runs'}`;
  if (groups !== undefined)
    return (
      <span>{`${runs} in ${count(groups)} ${groups === 1 ? 'group, with its means' : 'groups, with their means'}`}</span>
    );
  return (
    <span>{top === undefined || top === total ? runs : `${runs}, ${count(total - top)} of them below others`}</span>
  );
}

type HeadProps = {
  readonly best: Run | undefined;
  readonly sample: readonly Run[];
  readonly total: number | undefined;
  readonly experiment: string | undefined;
};

function Head({ best, sample, total, experiment }: HeadProps) {
  const versions = useVersionsByRun();
  const { name } = useExperiment(experiment).data ?? {};
  if (total === undefined) return <PageHead title={name ?? 'Runs'} />;
  if (total === 0) return <PageHead title="No runs" />;
  const metric = leadingMetric(sample);
  const value = best && metric && best.metrics[metric.key];
  const keys = differences(sample)
    .slice(0, 4)
    .map((key) => sayMetric(key).toLowerCase());
  const title =
    best && metric && typeof value === 'number'
      ? `Best so far: ${best.name}, ${sayMetric(metric.key)} ${sayMetricValue(value, decimalsOf(metric.key) - 1)}`
      : 'Runs without a metric to compare';
  // Of more runs than were read nobody can say which became a version.
  const became = total <= sample.length ? sample.filter(({ id }) => versions.has(id)).length : undefined;
  const newest = total > sample.length ? `The newest ${count(sample.length)} differ` : 'They differ';
  return (
    <PageHead title={title}>
      {count(total)} {total === 1 ? 'run' : 'runs'}
      {became !== undefined && `, ${count(became)} became ${became === 1 ? 'a version' : 'versions'}`}.
      {keys.length > 0 && ` ${newest} in ${keys.join(', ')}.`}
    </PageHead>
  );
}
