/** One endpoint of the overview: traffic, the three worst health lines, requests, and what changed last and comes next. */
import { Link } from '@tanstack/react-router';
import type { Endpoint } from '../../data/endpoints.ts';
import { healthOf } from '../../data/health.ts';
import { useMonitors } from '../../data/monitors.ts';
import { isOver, type RolloutSummary, sayPlace, useRollout } from '../../data/rollouts.ts';
import { count, duration, milliseconds } from '../../format.ts';
import { TrafficBar } from '../../parts/traffic-bar.tsx';
import { Verdict } from '../../parts/verdict.tsx';

const linesShown = 3;
/** Enough to say since when something moves. */
const windows = 30;

export function EndpointRow({ endpoint, rollouts }: { endpoint: Endpoint; rollouts: readonly RolloutSummary[] }) {
  const monitors = useMonitors(endpoint.name, { limit: windows }).data;
  const own = rollouts.filter((rollout) => rollout.endpoint === endpoint.name);
  return (
    <tr>
      <td>
        <Link className="b" to="/monitoring/$endpoint" params={{ endpoint: endpoint.name }}>
          {endpoint.name}
        </Link>
        <TrafficBar endpoint={endpoint} />
      </td>
      <td>
        <dl className="hl">
          {healthOf(endpoint, monitors)
            .slice(0, linesShown)
            .map(({ name, mark, says, why }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd title={why}>
                  <Verdict mark={mark}>{says}</Verdict> <span className="i3">{why}</span>
                </dd>
              </div>
            ))}
        </dl>
      </td>
      <td className="num">
        <span className="big">{rate(endpoint.requestsPerSecond)}</span>
        <br />
        <span className="sub">{count(endpoint.requests ?? 0)} in 5 min</span>
      </td>
      <td className="num">
        <span className="big">
          {endpoint.latencyMs?.p99 === undefined ? 'none yet' : milliseconds(endpoint.latencyMs.p99)}
        </span>
        <br />
        <span className="sub">limit {milliseconds(endpoint.latencyLimitMs)}</span>
      </td>
      <td>
        <Changes endpoint={endpoint} rollouts={own} />
      </td>
    </tr>
  );
}

function Changes({ endpoint, rollouts }: { endpoint: Endpoint; rollouts: readonly RolloutSummary[] }) {
  const newest = rollouts[0];
  const running = newest && !isOver(newest.state) ? newest : undefined;
  const view = useRollout(running?.id).data;
  if (!newest) return <span className="sub">nothing was shipped yet</span>;
  const since = (endpoint.endpointTime ?? newest.stateSince) - newest.stateSince;
  const waits = view?.conditions.find(({ met }) => !met);
  const ahead = view?.steps.find(({ progress }) => progress === 'ahead');
  return (
    <>
      <Link className="big" to="/rollouts/$id" params={{ id: newest.id }}>
        v{newest.challenger.version} {sayPlace(newest)}
      </Link>
      <p className="sub">{since > 0 ? `${duration(since)} ago` : 'just now'}</p>
      {running ? (
        <p className="sub waits" title={waits && `${waits.says}: ${waits.value}`}>
          {ahead && `next: ${ahead.name}`}
          {waits && `, waits for ${waits.says.replace(/ (inside its margin so far|proved no worse)$/, '')}`}
        </p>
      ) : (
        endpoint.previous && <p className="sub">v{endpoint.previous.version} stays warm</p>
      )}
    </>
  );
}

function rate(perSecond: number | undefined): string {
  if (perSecond === undefined || perSecond === 0) return 'none';
  return perSecond >= 1 ? `${count(perSecond)} per s` : `${count(perSecond * 3600)} per h`;
}
