/** Run list: which run is best, and what made it so? */
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { bestRun, decimalsOf, leadingMetric, type Run, useRuns } from '../data/runs.ts';
import { count, duration, fixed, wallMoment } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { VersionTag } from '../parts/version-tag.tsx';

const pageSize = 100;

export function RunsPage() {
  const search = useSearch({ strict: false }) as { filter?: string; all?: string }; // View state lives in the address.
  const navigate = useNavigate();
  const filter = search.filter ?? '';
  const [draft, setDraft] = useState(filter);
  const runs = useRuns({ limit: pageSize, ...(filter ? { filter } : {}) });
  const { shown, waiting, show } = useStillRows(runs.data?.items);
  const setFilter = (next: string) => void navigate({ to: '/experiments', search: next ? { filter: next } : {} });
  return (
    <>
      <RunsHead runs={shown} total={runs.data?.total} />
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          setFilter(draft);
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
      </form>
      <Loaded query={runs} what="the runs">
        {() =>
          shown.length === 0 ? (
            filter ? (
              <Nothing title="No run matches this filter">
                <button type="button" className="btn" onClick={() => setFilter('')}>
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
          ) : (
            <RunTable runs={shown} />
          )
        }
      </Loaded>
      <div className="table-foot">
        <span>
          {count(shown.length)} {runs.data?.total === undefined ? 'runs' : `of ${count(runs.data.total)} loaded`}
        </span>
        {waiting > 0 && (
          <button type="button" className="new" onClick={show}>
            {waiting} new {waiting === 1 ? 'run' : 'runs'}
          </button>
        )}
      </div>
    </>
  );
}

/** Rows stay where they are until somebody asks: numbers change in place, new runs wait behind a pill. */
function useStillRows(items: readonly Run[] | undefined) {
  const order = useRef<readonly string[]>([]);
  const [, redraw] = useState(0);
  const queries = useQueryClient();
  const ids = (items ?? []).map((run) => run.id);
  const known = new Set(order.current);
  const waiting = order.current.length === 0 ? 0 : ids.filter((id) => !known.has(id)).length;
  useEffect(() => {
    if (order.current.length === 0 && ids.length > 0) {
      order.current = ids;
      redraw((count) => count + 1);
    }
  });
  const byId = new Map((items ?? []).map((run) => [run.id, run]));
  const rows = order.current.length === 0 ? (items ?? []) : order.current.flatMap((id) => byId.get(id) ?? []);
  return {
    // A new filter shows other runs: then the order starts afresh.
    shown: rows.length === 0 ? (items ?? []) : rows,
    waiting,
    show: () => {
      order.current = ids;
      void queries.invalidateQueries({ queryKey: ['runs'] });
      redraw((count) => count + 1);
    },
  };
}

function RunsHead({ runs, total }: { runs: readonly Run[]; total: number | undefined }) {
  const metric = leadingMetric(runs);
  const best = metric && bestRun(runs, metric);
  const became = runs.flatMap((run) => run.versions ?? []).length;
  const differing = differences(runs).slice(0, 4).join(', ');
  const title = best && metric ? `Best so far: ${best.name}, ${label(metric.key)} ${fixed(best.metrics[metric.key] ?? 0, 3)}` : `${count(runs.length)} runs`;
  return (
    <PageHead title={title}>
      {count(total ?? runs.length)} runs, {became} became versions. {differing && `They differ in ${differing}.`}
    </PageHead>
  );
}

function RunTable({ runs }: { runs: readonly Run[] }) {
  const [onlyDifferences, setOnlyDifferences] = useState(true);
  const params = onlyDifferences ? differences(runs) : allParams(runs);
  const hidden = allParams(runs).length - params.length;
  const metrics = metricColumns(runs);
  const lead = leadingMetric(runs);
  const best = lead && bestRun([...runs], lead)?.id;
  return (
    <div className="wide">
      <label className="toggle">
        <input type="checkbox" checked={onlyDifferences} onChange={(event) => setOnlyDifferences(event.currentTarget.checked)} /> Differences only
      </label>
      <table className="runs">
        <thead>
          <tr>
            <th className="grp" colSpan={3} scope="colgroup">
              Run
            </th>
            <th className="grp gl" colSpan={Math.max(1, params.length)} scope="colgroup">
              What went in {hidden > 0 && <span className="i3">· {hidden} equal columns hidden</span>}
            </th>
            <th className="grp gl" colSpan={metrics.length + 1} scope="colgroup">
              What came out
            </th>
          </tr>
          <tr>
            <th>Name</th>
            <th aria-sort="descending">Started</th>
            <th className="num">Took</th>
            {params.length === 0 && <th className="gl" />}
            {params.map((key, index) => (
              <th key={key} className={index === 0 ? 'num gl' : 'num'}>
                {label(key)}
              </th>
            ))}
            {metrics.map((key, index) => (
              <th key={key} className={index === 0 ? 'num gl' : 'num'}>
                {label(key)}
              </th>
            ))}
            <th>Became</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, row) => (
            <tr key={run.id}>
              <td className="nm">
                <Link to="/experiments/$run" params={{ run: run.id }}>
                  {run.name}
                </Link>{' '}
                {run.status === 'FAILED' && <Verdict mark="fail">failed</Verdict>}
                {run.status === 'RUNNING' && <span className="i3">running</span>}
              </td>
              <td className="i2 nowrap">{wallMoment(run.startedAt)}</td>
              <td className="num i2">{run.endedAt === undefined ? '' : duration(run.endedAt - run.startedAt)}</td>
              {params.length === 0 && <td className="gl" />}
              {params.map((key, index) => {
                const value = run.params[key] ?? '';
                // Repeated values fade, so that the eye lands on what changed.
                const same = runs[row + 1]?.params[key] === value;
                return (
                  <td key={key} className={`num ${index === 0 ? 'gl' : ''} ${same ? 'same' : ''}`}>
                    {value}
                  </td>
                );
              })}
              {metrics.map((key, index) => (
                <td key={key} className={`num ${index === 0 ? 'gl' : ''} ${run.id === best && key === lead?.key ? 'best' : ''}`}>
                  {run.metrics[key] === undefined ? <span className="i3">none</span> : fixed(run.metrics[key], decimalsOf(key))}
                </td>
              ))}
              <td>
                {(run.versions ?? []).map(({ model, version }) => (
                  <Link key={`${model}@${version}`} to="/models/$model/$version" params={{ model, version: String(version) }}>
                    <VersionTag version={version} role="other" />
                  </Link>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const allParams = (runs: readonly Run[]) => [...new Set(runs.flatMap((run) => Object.keys(run.params)))];

/** Parameters whose values are not the same in all runs. */
const differences = (runs: readonly Run[]) => allParams(runs).filter((key) => new Set(runs.map((run) => run.params[key])).size > 1);

function metricColumns(runs: readonly Run[]): string[] {
  const lead = leadingMetric(runs)?.key;
  const keys = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].filter((key) => !key.startsWith('system/'));
  return keys.sort((a, b) => Number(b === lead) - Number(a === lead)).slice(0, 6);
}

const label = (key: string): string => {
  const words = key.replaceAll('_', ' ');
  return /^auc$/i.test(key) ? 'AUC' : words.charAt(0).toUpperCase() + words.slice(1);
};
