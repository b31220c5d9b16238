/** Follows the logs of all endpoints, and judges each window when the endpoint's clock passes its end. May stop at any moment. */
import { eventStore } from '../events/event-store.ts';
import { startLoop } from '../events/loop-worker.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { LogSignal, ReadLog } from '../serving/prediction.ts';
import { dayOf } from '../serving/summary.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { Database, Db } from '../storage/database.ts';
import { type Firing, firingNames, type MonitorKind, monitorKinds, observe } from './alert.ts';
import { alertStore } from './alert-store.ts';
import { type DriftReference, driftReferences } from './drift.ts';
import { dueEnds, type JudgedWindow, judgeWindow, observationsOf, scheduleOf } from './judge-windows.ts';
import { type MonitorState, monitorStore } from './monitor-store.ts';
import type { MonitorPlan } from './monitors-config.ts';
import { type AlertDeps, dropAlert, raiseAlert, type Watched } from './raise-alert.ts';
import { type ReferenceProfile, referenceBins } from './reference-profile.ts';
import { foldDay, forgetDays, noDays, type Served, type TrafficDays } from './traffic-days.ts';

export type MonitorWorkerDeps = {
  readonly database: Database;
  readonly endpoints: () => Promise<readonly Endpoint[]>;
  /** What the endpoint's project asks for; absent: nothing is watched. */
  readonly planFor: (endpoint: Endpoint) => Promise<MonitorPlan | undefined>;
  /** The reference profile stored with a version. */
  readonly profileOf: (version: VersionRef) => Promise<ReferenceProfile | undefined>;
  readonly readLog: ReadLog;
  readonly logSignal: LogSignal;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type MonitorWorker = AsyncDisposable & { readonly wake: () => void };

const pageSize = 2000;
/** It clears below this share of its threshold. */
const clearAt = 0.8;

export function startMonitorWorker(deps: MonitorWorkerDeps): MonitorWorker {
  const { database, endpoints, planFor, profileOf, readLog, now, newId, onError } = deps;
  const followed = new Map<string, Followed>();

  /** @returns whether there is more of the log */
  async function follow(endpoint: Endpoint): Promise<boolean> {
    const plan = await planFor(endpoint);
    if (!plan || monitorKinds.every((monitor) => plan[monitor] === undefined)) {
      followed.delete(endpoint.name);
      return false;
    }
    const settings = JSON.stringify(plan);
    let one = followed.get(endpoint.name);
    if (!one || one.settings !== settings) {
      const state = await monitorStore(database.read).state(endpoint.name);
      one = await begin(endpoint, plan, settings, state);
    }
    const page = await readLog(endpoint.name, { after: one.days.seq, limit: pageSize });
    for (const record of page) {
      const served = foldDay(one.days, record);
      if (!served) continue;
      // What came before is judged against the version it was answered by.
      await judge(endpoint, plan, one, one.days.clock);
      await switchTo(endpoint, plan, one, served);
      return true;
    }
    const behind = page.length === pageSize;
    const clock = behind || endpoint.time !== undefined ? one.days.clock : now();
    await judge(endpoint, plan, one, clock);
    return behind;
  }

  async function begin(
    endpoint: Endpoint,
    plan: MonitorPlan,
    settings: string,
    state: MonitorState,
  ): Promise<Followed> {
    const profile = state.version && (await profileOf(state.version));
    const { key, time } = endpoint;
    const leftOut = new Set([key, time, endpoint.assign].filter((name) => name !== undefined));
    const references = profile && plan.drift ? driftReferences(profile, plan.drift, leftOut) : [];
    const days = noDays(
      {
        version: state.version,
        generation: state.generation,
        bins: profile ? referenceBins(profile).features : {},
        slowAboveMs: plan.service?.latency?.belowMs ?? endpoint.latencyMs,
        ...(plan.fairness && { groups: plan.fairness }),
      },
      state.restartSeq,
    );
    const one: Followed = { settings, state, references, days };
    followed.set(endpoint.name, one);
    return one;
  }

  /** Another version serves: its own training data is the reference, and drift against the old one is no longer a question. */
  async function switchTo(
    endpoint: Endpoint,
    plan: MonitorPlan,
    one: Followed,
    { version, generation }: Served,
  ): Promise<void> {
    const { drift: _, ...firing } = one.state.firing;
    const state: MonitorState = { ...one.state, version, generation, firing, restartSeq: restartSeqOf(plan, one) };
    await database.write(async (tx) => {
      await monitorStore(tx).saveState(endpoint.name, state);
      const reason = `version ${version.version} serves now and is judged against its own training data`;
      await dropAlert(alertDeps(tx), `${endpoint.name}/drift`, { clock: one.days.clock, reason });
    });
    await begin(endpoint, plan, one.settings, state);
  }

  async function judge(endpoint: Endpoint, plan: MonitorPlan, one: Followed, clock: number): Promise<void> {
    const firstDay = one.state.firstDay ?? Math.min(...one.days.days.keys());
    if (!Number.isFinite(firstDay) || !Number.isFinite(clock) || !one.state.version) {
      // Before the first answer there is nothing to judge, but what the log began with is remembered.
      if (Number.isFinite(firstDay)) one.state = { ...one.state, firstDay };
      return;
    }
    one.state = { ...one.state, firstDay };
    const due = monitorKinds
      .flatMap((monitor) => {
        const schedule = scheduleOf(plan, monitor);
        if (!schedule) return [];
        const ends = dueEnds(schedule, { after: one.state.judged[monitor] ?? firstDay, clock });
        return ends.map((end) => ({ monitor, start: end - schedule.windowMs, end }));
      })
      .sort((a, b) => a.end - b.end);
    for (const { monitor, start, end } of due) await judgeOne(endpoint, plan, one, { monitor, start, end });
    if (due.length > 0) forgetDays(one.days, oldestNeeded(plan, one.state));
  }

  async function judgeOne(
    endpoint: Endpoint,
    plan: MonitorPlan,
    one: Followed,
    { monitor, start, end }: { monitor: MonitorKind; start: number; end: number },
  ): Promise<void> {
    const { state } = one;
    const { version, firstDay = 0 } = state;
    const judged = { ...state.judged, [monitor]: end };
    // A window that begins before the log does not hold a whole cycle of anything.
    if (!version || start < firstDay) {
      one.state = { ...state, judged };
      return;
    }
    const window: JudgedWindow = judgeWindow({ plan, references: one.references, days: one.days.days }, monitor, {
      start,
      end,
    });
    const persist = persistenceOf(plan, monitor);
    const firing: Readonly<Record<string, Firing>> = observe(
      state.firing[monitor] ?? {},
      observationsOf(window.result),
      { persist, clearAt },
      end,
    );
    const next: MonitorState = { ...state, judged, firing: { ...state.firing, [monitor]: firing } };
    const after: MonitorState = { ...next, restartSeq: restartSeqOf(plan, { ...one, state: next }) };
    const watched: Watched = { endpoint: endpoint.name, project: endpoint.project, ...version };
    await database.write(async (tx) => {
      const monitors = monitorStore(tx);
      await monitors.saveWindow(endpoint.name, { ...window, version });
      await monitors.saveState(endpoint.name, after);
      await raiseAlert(alertDeps(tx), watched, { monitor, firing: firingNames(firing), window });
    });
    one.state = after;
  }

  const alertDeps = (tx: Db): AlertDeps => ({ alerts: alertStore(tx), events: eventStore(tx), now, newId });

  const loop = startLoop({
    everyMs: 1000,
    // Windows are days: the log may run ahead a little, serving must not wait for the monitors.
    atMostEveryMs: 20,
    onError,
    pass: async (signal) => {
      let more = false;
      for (const endpoint of await endpoints()) {
        if (signal.aborted) return false;
        try {
          if (await follow(endpoint)) more = true;
        } catch (error) {
          // One endpoint's trouble is not another's; what was folded may be half, so it begins again.
          followed.delete(endpoint.name);
          onError(error);
        }
      }
      return more;
    },
  });
  const listening = deps.logSignal.onAppend(loop.wake);
  return {
    wake: loop.wake,
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}

type Followed = {
  readonly settings: string;
  state: MonitorState;
  readonly references: readonly DriftReference[];
  readonly days: TrafficDays;
};

/** Windows in a row. Labelled windows overlap and carry their intervals; single days of service are noisy. */
function persistenceOf(plan: MonitorPlan, monitor: MonitorKind): number {
  if (monitor === 'drift') return plan.drift?.persist ?? 1;
  return monitor === 'service' ? 2 : 1;
}

/** The first day that a window still to be judged can hold. */
function oldestNeeded(plan: MonitorPlan, { judged, firstDay = 0 }: MonitorState): number {
  const starts = monitorKinds.flatMap((monitor) => {
    const schedule = scheduleOf(plan, monitor);
    return schedule ? [(judged[monitor] ?? firstDay) + schedule.everyMs - schedule.windowMs] : [];
  });
  return dayOf(Math.min(...starts));
}

function restartSeqOf(plan: MonitorPlan, { state, days }: Pick<Followed, 'state' | 'days'>): number {
  const oldest = oldestNeeded(plan, state);
  const needed = [...days.days.values()].filter(({ day }) => day >= oldest).map(({ firstSeq }) => firstSeq - 1);
  return needed.length > 0 ? Math.max(state.restartSeq, Math.min(...needed)) : state.restartSeq;
}
