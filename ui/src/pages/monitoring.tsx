/** Monitoring: is what serves still what was trained and promised, and what has to be answered? */
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Alert, isOpen, useAlerts } from '../data/alerts.ts';
import { ApiProblem, post } from '../data/api.ts';
import { type Endpoint, useEndpoints } from '../data/endpoints.ts';
import { driftLine, fairnessLine, type HealthLine, qualityLine, servingLine } from '../data/health.ts';
import { useMonitors } from '../data/monitors.ts';
import { count, duration, moment, tidy } from '../format.ts';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { Verdict } from '../parts/verdict.tsx';

const windows = 30;

export function MonitoringPage() {
  const endpoints = useEndpoints();
  const alerts = useAlerts();
  const open = (alerts.data?.items ?? []).filter(isOpen);
  return (
    <Loaded query={endpoints} what="the endpoints">
      {({ items }) => (
        <>
          <PageHead title={headline(items, open)}>{reasons(items, open)}</PageHead>
          {open.map((alert) => (
            <OpenAlert key={alert.id} alert={alert} />
          ))}
          {items.length === 0 ? (
            <Nothing title="No endpoint is watched">
              An endpoint and its monitors are declared in rondo.yaml; what they find stands here.{' '}
              <code>monitors: {'{drift: {window: 7d}}'}</code>
            </Nothing>
          ) : (
            <Endpoints endpoints={items} />
          )}
          <Closed alerts={(alerts.data?.items ?? []).filter((alert) => !isOpen(alert))} />
        </>
      )}
    </Loaded>
  );
}

function headline(endpoints: readonly Endpoint[], open: readonly Alert[]): string {
  if (endpoints.length === 0) return 'Nothing is watched yet';
  if (open.length === 0) return 'No alert is open';
  return open.length === 1 && open[0]
    ? `${open[0].endpoint}: ${tidy(open[0].title)}`
    : `${count(open.length)} alerts are open`;
}

function reasons(endpoints: readonly Endpoint[], open: readonly Alert[]): string {
  const waiting = open.filter(({ state }) => state === 'open').length;
  if (endpoints.length === 0)
    return 'Monitors watch what an endpoint serves against the data its model was trained on.';
  if (open.length === 0)
    return 'Monitors judge whole windows of the endpoint’s own time; an alert opens when several in a row are over.';
  return waiting === 0
    ? 'Somebody looks after each of them.'
    : `${count(waiting)} of ${count(open.length)} ${waiting === 1 ? 'waits' : 'wait'} for somebody to take it.`;
}

function Endpoints({ endpoints }: { endpoints: readonly Endpoint[] }) {
  return (
    <div className="wide">
      <table className="live even">
        <thead>
          <tr>
            <th>Endpoint</th>
            <th>Drift</th>
            <th>Quality</th>
            <th>Fairness</th>
            <th>Serving</th>
            <th className="num">Judged until</th>
          </tr>
        </thead>
        <tbody>
          {endpoints.map((endpoint) => (
            <EndpointLine key={endpoint.name} endpoint={endpoint} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function EndpointLine({ endpoint }: { endpoint: Endpoint }) {
  const monitors = useMonitors(endpoint.name, { limit: windows }).data;
  const last =
    monitors &&
    Math.max(0, ...[monitors.drift.windows, monitors.quality, monitors.service].map((all) => all.at(-1)?.end ?? 0));
  return (
    <tr>
      <td>
        <Link className="b" to="/monitoring/$endpoint" params={{ endpoint: endpoint.name }}>
          {endpoint.name}
        </Link>
        <br />
        <span className="sub">{endpoint.champion ? `v${endpoint.champion.version} serves` : 'nothing serves'}</span>
      </td>
      <Line line={monitors && driftLine(monitors)} />
      <Line line={monitors && qualityLine(monitors)} />
      <Line line={monitors && fairnessLine(monitors)} />
      <Line line={servingLine(endpoint, monitors)} />
      <td className="num i2">{last ? moment(last) : 'no window yet'}</td>
    </tr>
  );
}

function Line({ line }: { line: HealthLine | undefined }) {
  if (!line) return <td className="i3">not watched</td>;
  return (
    <td>
      <Verdict mark={line.mark}>{line.says}</Verdict>
      <br />
      <span className="sub why-line" title={line.why}>
        {line.why}
      </span>
    </td>
  );
}

export function OpenAlert({ alert, brief = false }: { alert: Alert; brief?: boolean }) {
  const queries = useQueryClient();
  const [problem, setProblem] = useState<string>();
  const answer = async (verb: 'acknowledge' | 'resolve') => {
    setProblem(undefined);
    try {
      await post(`/api/v1/alerts/${encodeURIComponent(alert.id)}/${verb}`);
      await queries.invalidateQueries({ queryKey: ['alerts'] });
    } catch (error) {
      setProblem(
        error instanceof ApiProblem ? `${error.message} ${error.fix ?? ''}` : 'The server could not be reached.',
      );
    }
  };
  const taken = alert.state === 'acknowledged';
  return (
    <div className={alert.severity === 'page' ? 'need bad' : 'need'}>
      <div>
        <b className="b">
          {alert.endpoint} v{alert.version}: {tidy(alert.title)}
        </b>{' '}
        <span className="i3 small">
          since {moment(alert.openedClock)}
          {taken && `, ${alert.acknowledgedBy ?? 'somebody'} looks after it`}
        </span>
      </div>
      <ul className="says">
        {alert.items
          .filter(({ says }) => !brief && says !== alert.title)
          .slice(0, 4)
          .map((item) => (
            <li key={item.name}>{tidy(item.says.replace(/ \([^)]*\)/, ''))}</li>
          ))}
        {problem && (
          <li className="warn-text" role="alert">
            {problem}
          </li>
        )}
      </ul>
      <div className="need-actions">
        {taken ? (
          <button type="button" className="btn" onClick={() => void answer('resolve')}>
            Resolve
          </button>
        ) : (
          <button type="button" className="btn" onClick={() => void answer('acknowledge')}>
            I look after it
          </button>
        )}
      </div>
    </div>
  );
}

function Closed({ alerts }: { alerts: readonly Alert[] }) {
  if (alerts.length === 0) return null;
  return (
    <section className="below">
      <SectionHead title="Alerts that are over" aside={count(alerts.length)} />
      <div className="wide">
        <table>
          <thead>
            <tr>
              <th>Endpoint</th>
              <th>What</th>
              <th>Opened</th>
              <th>Over after</th>
              <th>How it ended</th>
            </tr>
          </thead>
          <tbody>
            {alerts.map((alert) => (
              <tr key={alert.id}>
                <td className="nowrap">
                  <Link to="/monitoring/$endpoint" params={{ endpoint: alert.endpoint }}>
                    {alert.endpoint} v{alert.version}
                  </Link>
                </td>
                <td>{tidy(alert.title)}</td>
                <td className="i2 nowrap">{moment(alert.openedClock)}</td>
                <td className="i2 nowrap">
                  {alert.resolvedClock === undefined ? '' : duration(alert.resolvedClock - alert.openedClock)}
                </td>
                <td className="i2">{alert.resolution}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
