/** Runs beside each other: what differs stands first and is washed, the best of each metric is bold. */
import { Link } from '@tanstack/react-router';
import { decimalsOf, type Run, sayMetric } from '../../data/runs.ts';
import { wallMoment } from '../../format.ts';
import { PageHead } from '../../parts/page-head.tsx';
import { differences } from '../runs/columns.ts';
import { Value } from '../runs/run-table.tsx';

export function CompareTable({ runs }: { runs: readonly Run[] }) {
  const differing = new Set(differences(runs));
  const params = [...new Set(runs.flatMap((run) => Object.keys(run.params)))].toSorted(
    (a, b) => Number(differing.has(b)) - Number(differing.has(a)),
  );
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].filter(
    (key) => !key.startsWith('system/'),
  );
  return (
    <>
      <PageHead title={`${runs.length} runs: ${differing.size} of ${params.length} inputs differ`}>
        {differing.size > 0
          ? `They differ in ${[...differing]
              .slice(0, 6)
              .map((key) => sayMetric(key).toLowerCase())
              .join(', ')}.`
          : 'What came out differs for another reason than the parameters.'}
      </PageHead>
      <div className="wide">
        <table className="kv compare">
          <thead>
            <tr>
              <th>Name</th>
              {runs.map((run) => (
                <th key={run.id} className="num">
                  <Link className="link" to="/runs/$run" params={{ run: run.id }}>
                    {run.name}
                  </Link>
                  <br />
                  <span className="i3">{wallMoment(run.startedAt)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {metrics.map((key) => (
              <tr key={`metric ${key}`}>
                <td>{sayMetric(key)}</td>
                {runs.map((run) => (
                  <td key={run.id} className={run.id === bestOf(runs, key) ? 'num best' : 'num'}>
                    <Value value={run.metrics[key]} decimals={decimalsOf(key)} />
                  </td>
                ))}
              </tr>
            ))}
            {params.map((key) => (
              <tr key={`param ${key}`} className={differing.has(key) ? 'd' : ''}>
                <td className="mono">{key}</td>
                {runs.map((run) => (
                  <td key={run.id} className={differing.has(key) ? 'num' : 'num old'}>
                    {run.params[key] ?? 'none'}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function bestOf(runs: readonly Run[], key: string): string | undefined {
  const sign = /loss|brier|error|rmse|mae|seconds|duration/.test(key) ? 1 : -1;
  const valued = runs.flatMap((run) =>
    typeof run.metrics[key] === 'number' ? [{ id: run.id, value: run.metrics[key] }] : [],
  );
  const [first, second] = valued.toSorted((a, b) => sign * (a.value - b.value));
  return first && second && first.value !== second.value ? first.id : undefined;
}
