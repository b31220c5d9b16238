/** When something becomes an alert, and when it stops being one. One open alert per identity. */
import type { Json } from '../events/event.ts';

export const monitorKinds = ['drift', 'quality', 'fairness', 'service'] as const;
export type MonitorKind = (typeof monitorKinds)[number];

export const alertStates = ['open', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof alertStates)[number];

export type Alert = {
  readonly id: string;
  /** `endpoint/monitor`: what is measured never is part of it. */
  readonly identity: string;
  readonly endpoint: string;
  readonly project: string;
  readonly monitor: MonitorKind;
  readonly model: string;
  readonly version: number;
  readonly severity: 'page' | 'ticket';
  readonly state: AlertState;
  /** Says what happened and in which direction. */
  readonly title: string;
  /** What fires: the features that moved, the groups, or the metric. */
  readonly items: readonly AlertItem[];
  /** Wall clock, and the endpoint's: the end of the window that opened it. */
  readonly openedAt: number;
  readonly openedClock: number;
  /** End of the last window in which it fired. */
  readonly lastSeenClock: number;
  readonly acknowledgedBy?: string;
  readonly resolvedAt?: number;
  readonly resolvedClock?: number;
  readonly resolution?: string;
  /** What was measured when it opened or last changed. */
  readonly evidence: { readonly [key: string]: Json };
};

export type AlertItem = {
  readonly name: string;
  readonly value?: number;
  readonly threshold?: number;
  readonly ratio?: number;
  readonly says: string;
};

/** How long something has been over, and whether it counts as firing. */
export type Firing = { readonly over: number; readonly firing: boolean; readonly since?: number };

export type Observation = {
  readonly name: string;
  /** Value over threshold; absent when nothing could be judged, which changes nothing. */
  readonly ratio: number | undefined;
};

export type Persistence = {
  /** Windows in a row before it fires. */
  readonly persist: number;
  /** It stops below this share of the threshold, so that it does not flap. */
  readonly clearAt: number;
};

/** @param at end of the window */
export function observe(
  before: Readonly<Record<string, Firing>>,
  observations: readonly Observation[],
  { persist, clearAt }: Persistence,
  at: number,
): Readonly<Record<string, Firing>> {
  const after: Record<string, Firing> = { ...before };
  for (const { name, ratio } of observations) {
    if (ratio === undefined) continue;
    const { over = 0, firing = false, since } = before[name] ?? {};
    if (ratio > 1) {
      const row = over + 1;
      after[name] = { over: row, firing: firing || row >= persist, since: since ?? at };
    } else if (firing && ratio >= clearAt) after[name] = { over: 0, firing, ...(since !== undefined && { since }) };
    else after[name] = { over: 0, firing: false };
  }
  return after;
}

export const firingNames = (states: Readonly<Record<string, Firing>>): readonly string[] =>
  Object.entries(states)
    .filter(([, { firing }]) => firing)
    .map(([name]) => name)
    .sort();

/** What becomes of an alert. */
export type AlertChange = 'open' | 'change' | 'resolve' | 'keep' | 'none';

export function changeOf(open: Pick<Alert, 'items'> | undefined, firing: readonly string[]): AlertChange {
  if (!open) return firing.length > 0 ? 'open' : 'none';
  if (firing.length === 0) return 'resolve';
  const had = new Set(open.items.map((item) => item.name));
  // Something that stopped while another goes on is no news.
  return firing.some((name) => !had.has(name)) ? 'change' : 'keep';
}
