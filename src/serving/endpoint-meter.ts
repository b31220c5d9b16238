/** What an endpoint does at this moment: counters since the start, and a window of five minutes. */
import { latencyBucket, latencyBuckets, latencyQuantile } from '../statistics/latency-histogram.ts';
import { type Role, roles } from './prediction.ts';

const slotMs = 10_000;
const slots = 30;

export type RoleCounts = {
  ok: number;
  readonly errors: Map<string, number>;
  readonly latency: Uint32Array;
  latencySumMs: number;
};

export type EndpointMeter = {
  readonly roles: Readonly<Record<Role, RoleCounts>>;
  mirrorDrops: number;
  readonly window: Slot[];
};

type Slot = { since: number; requests: number; errors: number; latency: Uint32Array };

export function newMeter(): EndpointMeter {
  const counts = roles.map((role): [Role, RoleCounts] => [
    role,
    { ok: 0, errors: new Map(), latency: new Uint32Array(latencyBuckets), latencySumMs: 0 },
  ]);
  // Object.fromEntries forgets that every role is among the keys.
  return { roles: Object.fromEntries(counts) as Record<Role, RoleCounts>, mirrorDrops: 0, window: [] };
}

/** @param errorCode absent for an answer */
export function countRequest(
  meter: EndpointMeter,
  { role, latencyMs, at, errorCode }: { role: Role; latencyMs: number; at: number; errorCode?: string },
): void {
  const counts = meter.roles[role];
  const bucket = latencyBucket(latencyMs);
  const slot = slotAt(meter, at);
  slot.requests++;
  slot.latency[bucket] = (slot.latency[bucket] ?? 0) + 1;
  counts.latency[bucket] = (counts.latency[bucket] ?? 0) + 1;
  counts.latencySumMs += latencyMs;
  if (errorCode === undefined) counts.ok++;
  else {
    slot.errors++;
    counts.errors.set(errorCode, (counts.errors.get(errorCode) ?? 0) + 1);
  }
}

function slotAt({ window }: EndpointMeter, at: number): Slot {
  const since = Math.floor(at / slotMs) * slotMs;
  const last = window.at(-1);
  // A clock that was set back goes on counting in the newest slot.
  if (last && last.since >= since) return last;
  const slot = { since, requests: 0, errors: 0, latency: new Uint32Array(latencyBuckets) };
  window.push(slot);
  if (window.length > slots) window.shift();
  return slot;
}

export type MeterView = {
  /** Of the last five minutes, or of the time since the start if that is shorter. */
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly errors: number;
  readonly latencyMs: { readonly p50?: number; readonly p95?: number; readonly p99?: number };
  readonly mirrorDrops: number;
};

export function viewMeter({ window, mirrorDrops }: EndpointMeter, at: number): MeterView {
  const recent = window.filter(({ since }) => since > at - slots * slotMs);
  const latency = new Uint32Array(latencyBuckets);
  let requests = 0;
  let errors = 0;
  for (const slot of recent) {
    requests += slot.requests;
    errors += slot.errors;
    for (let bucket = 0; bucket < latency.length; bucket++) {
      latency[bucket] = (latency[bucket] ?? 0) + (slot.latency[bucket] ?? 0);
    }
  }
  const seconds = Math.max(1, (at - (recent[0]?.since ?? at)) / 1_000);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((p) => latencyQuantile(latency, p));
  return {
    requestsPerSecond: requests / seconds,
    requests,
    errors,
    latencyMs: {
      ...(p50 !== undefined && { p50 }),
      ...(p95 !== undefined && { p95 }),
      ...(p99 !== undefined && { p99 }),
    },
    mirrorDrops,
  };
}
