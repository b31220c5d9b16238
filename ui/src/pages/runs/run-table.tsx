/** Runs as a table: what went in left, what came out right; what repeats fades. Rows out of sight are not drawn. */
import { Link, useRouter } from '@tanstack/react-router';
import {
  createContext,
  type MouseEvent,
  memo,
  type ReactNode,
  type RefObject,
  useContext,
  useEffect,
  useRef,
  useState,
} from 'react';
import { useEndpoints } from '../../data/endpoints.ts';
import { type Became as BecameRef, useVersionsByRun } from '../../data/models.ts';
import type { ListedRun, RunGroup } from '../../data/run-list.ts';
import { decimalsOf, type Run, sayMetric, sayMetricValue, useExperiments, useMetric } from '../../data/runs.ts';
import { count, duration, wallMoment } from '../../format.ts';
import { Spark } from '../../parts/spark.tsx';
import { Failed } from '../../parts/states.tsx';
import { Verdict } from '../../parts/verdict.tsx';
import { VersionTag } from '../../parts/version-tag.tsx';
import { type Column, nameWidth, sideOf } from './columns.ts';
import { useRowsInSight } from './use-rows-in-sight.ts';
import { type ReadRows, type Row, type Source, useRunRows } from './use-run-rows.ts';
import { nextOrder, sortedBy } from './view.ts';

const rowHeight = 32;
/** Whether the table is not being scrolled. */
const StandsStill = createContext(true);
const pickWidth = 34;
/** What a run without an opener leaves free, so that its name stands under those of its siblings. */
const openerRoom = 19;

type Props = {
  readonly source: Source;
  /** Takes the reader of a stretch of rows, for a selection from one row to another. */
  readonly reader: RefObject<ReadRows | undefined>;
  readonly columns: readonly Column[];
  /** How many equal params are left out. */
  readonly hidden: number;
  /** How many that differ have no room. */
  readonly more: number;
  readonly order: string;
  readonly onOrder: (order: string) => void;
  /** The run whose value of the leading metric is the best. */
  readonly best: { readonly run: string; readonly metric: string } | undefined;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (run: string, row: number, range: boolean) => void;
  readonly onOpen: (id: string) => void;
};

export function RunTable(props: Props) {
  const { source, reader, columns, selected, best, onSelect, onOpen } = props;
  const box = useRef<HTMLDivElement>(null);
  const router = useRouter();
  const versions = useVersionsByRun();
  const { drawn, read, still } = useRowsInSight(box, rowHeight);
  const { rows, rowAt, runsBetween, error } = useRunRows(source, read);
  useEffect(() => {
    reader.current = runsBetween;
  });
  const { scope, order, groupedBy } = source;
  const isBack = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question is answered from the top.
  useEffect(() => {
    // Newer browsers answer with a promise, which is no way to clean up.
    void box.current?.scrollTo(0, isBack.current ? lastPlace() : 0);
    isBack.current = false;
  }, [scope, order, groupedBy]);
  useEffect(() => {
    if (still && !isBack.current) keepPlace(box.current);
  }, [still]);
  const first = Math.min(drawn.first, Math.max(0, rows - 1));
  const last = Math.min(drawn.last, rows - 1);
  const shown = Array.from({ length: Math.max(0, last - first + 2) }, (_, at) => rowAt(Math.min(rows - 1, first + at)));
  const after = rows - 1 - last;
  const width = pickWidth + nameWidth + columns.reduce((sum, column) => sum + column.width, 0);
  // A link of the router's own for each row would follow every change of the address.
  const onClick = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest('a[data-run-link]') : null;
    const run = link?.closest('tr')?.dataset['run'];
    if (!run || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    keepPlace(box.current);
    void router.navigate({ to: '/runs/$run', params: { run } });
  };
  return (
    <>
      {error !== undefined && <Failed what="these runs" error={error} />}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the links inside take the keys. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it hears the clicks of its links. */}
      <div className="run-box" ref={box} onClick={onClick}>
        <table className="runs" style={{ minWidth: width }} aria-rowcount={rows + 2}>
          <colgroup>
            <col style={{ width: pickWidth }} />
            <col style={{ width: nameWidth }} />
            {columns.map(({ id, width }) => (
              <col key={id} style={{ width }} />
            ))}
          </colgroup>
          <Head {...props} />
          <tbody>
            <StandsStill value={still}>
              {first > 0 && <Gap rows={first} columns={columns.length + 2} />}
              {shown.slice(0, -1).map((row, index) => {
                const at = first + index;
                if (row.kind === 'blank') return <Blank key={`blank ${at}`} columns={columns.length} />;
                if (row.kind === 'group')
                  return <GroupRow key={`group ${row.id}`} row={row} at={at} columns={columns} onOpen={onOpen} />;
                const below = shown[index + 1];
                return (
                  <RunRow
                    key={`${row.run.id} ${row.within}`}
                    run={row.run}
                    href={`${router.basepath.replace(/\/$/, '')}/runs/${row.run.id}`}
                    level={row.level}
                    isOpen={row.isOpen}
                    at={at}
                    below={at < rows - 1 && below?.kind === 'run' ? below.run : undefined}
                    columns={columns}
                    became={versions.get(row.run.id)}
                    best={row.run.id === best?.run ? best.metric : undefined}
                    isSelected={selected.has(row.run.id)}
                    onSelect={onSelect}
                    onOpen={onOpen}
                  />
                );
              })}
              {after > 0 && <Gap rows={after} columns={columns.length + 2} />}
            </StandsStill>
          </tbody>
        </table>
      </div>
    </>
  );
}

/** How far the list was scrolled, for who comes back to it: by the entry of the history, as browsers do it for a page. */
const placeKey = () => `rondo.list ${(history.state as { __TSR_key?: string } | null)?.__TSR_key}`; // as the router writes it
const keepPlace = (box: HTMLElement | null) => sessionStorage.setItem(placeKey(), String(box?.scrollTop ?? 0));
const lastPlace = () => Number(sessionStorage.getItem(placeKey()) ?? 0);

function Head({ columns, hidden, more, order, onOrder }: Props) {
  const sides = (['run', 'in', 'out'] as const).map(
    (side) => columns.filter((column) => sideOf(column) === side).length,
  );
  const [run = 0, went = 0, came = 0] = sides;
  const others = [...(more > 0 ? [`${more} more differ`] : []), ...(hidden > 0 ? [`${hidden} equal`] : [])];
  return (
    <thead>
      <tr>
        <th className="grp" colSpan={run + 2} scope="colgroup">
          Run
        </th>
        {went > 0 && (
          <th className="grp gl" colSpan={went} scope="colgroup" title={['What went in', ...others].join(', ')}>
            What went in <span className="i3">{others.map((part) => `· ${part} `)}</span>
          </th>
        )}
        {came > 0 && (
          <th className="grp gl" colSpan={came} scope="colgroup">
            What came out
          </th>
        )}
      </tr>
      <tr>
        <th className="pick">
          <span className="seen-only-by-readers">Select</span>
        </th>
        <Heading title="Name" order="attributes.run_name" now={order} first="ASC" onOrder={onOrder} className="nm" />
        {columns.map((column, index) => (
          <Heading
            key={column.id}
            title={column.title}
            order={column.order}
            // Without an order the newest come first.
            now={order === '' && column.id === 'started' ? 'attributes.start_time DESC' : order}
            first={column.numeric || column.id === 'started' ? 'DESC' : 'ASC'}
            onOrder={onOrder}
            className={`${column.numeric ? 'num' : ''} ${startsSide(columns, index) ? 'gl' : ''}`}
          />
        ))}
      </tr>
    </thead>
  );
}

const startsSide = (columns: readonly Column[], index: number): boolean => {
  const [before, here] = [columns[index - 1], columns[index]];
  return here !== undefined && sideOf(here) !== 'run' && (before === undefined || sideOf(before) !== sideOf(here));
};

function Heading(props: {
  title: string;
  order: string | undefined;
  now: string;
  first: 'ASC' | 'DESC';
  onOrder: (order: string) => void;
  className: string;
}) {
  const { title, order, now, first, onOrder, className } = props;
  const sorted = order === undefined ? undefined : sortedBy(now, order);
  return (
    <th className={className} {...(sorted && { 'aria-sort': sorted })}>
      {order === undefined ? (
        <span className="clip">{title}</span>
      ) : (
        <button type="button" className="as-link" title={title} onClick={() => onOrder(nextOrder(now, order, first))}>
          {title}
        </button>
      )}
    </th>
  );
}

const Gap = ({ rows, columns }: { rows: number; columns: number }) => (
  <tr aria-hidden className="gap">
    <td colSpan={columns} style={{ height: rows * rowHeight }} />
  </tr>
);

const Blank = ({ columns }: { columns: number }) => (
  <tr className="blank" aria-hidden>
    <td className="pick" />
    <td className="nm">
      <i />
    </td>
    {columns > 0 && <td colSpan={columns} />}
  </tr>
);

type RunRowProps = {
  readonly run: ListedRun;
  readonly href: string;
  readonly level: number;
  readonly isOpen: boolean;
  readonly at: number;
  /** In the row below: what it repeats fades. */
  readonly below: ListedRun | undefined;
  readonly columns: readonly Column[];
  readonly became: readonly BecameRef[] | undefined;
  /** The metric in which it is the best. */
  readonly best: string | undefined;
  readonly isSelected: boolean;
  readonly onSelect: (run: string, row: number, range: boolean) => void;
  readonly onOpen: (id: string) => void;
};

const RunRow = memo(function RunRow(props: RunRowProps) {
  const { run, href, level, isOpen, at, below, columns, became, best, isSelected, onSelect, onOpen } = props;
  return (
    <tr data-run={run.id} data-at={at} aria-rowindex={at + 3} className={isSelected ? 'sel' : ''}>
      <td className="pick">
        <input
          type="checkbox"
          aria-label={`Select ${run.name}`}
          checked={isSelected}
          onClick={(event) => onSelect(run.id, at, event.shiftKey)}
          onChange={() => undefined}
        />
      </td>
      <td className="nm">
        <span
          className="row-name"
          style={{ paddingLeft: level * 18 + (level > 0 && run.children === 0 ? openerRoom : 0) }}
        >
          {run.children > 0 && (
            <Opener
              isOpen={isOpen}
              label={`${count(run.children)} runs below ${run.name}`}
              onClick={() => onOpen(run.id)}
            />
          )}
          <a href={href} data-run-link data-row title={run.name}>
            {level > 0 && <span className="seen-only-by-readers">level {level + 1}: </span>}
            {run.name}
          </a>
          {run.status === 'FAILED' && <Verdict mark="fail">failed</Verdict>}
          {run.status === 'KILLED' && <span className="i3">stopped</span>}
          {run.status === 'RUNNING' && <span className="i3">running</span>}
          {run.children > 0 && <span className="i3 many">{count(run.children)}</span>}
        </span>
      </td>
      {columns.map((column, index) => (
        <td
          key={column.id}
          className={cellClass(column, {
            starts: startsSide(columns, index),
            same: column.kind === 'param' && below !== undefined && below.params[column.key] === run.params[column.key],
            best: column.kind === 'metric' && column.key === best,
          })}
        >
          {column.key === 'became' ? (
            became?.map((version) => <Became key={`${version.model}@${version.version}`} {...version} />)
          ) : (
            <Cell run={run} column={column} />
          )}
        </td>
      ))}
    </tr>
  );
});

function cellClass(column: Column, { starts, same, best }: { starts: boolean; same: boolean; best: boolean }): string {
  return [column.numeric && 'num', starts && 'gl', same && 'same', best && 'best', column.kind === 'attribute' && 'i2']
    .filter(Boolean)
    .join(' ');
}

function Cell({ run, column }: { run: ListedRun; column: Column }): ReactNode {
  switch (column.kind) {
    case 'param':
      return <Text>{run.params[column.key] ?? ''}</Text>;
    case 'tag':
      return <Text>{run.tags[column.key] ?? ''}</Text>;
    case 'metric':
      return <Value value={run.metrics[column.key]} decimals={decimalsOf(column.key)} />;
    case 'curve':
      return <Curve run={run} metric={column.key} />;
    case 'attribute':
      return <Attribute run={run} name={column.key} />;
  }
}

function Attribute({ run, name }: { run: ListedRun; name: string }): ReactNode {
  switch (name) {
    case 'started':
      return wallMoment(run.startedAt);
    case 'took':
      return run.endedAt === undefined ? '' : duration(run.endedAt - run.startedAt);
    case 'status':
      return run.status.toLowerCase();
    case 'user':
      return <Text>{run.user ?? ''}</Text>;
    case 'experiment':
      return <ExperimentName id={run.experimentId} />;
    case 'datasets':
      return <Text>{run.datasets.map((dataset) => dataset.name).join(', ')}</Text>;
    default:
      return null;
  }
}

const Text = ({ children }: { children: string }) => (
  <span title={children.length > 20 ? children : undefined}>{children}</span>
);

function ExperimentName({ id }: { id: string }) {
  const name = useExperiments().data?.items.find((experiment) => experiment.id === id)?.name ?? id;
  return <Text>{name}</Text>;
}

function Opener({ isOpen, label, onClick }: { isOpen: boolean; label: string; onClick: () => void }) {
  return (
    <button type="button" className="opener" aria-expanded={isOpen} aria-label={label} onClick={onClick}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden>
        <path d="M3 1.5 6.5 5 3 8.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      </svg>
    </button>
  );
}

function GroupRow({
  row: { id, group, isOpen },
  at,
  columns,
  onOpen,
}: {
  row: Extract<Row, { kind: 'group' }>;
  at: number;
  columns: readonly Column[];
  onOpen: (id: string) => void;
}) {
  const name = group.value ?? 'none';
  return (
    <tr className="group" aria-rowindex={at + 3}>
      <td className="pick">
        <Opener isOpen={isOpen} label={`Runs with ${name}`} onClick={() => onOpen(id)} />
      </td>
      <td className="nm">
        <button type="button" className="as-link" data-row onClick={() => onOpen(id)}>
          {group.value === undefined ? <span className="i3">none</span> : name}
        </button>{' '}
        <span className="i3 many">
          {count(group.runs)} {group.runs === 1 ? 'run' : 'runs'}
        </span>
      </td>
      {columns.map((column, index) => (
        <td
          key={column.id}
          className={`${column.numeric ? 'num' : ''} ${startsSide(columns, index) ? 'gl' : ''} ${column.kind === 'attribute' ? 'i2' : ''}`}
        >
          {column.kind === 'metric' && <Spread group={group} metric={column.key} />}
          {column.id === 'started' && wallMoment(group.lastStartedAt)}
        </td>
      ))}
    </tr>
  );
}

/** The mean of a group; its ends to those who ask. */
function Spread({ group, metric }: { group: RunGroup; metric: string }) {
  const spread = group.metrics[metric];
  if (!spread) return null;
  const decimals = decimalsOf(metric);
  const say = (value: number | null) => (value === null ? 'NaN' : sayMetricValue(value, decimals));
  return (
    <span title={`mean of the runs; lowest ${say(spread.min)}, highest ${say(spread.max)}`}>
      <span className="seen-only-by-readers">mean</span> {say(spread.mean)}
    </span>
  );
}

export function Value({ value, decimals }: { value: number | null | undefined; decimals: number }) {
  if (typeof value !== 'number') return <span className="i3">{value === null ? 'NaN' : 'none'}</span>;
  return sayMetricValue(value, decimals);
}

/** Drawn for rows that stay, and from then on; rows that are scrolled past read nothing. */
function Curve({ run, metric }: { run: Run; metric: string }) {
  const still = useContext(StandsStill);
  const [rested, setRested] = useState(still);
  if (still && !rested) setRested(true);
  return (
    <span className="curve">{rested && run.metrics[metric] !== undefined && <Line run={run} metric={metric} />}</span>
  );
}

function Line({ run, metric }: { run: Run; metric: string }) {
  const points = useMetric(run.id, metric).data ?? [];
  const label = `${sayMetric(metric)} of ${run.name} over ${points.length} steps`;
  return <Spark values={points.map(({ value }) => value)} label={label} />;
}

function Became({ model, version, phase }: BecameRef) {
  const endpoints = useEndpoints().data?.items ?? [];
  const is = (ref: { model: string; version: number } | undefined) => ref?.model === model && ref.version === version;
  const role = endpoints.some(({ champion }) => is(champion))
    ? 'champion'
    : endpoints.some(({ rollout }) => is(rollout?.challenger))
      ? 'challenger'
      : 'other';
  return (
    <Link to="/models/$model/$version" params={{ model, version: String(version) }}>
      <VersionTag
        version={version}
        standing={role}
        label={role === 'champion' ? 'live' : role === 'challenger' ? 'on trial' : phase}
      />
    </Link>
  );
}
