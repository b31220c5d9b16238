/** Runs beside each other: what differs is washed, the best of each metric is bold. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { decimalsOf, type Run, sayMetric } from '../../data/runs.ts';
import { duration, wallMoment } from '../../format.ts';
import { Value } from '../runs/run-table.tsx';

type Line = {
  readonly key: string;
  readonly title: string;
  readonly mono: boolean;
  readonly differs: boolean;
  readonly best: string | undefined;
  readonly cells: readonly { readonly run: string; readonly shown: ReactNode }[];
};

export function CompareTable({ runs, onlyDifferences }: { runs: readonly Run[]; onlyDifferences: boolean }) {
  const sections = sectionsOf(runs).map(({ title, lines }) => ({
    title,
    lines: onlyDifferences && runs.length > 1 ? lines.filter(({ differs }) => differs) : lines,
    all: lines.length,
  }));
  return (
    <div className="run-box compare-box">
      <table className="kv compare" style={{ minWidth: 220 + runs.length * 132 }}>
        <colgroup>
          <col style={{ width: 220 }} />
          {runs.map(({ id }) => (
            <col key={id} style={{ width: 132 }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th>Run</th>
            {runs.map((run) => (
              <th key={run.id} className="num">
                <Link className="link" to="/runs/$run" params={{ run: run.id }} title={run.name}>
                  {run.name}
                </Link>
                <br />
                <span className="i3">{wallMoment(run.startedAt)}</span>
              </th>
            ))}
          </tr>
        </thead>
        {sections.map(
          ({ title, lines, all }) =>
            all > 0 && (
              <tbody key={title}>
                <tr className="part">
                  <th scope="rowgroup" colSpan={runs.length + 1}>
                    {title}
                    {lines.length < all && <span className="i3"> · {all - lines.length} equal hidden</span>}
                  </th>
                </tr>
                {lines.map((line) => (
                  <tr key={line.key} className={line.differs && !onlyDifferences ? 'd' : ''}>
                    <td className={line.mono ? 'mono' : ''} title={line.key}>
                      {line.title}
                    </td>
                    {line.cells.map(({ run, shown }) => (
                      <td key={run} className={`num ${run === line.best ? 'best' : ''} ${line.differs ? '' : 'old'}`}>
                        {shown}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            ),
        )}
      </table>
    </div>
  );
}

function sectionsOf(runs: readonly Run[]): readonly { readonly title: string; readonly lines: readonly Line[] }[] {
  const keysOf = (pick: (run: Run) => object) => [...new Set(runs.flatMap((run) => Object.keys(pick(run))))];
  const text = (key: string, title: string, of: (run: Run) => string | undefined, mono = false): Line => ({
    ...{ key, title, mono, best: undefined },
    differs: new Set(runs.map(of)).size > 1,
    cells: runs.map((run) => {
      const value = of(run);
      return {
        run: run.id,
        shown: value === undefined ? <span className="i3">none</span> : <span title={value}>{value}</span>,
      };
    }),
  });
  const metrics = keysOf((run) => run.metrics).filter((key) => !key.startsWith('system/'));
  return [
    {
      title: 'What came out',
      lines: metrics.map((key) => ({
        ...{ key, title: sayMetric(key), mono: false, best: bestOf(runs, key) },
        differs: new Set(runs.map((run) => run.metrics[key])).size > 1,
        cells: runs.map((run) => ({
          run: run.id,
          shown: <Value value={run.metrics[key]} decimals={decimalsOf(key)} />,
        })),
      })),
    },
    {
      title: 'What went in',
      lines: [
        ...keysOf((run) => run.params).map((key) => text(key, key, (run) => run.params[key], true)),
        text(
          'data',
          'Data',
          (run) => run.datasets.map(({ name, digest }) => `${name}@${digest}`).join(', ') || undefined,
        ),
      ],
    },
    {
      title: 'Run',
      lines: [
        text('status', 'Status', ({ status }) => status.toLowerCase()),
        text('took', 'Took', ({ startedAt, endedAt }) =>
          endedAt === undefined ? undefined : duration(endedAt - startedAt),
        ),
        text('user', 'User', ({ user }) => user),
        ...keysOf((run) => run.tags)
          .filter((key) => !/^(mlflow|rondo)\./.test(key))
          .map((key) => text(`tag ${key}`, key, (run) => run.tags[key], true)),
      ],
    },
  ];
}

function bestOf(runs: readonly Run[], key: string): string | undefined {
  const sign = /loss|brier|error|rmse|mae|seconds|duration/.test(key) ? 1 : -1;
  const valued = runs.flatMap((run) =>
    typeof run.metrics[key] === 'number' ? [{ id: run.id, value: run.metrics[key] }] : [],
  );
  const [first, second] = valued.toSorted((a, b) => sign * (a.value - b.value));
  return first && second && first.value !== second.value ? first.id : undefined;
}
