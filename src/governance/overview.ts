/** One line an endpoint: what is live, how healthy and why, what changed last and what comes next. */
import { type Static, Type } from 'typebox';
import { clock, list, maybe, share, time } from '../http/view.ts';
import type { Alert } from '../monitoring/alert.ts';
import type { StoredWindow } from '../monitoring/monitor-store.ts';
import { alertView } from '../monitoring/monitor-view.ts';
import { isOver, type Rollout, sayState, sayVersion } from '../rollouts/rollout.ts';
import type { Look } from '../rollouts/rollout-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import { versionRefView } from '../serving/endpoint-view.ts';
import type { Traffic } from '../serving/traffic.ts';

export type EndpointFacts = {
  readonly endpoint: Endpoint;
  readonly traffic: Traffic;
  /** The endpoint's. */
  readonly clock: number;
  /** The newest, running or not. */
  readonly rollout?: Rollout;
  readonly look?: Look;
  readonly alerts: readonly Alert[];
  /** Newest last. */
  readonly drift: readonly StoredWindow[];
  readonly quality: readonly StoredWindow[];
  readonly fairness: readonly StoredWindow[];
  readonly service: readonly StoredWindow[];
};

/** Worst first, where they are compared. */
export const healthLevels = ['broken', 'watch', 'unknown', 'good'] as const;
export type HealthLevel = (typeof healthLevels)[number];

export type HealthLine = { readonly what: string; readonly level: HealthLevel; readonly says: string };

const level = Type.Enum([...healthLevels]);
const { id, monitor, title, state, severity, openedClock } = alertView.properties;

/** What `overviewOf` makes. */
export const overviewView = Type.Object(
  {
    endpoint: Type.String(),
    project: Type.String(),
    clock: clock('Now'),
    champion: maybe(versionRefView),
    previous: maybe(versionRefView),
    traffic: maybe(
      Type.Object(
        {
          challenger: versionRefView,
          stage: Type.Enum(['shadow', 'canary']),
          share: share("The canary's share of the units"),
        },
        { description: 'While a rollout moves it' },
      ),
    ),
    level,
    health: list(Type.Object({ what: Type.String(), level, says: Type.String() }), { description: 'Worst first' }),
    loop: Type.Enum(['staging', 'production', 'alert', 'monitoring'], { description: 'Where the loop stands' }),
    lastChange: maybe(
      Type.Object({
        rollout: Type.String(),
        says: Type.String(),
        at: time(),
        clock: clock(),
      }),
    ),
    nextChange: maybe(
      Type.Object(
        {
          rollout: Type.String(),
          says: Type.String(),
          open: list(Type.Object({ says: Type.String(), value: Type.String() }), { description: 'What it waits for' }),
        },
        { description: 'Of a rollout that runs' },
      ),
    ),
    alerts: list(Type.Object({ id, monitor, title, state, severity, openedClock }), { description: 'The open ones' }),
  },
  { title: 'Overview' },
);

export function overviewOf(facts: EndpointFacts): Static<typeof overviewView> {
  const { endpoint, traffic, clock, rollout, look, alerts } = facts;
  const health = healthOf(facts).toSorted((a, b) => healthLevels.indexOf(a.level) - healthLevels.indexOf(b.level));
  const running = rollout && !isOver(rollout.state) ? rollout : undefined;
  return {
    endpoint: endpoint.name,
    project: endpoint.project,
    clock,
    champion: traffic.champion,
    previous: traffic.previous,
    traffic: traffic.rollout && {
      challenger: traffic.rollout.challenger,
      stage: traffic.rollout.stage,
      share: traffic.rollout.share,
    },
    level: health[0]?.level ?? 'unknown',
    health,
    /** Where the loop stands: what is moving now. */
    loop: running
      ? running.state.kind === 'shadow'
        ? 'staging'
        : 'production'
      : alerts.length > 0
        ? 'alert'
        : 'monitoring',
    lastChange: rollout && {
      rollout: rollout.id,
      says: `${sayVersion(rollout.challenger)} ${sayState(rollout.state, rollout.plan)}`,
      at: rollout.endedAt ?? rollout.startedAt,
      clock: rollout.stateSince,
    },
    nextChange: running && {
      rollout: running.id,
      says: look?.because ?? '',
      open: (look?.conditions ?? []).filter((one) => !one.met).map(({ says, value }) => ({ says, value })),
    },
    alerts: alerts.map(({ id, monitor, title, state, severity, openedClock }) => ({
      id,
      monitor,
      title,
      state,
      severity,
      openedClock,
    })),
  };
}

function healthOf({ traffic, alerts, drift, quality, fairness, service }: EndpointFacts): readonly HealthLine[] {
  if (!traffic.champion) return [{ what: 'serving', level: 'unknown', says: 'nothing serves yet' }];
  const lines: HealthLine[] = [];
  const alertOf = (monitor: Alert['monitor']) => alerts.find((alert) => alert.monitor === monitor);
  const line = (what: Alert['monitor'], level: HealthLevel, says: string) => {
    const alert = alertOf(what);
    lines.push(
      alert
        ? { what, level: alert.severity === 'page' ? 'broken' : 'watch', says: alert.title }
        : { what, level, says },
    );
  };
  const lastOf = (windows: readonly StoredWindow[]) => windows.at(-1)?.result;

  const drifted = lastOf(drift);
  if (drifted?.monitor === 'drift') {
    const over = drifted.features.filter((one) => one.state === 'over').length;
    const judged = drifted.features.filter((one) => one.state === 'over' || one.state === 'calm').length;
    if (judged === 0) line('drift', 'unknown', 'no feature could be judged');
    else line('drift', over > 0 ? 'watch' : 'good', `${over} of ${judged} features over their threshold`);
  }
  for (const [what, result] of [
    ['quality', lastOf(quality)],
    ['fairness', lastOf(fairness)],
  ] as const) {
    if (result?.monitor !== 'quality' && result?.monitor !== 'fairness') continue;
    const { outcome, reason } = result.verdict;
    line(what, outcome === 'pass' ? 'good' : outcome === 'fail' ? 'broken' : 'unknown', reason);
  }
  const served = lastOf(service);
  if (served?.monitor === 'service') {
    const verdicts = [served.availability, served.latency].filter((one) => one !== undefined);
    const bad = verdicts.find((one) => one.outcome === 'fail');
    line('service', bad ? 'broken' : 'good', (bad ?? verdicts[0])?.reason ?? 'nothing was promised');
  }
  return lines.length > 0 ? lines : [{ what: 'monitoring', level: 'unknown', says: 'no window was judged yet' }];
}
