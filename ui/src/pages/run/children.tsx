/** The runs that this one started. */
import { Link } from '@tanstack/react-router';
import { decimalsOf, leadingMetric, sayMetric, useChildren } from '../../data/runs.ts';
import { count, duration, fixed } from '../../format.ts';
import { SectionHead } from '../../parts/page-head.tsx';

export function Children({ run }: { run: string }) {
  const children = useChildren(run).data;
  if (!children || children.items.length === 0) return null;
  const lead = leadingMetric(children.items);
  const { items } = children;
  return (
    <>
      <SectionHead
        title="Runs below it"
        aside={children.next ? `the newest ${count(items.length)}` : `${count(items.length)} in all`}
      />
      <div className="wide">
        <table className="files">
          <thead>
            <tr>
              <th>Run</th>
              <th>State</th>
              {lead && <th className="num">{sayMetric(lead.key)}</th>}
              <th className="num">Took</th>
            </tr>
          </thead>
          <tbody>
            {items.map((child) => {
              const value = lead && child.metrics[lead.key];
              return (
                <tr key={child.id}>
                  <td>
                    <Link className="link" to="/runs/$run" params={{ run: child.id }}>
                      {child.name}
                    </Link>
                  </td>
                  <td className="i2">{child.status.toLowerCase()}</td>
                  {lead && (
                    <td className="num">{typeof value === 'number' ? fixed(value, decimalsOf(lead.key)) : 'none'}</td>
                  )}
                  <td className="num i2">
                    {child.endedAt === undefined ? 'running' : duration(child.endedAt - child.startedAt)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
