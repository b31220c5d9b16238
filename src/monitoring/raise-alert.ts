/** Opens, changes and resolves alerts after a window was judged. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { type Alert, changeOf, type MonitorKind } from './alert.ts';
import type { AlertStore } from './alert-store.ts';
import { evidenceOf, itemsOf, severityOf, titleOf } from './alert-words.ts';
import type { JudgedWindow } from './judge-windows.ts';

export type AlertDeps = {
  readonly alerts: AlertStore;
  readonly events: EventStore;
  readonly now: () => number;
  readonly newId: () => string;
};

export type Watched = {
  readonly endpoint: string;
  readonly project: string;
  readonly model: string;
  readonly version: number;
};

export const ruleActor = 'rule:monitoring';

export async function raiseAlert(
  deps: AlertDeps,
  watched: Watched,
  { monitor, firing, window }: { monitor: MonitorKind; firing: readonly string[]; window: JudgedWindow },
): Promise<void> {
  const { alerts, now, newId } = deps;
  const identity = `${watched.endpoint}/${monitor}`;
  const open = await alerts.findOpen(identity);
  const change = changeOf(open, firing);
  const at = now();
  const seen = {
    items: itemsOf(window, firing),
    title: titleOf(window, firing),
    lastSeenClock: window.end,
    evidence: evidenceOf(window),
  };
  switch (change) {
    case 'none':
      return;
    case 'open': {
      const alert: Alert = {
        id: newId(),
        identity,
        ...watched,
        monitor,
        severity: severityOf(monitor),
        state: 'open',
        openedAt: at,
        openedClock: window.end,
        ...seen,
      };
      await alerts.insert(alert);
      return tell(deps, alert, 'monitoring.alert-opened', {
        at,
        clock: window.end,
        actor: ruleActor,
        reason: alert.title,
      });
    }
    case 'change': {
      const alert = { ...open!, ...seen }; // a change is of an open one
      await alerts.replace(alert);
      return tell(deps, alert, 'monitoring.alert-changed', {
        at,
        clock: window.end,
        actor: ruleActor,
        reason: alert.title,
      });
    }
    case 'keep':
      await alerts.replace({ ...open!, lastSeenClock: window.end }); // kept ones are open
      return;
    case 'resolve':
      return resolve(deps, open!, { at, clock: window.end, actor: ruleActor, reason: 'below its threshold again' }); // only open ones resolve
  }
}

/** Another version serves: it is judged against its own training data. */
export async function dropAlert(
  deps: AlertDeps,
  identity: string,
  { clock, reason }: { readonly clock: number; readonly reason: string },
): Promise<void> {
  const open = await deps.alerts.findOpen(identity);
  if (open) await resolve(deps, open, { at: deps.now(), clock, actor: ruleActor, reason });
}

/** A person's word. @throws PlatformError monitoring/alert-not-found, monitoring/alert-resolved */
export async function answerAlert(
  deps: AlertDeps,
  {
    id,
    answer,
    actor,
    reason,
    clock,
  }: { id: string; answer: 'acknowledge' | 'resolve'; actor: string; reason: string; clock: number },
): Promise<Alert> {
  const alert = await deps.alerts.find(id);
  if (!alert) throw new PlatformError('monitoring/alert-not-found', id);
  if (alert.state === 'resolved') throw new PlatformError('monitoring/alert-resolved', id);
  const told = { at: deps.now(), clock, actor, reason: reason || `${answer}d` };
  if (answer === 'resolve') await resolve(deps, alert, told);
  else {
    const acknowledged: Alert = { ...alert, state: 'acknowledged', acknowledgedBy: actor };
    await deps.alerts.replace(acknowledged);
    await tell(deps, acknowledged, 'monitoring.alert-acknowledged', told);
  }
  return (await deps.alerts.find(id)) ?? alert;
}

type Told = { readonly at: number; readonly clock: number; readonly actor: string; readonly reason: string };

async function resolve(deps: AlertDeps, alert: Alert, told: Told): Promise<void> {
  const resolved: Alert = {
    ...alert,
    state: 'resolved',
    resolvedAt: told.at,
    resolvedClock: told.clock,
    resolution: told.reason,
  };
  await deps.alerts.replace(resolved);
  await tell(deps, resolved, 'monitoring.alert-resolved', told);
}

async function tell(
  { events }: AlertDeps,
  alert: Alert,
  type: string,
  { at, clock, actor, reason }: Told,
): Promise<void> {
  await events.append({
    type,
    project: alert.project,
    subject: `alert/${alert.id}`,
    actor,
    at,
    endpointTime: clock,
    reason,
    data: {
      endpoint: alert.endpoint,
      monitor: alert.monitor,
      model: alert.model,
      version: alert.version,
      severity: alert.severity,
      state: alert.state,
      title: alert.title,
      items: alert.items.map((item) => ({ ...item })),
      evidence: alert.evidence,
    },
  });
}
