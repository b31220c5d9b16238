/** Overview: what is live, how healthy is it, and what needs me? */
import { Link, Navigate } from '@tanstack/react-router';
import { type Alert, useAlerts } from '../data/alerts.ts';
import { useOpenApprovals } from '../data/approvals.ts';
import { type Endpoint, useEndpoints } from '../data/endpoints.ts';
import { newsTypes, useEvents } from '../data/event.ts';
import { useModels } from '../data/models.ts';
import { isOver, type RolloutSummary, sayPlace, useRollouts } from '../data/rollouts.ts';
import { useRuns } from '../data/runs.ts';
import { count, moment, recently, tidy } from '../format.ts';
import { News } from '../parts/news.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Loaded, Loading, Nothing } from '../parts/states.tsx';
import { ApprovalNeed } from './overview/approval-need.tsx';
import { EndpointLoop } from './overview/endpoint-loop.tsx';
import { EndpointRow } from './overview/endpoint-row.tsx';
import { FiveMeasures } from './overview/five-measures.tsx';

export function OverviewPage() {
  const endpoints = useEndpoints();
  return (
    <Loaded query={endpoints} what="the endpoints">
      {({ items }) => (items.length === 0 ? <NothingServes /> : <Overview endpoints={items} />)}
    </Loaded>
  );
}

function Overview({ endpoints }: { endpoints: readonly Endpoint[] }) {
  const alerts = (useAlerts().data?.items ?? []).filter(({ state }) => state === 'open');
  const rollouts = useRollouts().data?.items ?? [];
  const approvals = useOpenApprovals().data?.items ?? [];
  const events = useEvents({ limit: 17, order: 'newest', types: newsTypes });
  const running = rollouts.filter(({ state }) => !isOver(state));
  const paused = running.filter(({ state }) => state === 'paused');
  const busiest = endpoints.toSorted((a, b) => (b.logState?.last ?? 0) - (a.logState?.last ?? 0))[0];
  return (
    <>
      <PageHead
        title={
          endpoints.some(({ champion }) => champion)
            ? `${needs(approvals.length + alerts.length + paused.length)}; ${answered(endpoints)}`
            : 'Nothing serves yet'
        }
      >
        {reasons(endpoints, running, alerts)}
      </PageHead>
      <div className="cols two">
        <section>
          {approvals.map((approval) => (
            <ApprovalNeed key={approval.id} approval={approval} />
          ))}
          {alerts.map((alert) => (
            <AlertNeed key={alert.id} alert={alert} />
          ))}
          {paused.map((rollout) => (
            <PausedNeed key={rollout.id} rollout={rollout} />
          ))}
          {busiest?.champion && <EndpointLoop endpoint={busiest} rollouts={rollouts} />}
          <div className="wide">
            <table className="live">
              <thead>
                <tr>
                  <th>Endpoint</th>
                  <th>Health, worst first</th>
                  <th className="num">Requests</th>
                  <th className="num">p99</th>
                  <th>Last and next change</th>
                </tr>
              </thead>
              <tbody>
                {endpoints.map((endpoint) => (
                  <EndpointRow key={endpoint.name} endpoint={endpoint} rollouts={rollouts} />
                ))}
              </tbody>
            </table>
          </div>
          <FiveMeasures endpoint={busiest} />
        </section>
        <aside>
          <SectionHead
            title="What changed"
            aside={
              <Link className="link" to="/audit">
                All
              </Link>
            }
          />
          <Loaded query={events} what="what changed">
            {({ items }) =>
              items.length === 0 ? (
                <Nothing title="Nothing yet">The first shipped version writes the first line.</Nothing>
              ) : (
                <News events={items} />
              )
            }
          </Loaded>
        </aside>
      </div>
    </>
  );
}

/** An empty server goes to the first run; one that has runs or models says what is missing to serve. */
function NothingServes() {
  const models = useModels();
  const runs = useRuns({ limit: 1 });
  if (!models.data || !runs.data) return <Loading what="the models" />;
  if (models.data.items.length === 0)
    return runs.data.items.length === 0 ? <Navigate to="/start" replace /> : <Navigate to="/runs" replace />;
  return (
    <>
      <PageHead title="Nothing serves yet">
        {count(models.data.items.length)} {models.data.items.length === 1 ? 'model is' : 'models are'} registered. An
        endpoint is declared in rondo.yaml and gets its first version by shipping it.
      </PageHead>
      <Nothing title="Ship a version">
        <code>rondo ship {models.data.items[0]?.name}</code>
      </Nothing>
    </>
  );
}

const needs = (things: number): string =>
  things === 0 ? 'Nothing needs you' : `${count(things)} ${things === 1 ? 'thing needs' : 'things need'} you`;

function answered(endpoints: readonly Endpoint[]): string {
  const errors = endpoints.reduce((sum, endpoint) => sum + (endpoint.errors ?? 0), 0);
  const requests = endpoints.reduce((sum, endpoint) => sum + (endpoint.requests ?? 0), 0);
  const unready = endpoints.filter(({ champion, ready }) => champion && !ready);
  if (unready.length > 0) return `${unready.map(({ name }) => name).join(', ')} is not ready`;
  if (errors > 0) return `${count(errors)} of ${count(requests)} requests failed in 5 min`;
  return requests === 0 ? 'no request came in 5 min' : 'every request is answered';
}

function reasons(endpoints: readonly Endpoint[], running: readonly RolloutSummary[], alerts: readonly Alert[]) {
  const serving = endpoints.filter(({ champion }) => champion).length;
  if (serving === 0) {
    return (
      <>
        {endpoints.map(({ name }) => name).join(', ')} {endpoints.length === 1 ? 'waits for its' : 'wait for their'}{' '}
        first version: <code>rondo ship</code>
      </>
    );
  }
  return (
    <>
      {alerts.map((alert) => (
        <b key={alert.id}>
          {alert.endpoint}: {alert.monitor} since {moment(alert.openedClock)}.{' '}
        </b>
      ))}
      {running.map((rollout) => (
        <span key={rollout.id}>
          {rollout.endpoint} v{rollout.challenger.version} is {sayPlace(rollout)}.{' '}
        </span>
      ))}
      {serving} of {count(endpoints.length)} {endpoints.length === 1 ? 'endpoint' : 'endpoints'} live
      {running.length === 0 && ', no rollout is running'}.
    </>
  );
}

function AlertNeed({ alert }: { alert: Alert }) {
  // Some alerts are about one thing, and their title says all of it.
  const says = alert.items.map((item) => item.says).find((one) => one !== alert.title);
  return (
    <div className="need">
      <div>
        <b className="b">
          {alert.endpoint} v{alert.version}: {tidy(alert.title)}
        </b>{' '}
        <span className="i3 small">since {moment(alert.openedClock)}</span>
      </div>
      {says !== undefined && <p>{tidy(says.replace(/ \([^)]*\)/, ''))}</p>}
      <Link className="btn primary" to="/monitoring/$endpoint" params={{ endpoint: alert.endpoint }}>
        Review
      </Link>
    </div>
  );
}

function PausedNeed({ rollout }: { rollout: RolloutSummary }) {
  return (
    <div className="need">
      <div>
        <b className="b">
          {rollout.endpoint} v{rollout.challenger.version} is {sayPlace(rollout)}
        </b>{' '}
        <span className="i3 small">started {recently(rollout.startedAt)}</span>
      </div>
      <p>It stands still until somebody resumes, promotes or aborts it.</p>
      <Link className="btn primary" to="/rollouts/$id" params={{ id: rollout.id }}>
        Decide
      </Link>
    </div>
  );
}
