/** What went in: datasets and parameters, those that differ from the live model's run first. */
import { useState } from 'react';
import type { Run, RunDetails } from '../../data/runs.ts';
import { count, shortDigest } from '../../format.ts';
import { LongText } from '../../parts/long-text.tsx';
import { SectionHead } from '../../parts/page-head.tsx';
import type { Live } from './charts.tsx';

export function Inputs({ run, live }: { run: RunDetails; live: Live | undefined }) {
  const [all, setAll] = useState(false);
  const data = (of: Run) => of.datasets.map((dataset) => dataset.name).join(', ');
  const rows = [
    ...(data(run) ? [{ key: 'data', own: data(run), other: live ? data(live.run) : undefined }] : []),
    ...Object.entries(run.params).map(([key, own]) => ({ key, own, other: live?.run.params[key] })),
  ].map((row) => ({ ...row, differs: live !== undefined && row.own !== row.other }));
  rows.sort((a, b) => Number(b.differs) - Number(a.differs));
  const differing = rows.filter((row) => row.differs).length;
  const shown = all ? rows : rows.slice(0, Math.max(8, differing));
  if (rows.length === 0 && run.datasets.length === 0) return null;
  return (
    <>
      <SectionHead title="What went in" aside={live && `${differing} of ${rows.length} differ from v${live.version}`} />
      <table className="kv">
        <thead>
          <tr>
            <th>Name</th>
            <th className="num">this run</th>
            {live && <th className="num">v{live.version}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.key} className={row.differs ? 'd' : ''}>
              <td className="mono">{row.key}</td>
              <td className="num long">
                <LongText text={row.own} most={80} />
              </td>
              {live && (
                <td className="num long old">
                  <LongText text={row.other ?? 'none'} most={80} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <p className="small i2">
          {rows.length - shown.length} more{live ? ' are equal' : ''}.{' '}
          <button type="button" className="as-link link" onClick={() => setAll(true)}>
            Show all
          </button>
        </p>
      )}
      <Datasets run={run} />
    </>
  );
}

function Datasets({ run }: { run: RunDetails }) {
  if (run.datasets.length === 0) return null;
  return (
    <>
      <SectionHead title="Data" />
      <ol className="datasets">
        {run.datasets.map((dataset) => {
          const columns = columnsOf(dataset.schema);
          return (
            <li key={`${dataset.name} ${dataset.digest} ${dataset.context}`}>
              <b className="m">{dataset.name}</b> {dataset.context && <span className="i3">for {dataset.context}</span>}
              <br />
              <code>{shortDigest(dataset.digest)}</code>{' '}
              <span className="i2">
                {dataset.sourceType}
                {columns.length > 0 && `, ${count(columns.length)} columns`}
              </span>
              {columns.length > 0 && (
                <details>
                  <summary>Columns</summary>
                  <dl className="facts">
                    {columns.map(({ name, type }) => (
                      <div key={name} style={{ display: 'contents' }}>
                        <dt className="mono">{name}</dt>
                        <dd>{type}</dd>
                      </div>
                    ))}
                  </dl>
                </details>
              )}
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** From the schema as MLflow's clients write it, when it is one of columns. */
function columnsOf(schema: string | undefined): readonly { readonly name: string; readonly type: string }[] {
  try {
    const said: unknown = JSON.parse(schema ?? 'null');
    const columns = typeof said === 'object' && said !== null && 'mlflow_colspec' in said ? said.mlflow_colspec : [];
    return (Array.isArray(columns) ? columns : []).flatMap((column: unknown) =>
      typeof column === 'object' && column !== null && 'name' in column && 'type' in column
        ? { name: String(column.name), type: String(column.type) }
        : [],
    );
  } catch {
    return [];
  }
}
