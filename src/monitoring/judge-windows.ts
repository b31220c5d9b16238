/** Which windows are due, and what each monitor says about them. */
import { dayMs } from '../rollouts/quantity.ts';
import { addCounts } from '../statistics/histogram.ts';
import type { MonitorKind, Observation } from './alert.ts';
import { type DriftReference, type FeatureDrift, judgeDrift } from './drift.ts';
import { type FairnessResult, judgeFairness } from './fairness.ts';
import type { MonitorPlan, Windows } from './monitors-config.ts';
import { judgeQuality, type QualityResult } from './quality.ts';
import { judgeService, type ServiceResult } from './service-level.ts';
import type { TrafficDay } from './traffic-days.ts';

export type WindowResult =
  | { readonly monitor: 'drift'; readonly features: readonly FeatureDrift[] }
  | ({ readonly monitor: 'quality' } & QualityResult)
  | ({ readonly monitor: 'fairness' } & FairnessResult)
  | ({ readonly monitor: 'service' } & ServiceResult);

export type JudgedWindow = {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly rows: number;
  readonly result: WindowResult;
};

export type Schedule = Windows & {
  /** How long after its end a window can be judged. */
  readonly maturityMs: number;
};

export function scheduleOf(plan: MonitorPlan, monitor: MonitorKind): Schedule | undefined {
  const one = plan[monitor];
  if (!one) return undefined;
  return { windowMs: one.windowMs, everyMs: one.everyMs, maturityMs: 'maturityMs' in one ? one.maturityMs : 0 };
}

/** After so many missed windows the oldest are let go: nobody looks at a year of them at once. */
const mostDue = 400;

/**
 * Ends of windows that can be judged now.
 * @param after end of the last one that was judged, or the beginning of the log
 * @param clock the endpoint's
 */
export function dueEnds(
  { everyMs, maturityMs }: Schedule,
  { after, clock }: { after: number; clock: number },
): readonly number[] {
  const last = Math.floor((clock - maturityMs) / everyMs) * everyMs;
  const first = Math.max(Math.floor(after / everyMs) * everyMs + everyMs, last - mostDue * everyMs);
  const ends: number[] = [];
  for (let end = first; end <= last; end += everyMs) ends.push(end);
  return ends;
}

export type Judging = {
  readonly plan: MonitorPlan;
  readonly references: readonly DriftReference[];
  readonly days: ReadonlyMap<number, TrafficDay>;
};

export function judgeWindow(
  { plan, references, days }: Judging,
  monitor: MonitorKind,
  { start, end }: { readonly start: number; readonly end: number },
): JudgedWindow {
  const inside = [...days.values()].filter(({ day }) => day >= start && day < end).sort((a, b) => a.day - b.day);
  const rows = inside.reduce((sum, one) => sum + one.rows, 0);
  const result = resultOf(plan, references, monitor, { inside, start, end });
  return { start, end, rows, result };
}

function resultOf(
  plan: MonitorPlan,
  references: readonly DriftReference[],
  monitor: MonitorKind,
  { inside, start, end }: { readonly inside: readonly TrafficDay[]; readonly start: number; readonly end: number },
): WindowResult {
  if (monitor === 'drift' && plan.drift) {
    const counts: Record<string, readonly number[]> = {};
    for (const { feature } of references) {
      const each = inside.flatMap((one) => one.features[feature] ?? []);
      if (each.length > 0) counts[feature] = inside.map((one) => one.features[feature] ?? []).reduce(addCounts);
    }
    const rowsOf = new Map(inside.map(({ day, rows }) => [day, rows]));
    const days = Array.from({ length: (end - start) / dayMs }, (_, i) => rowsOf.get(start + i * dayMs) ?? 0);
    return { monitor, features: judgeDrift(references, { counts, days }, plan.drift) };
  }
  if (monitor === 'quality' && plan.quality) return { monitor, ...judgeQuality(inside, plan.quality) };
  if (monitor === 'fairness' && plan.fairness) return { monitor, ...judgeFairness(inside, plan.fairness) };
  if (monitor === 'service' && plan.service) return { monitor, ...judgeService(inside, plan.service) };
  throw new RangeError(`no ${monitor} monitor is planned`);
}

/** What an alert is made of: over the threshold or not, and nothing where it could not be judged. */
export function observationsOf(result: WindowResult): readonly Observation[] {
  switch (result.monitor) {
    case 'drift':
      return result.features.map(({ feature, state, ratio }) => ({
        name: feature,
        // A large distance that is not significant is not over.
        ratio: state === 'over' ? Math.max(ratio ?? 0, 1.0001) : state === 'calm' ? Math.min(ratio ?? 0, 1) : undefined,
      }));
    case 'quality':
      return [{ name: result.metric, ratio: ratioOf(result.verdict.outcome) }];
    case 'fairness':
      return [{ name: result.column, ratio: ratioOf(result.verdict.outcome) }];
    case 'service':
      return (['availability', 'latency'] as const).flatMap((name) => {
        const verdict = result[name];
        return verdict ? [{ name, ratio: ratioOf(verdict.outcome) }] : [];
      });
  }
}

/** A verdict has its interval inside, so it needs no distance: undecided changes nothing. */
const ratioOf = (outcome: 'pass' | 'fail' | 'inconclusive') =>
  outcome === 'fail' ? 2 : outcome === 'pass' ? 0 : undefined;
