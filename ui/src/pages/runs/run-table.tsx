/** Runs as a table: what went in left, what came out right; what is equal everywhere is hidden, what repeats fades. */
import { useInViewport } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useEndpoints } from '../../data/endpoints.ts';
import { type Became as BecameRef, useVersionsByRun } from '../../data/models.ts';
import { bestRun, decimalsOf, leadingMetric, type Run, sayMetric, useMetric } from '../../data/runs.ts';
import { duration, fixed, wallMoment } from '../../format.ts';
import { Spark } from '../../parts/spark.tsx';
import { Verdict } from '../../parts/verdict.tsx';
import { VersionTag } from '../../parts/version-tag.tsx';

type Props = {
  readonly runs: readonly Run[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (id: string) => void;
};

const metricsShown = 4;

export function RunTable({ runs, selected, onSelect }: Props) {
  const [onlyDifferences, setOnlyDifferences] = useState(true);
  const versions = useVersionsByRun();
  const all = allParams(runs);
  const params = onlyDifferences && runs.length > 1 ? differences(runs) : all;
  const hidden = all.length - params.length;
  const lead = leadingMetric(runs);
  const metrics = metricColumns(runs, lead?.key);
  const best = lead && bestRun(runs, lead)?.id;
  const hasCurve = lead !== undefined && runs.some((run) => run.metrics[lead.key] !== undefined);
  return (
    <>
      <label className="toggle">
        <input
          type="checkbox"
          checked={onlyDifferences}
          onChange={(event) => setOnlyDifferences(event.currentTarget.checked)}
        />{' '}
        Differences only
      </label>
      <div className="wide">
        <table className="runs">
          <thead>
            <tr>
              <th className="grp" colSpan={4} scope="colgroup">
                Run
              </th>
              {params.length > 0 && (
                <th className="grp gl" colSpan={params.length} scope="colgroup">
                  What went in{' '}
                  {hidden > 0 && (
                    <span className="i3">
                      · {hidden} equal {hidden === 1 ? 'column' : 'columns'} hidden
                    </span>
                  )}
                </th>
              )}
              <th className="grp gl" colSpan={metrics.length + (hasCurve ? 2 : 1)} scope="colgroup">
                What came out
              </th>
            </tr>
            <tr>
              <th>
                <span className="seen-only-by-readers">Select</span>
              </th>
              <th>Name</th>
              <th aria-sort="descending">Started</th>
              <th className="num">Took</th>
              {params.map((key, index) => (
                <th key={key} className={index === 0 ? 'num gl' : 'num'}>
                  {sayMetric(key)}
                </th>
              ))}
              {hasCurve && <th className="gl">{sayMetric(lead.key)} by step</th>}
              {metrics.map((key, index) => (
                <th key={key} className={index === 0 && !hasCurve ? 'num gl' : 'num'}>
                  {sayMetric(key)}
                </th>
              ))}
              <th>Became</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run, row) => (
              <tr key={run.id} data-run={run.id} className={selected.has(run.id) ? 'sel' : ''}>
                <td className="pick">
                  <input
                    type="checkbox"
                    aria-label={`Select ${run.name}`}
                    checked={selected.has(run.id)}
                    onChange={() => onSelect(run.id)}
                  />
                </td>
                <td className="nm">
                  <Link to="/runs/$run" params={{ run: run.id }} data-row>
                    {run.name}
                  </Link>{' '}
                  {run.status === 'FAILED' && <Verdict mark="fail">failed</Verdict>}
                  {run.status === 'RUNNING' && <span className="i3">running</span>}
                </td>
                <td className="i2 nowrap">{wallMoment(run.startedAt)}</td>
                <td className="num i2">{run.endedAt === undefined ? '' : duration(run.endedAt - run.startedAt)}</td>
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
                {hasCurve && (
                  <td className="gl">
                    <Curve run={run} metric={lead.key} />
                  </td>
                )}
                {metrics.map((key, index) => (
                  <td
                    key={key}
                    className={`num ${index === 0 && !hasCurve ? 'gl' : ''} ${run.id === best && key === lead?.key ? 'best' : ''}`}
                  >
                    <Value value={run.metrics[key]} decimals={decimalsOf(key)} />
                  </td>
                ))}
                <td>
                  <Became versions={versions.get(run.id) ?? []} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function Value({ value, decimals }: { value: number | null | undefined; decimals: number }) {
  if (typeof value !== 'number') return <span className="i3">{value === null ? 'not a number' : 'none'}</span>;
  return <>{Number.isInteger(value) ? value : fixed(value, decimals)}</>;
}

/** Read only when its row is seen. */
function Curve({ run, metric }: { run: Run; metric: string }) {
  const { ref, inViewport } = useInViewport<HTMLSpanElement>();
  const [seen, setSeen] = useState(false);
  if (inViewport && !seen) setSeen(true);
  const points = useMetric(seen && run.metrics[metric] !== undefined ? run.id : undefined, metric).data ?? [];
  return (
    <span ref={ref} className="curve">
      <Spark
        values={points.map(({ value }) => value)}
        label={`${sayMetric(metric)} of ${run.name} over ${points.length} steps`}
      />
    </span>
  );
}

function Became({ versions }: { versions: readonly BecameRef[] }) {
  const endpoints = useEndpoints().data?.items ?? [];
  return versions.map(({ model, version, phase }) => {
    const is = (ref: { model: string; version: number } | undefined) => ref?.model === model && ref.version === version;
    const role = endpoints.some(({ champion }) => is(champion))
      ? 'champion'
      : endpoints.some(({ rollout }) => is(rollout?.challenger))
        ? 'challenger'
        : 'other';
    return (
      <Link key={`${model}@${version}`} to="/models/$model/$version" params={{ model, version: String(version) }}>
        <VersionTag
          version={version}
          standing={role}
          label={role === 'champion' ? 'live' : role === 'challenger' ? 'on trial' : phase}
        />
      </Link>
    );
  });
}

const allParams = (runs: readonly Run[]) => [...new Set(runs.flatMap((run) => Object.keys(run.params)))];

/** Parameters whose values are not the same in all runs. */
export const differences = (runs: readonly Run[]) =>
  allParams(runs).filter((key) => new Set(runs.map((run) => run.params[key])).size > 1);

/** What most runs have, the leading one first. */
function metricColumns(runs: readonly Run[], lead: string | undefined): string[] {
  const counts = new Map<string, number>();
  for (const run of runs)
    for (const key of Object.keys(run.metrics))
      if (!key.startsWith('system/')) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts]
    .toSorted(([a, many], [b, more]) => Number(b === lead) - Number(a === lead) || more - many)
    .slice(0, metricsShown)
    .map(([key]) => key);
}
