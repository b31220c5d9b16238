/**
 * Whether what comes in still looks like the training data.
 *
 * A distance is judged by what the training period did to itself: windows as long, sliding by as much, over the training days give
 * the distances that the season alone makes. The threshold lies above all of them, above chance at this number of rows, and above
 * what would matter at all. p-values alone call every window of ten thousand rows drifted; fixed distances call every small one.
 */

import { dayMs } from '../rollouts/quantity.ts';
import { chiSquaredSurvival } from '../statistics/chi-squared.ts';
import { jensenShannonDistance, ksDistance } from '../statistics/distance.ts';
import { kolmogorovSurvival } from '../statistics/kolmogorov.ts';
import { momentsOf, varianceOf } from '../statistics/moments.ts';
import { holmAdjusted } from '../statistics/multiple-testing.ts';
import { jensenShannonNoise, ksNoise } from '../statistics/noise-floor.ts';
import { cycleOf } from './calendar-feature.ts';
import type { DriftPlan } from './monitors-config.ts';
import { allDays, type ReferenceColumn, type ReferenceProfile, slidingWindows } from './reference-profile.ts';

export type DriftMethod = 'Kolmogorov–Smirnov' | 'Jensen–Shannon';

/** What the training period says about one feature, worked out once per version. */
export type DriftReference = {
  readonly feature: string;
  readonly column: ReferenceColumn;
  readonly method: DriftMethod;
  /** All training rows that have a value, per cell. */
  readonly counts: readonly number[];
  readonly rows: number;
  readonly missingShare: number;
  /** The threshold before chance at the window's size is taken into account. */
  readonly threshold: number;
  /** What made the threshold. */
  readonly because: string;
  /** Own windows it rests on. */
  readonly windows: number;
};

/** Smaller distances do not matter, whatever their significance. */
const practical = 0.1;
const alpha = 0.01;
/** Missing values are a drift of their own: a share that rises by this much. */
const missingPoints = 0.05;

/** @param left out: names that are no features, such as the key and the time */
export function driftReferences(
  profile: ReferenceProfile,
  { windowMs, features }: Pick<DriftPlan, 'windowMs' | 'features'>,
  leftOut: ReadonlySet<string> = new Set(),
): readonly DriftReference[] {
  return Object.entries(profile.features)
    .filter(([feature]) => !leftOut.has(feature) && (features === 'all' || features.includes(feature)))
    .map(([feature, column]) => referenceOf(feature, column, windowMs));
}

export type DriftState = 'calm' | 'over' | 'too few rows' | 'too short' | 'no values';

export type FeatureDrift = {
  readonly feature: string;
  readonly state: DriftState;
  readonly method: DriftMethod;
  readonly n: number;
  readonly threshold: number;
  readonly because: string;
  /** Absent where it was not judged. */
  readonly value?: number;
  /** Distance over threshold: above 1 is over. */
  readonly ratio?: number;
  /** Chance of such a distance without drift, after Holm over the features. */
  readonly p?: number;
  readonly noise?: number;
  /** Which way a number moved; the category that changed most. */
  readonly moved?: Moved;
  readonly missing?: { readonly reference: number; readonly current: number };
  readonly quantiles?: Quantiles;
};

export type Moved =
  | { readonly kind: 'lower' | 'higher'; readonly from: number; readonly to: number }
  | { readonly kind: 'more' | 'fewer'; readonly category: string; readonly from: number; readonly to: number };

export type Quantiles = { readonly p10: number; readonly p50: number; readonly p90: number };

/** What came in during a window. */
export type DriftWindow = {
  /** By feature, over the reference's cells. */
  readonly counts: Readonly<Record<string, readonly number[]>>;
  /** Rows of each of its days, quiet ones too. */
  readonly days: readonly number[];
};

export function judgeDrift(
  references: readonly DriftReference[],
  { counts, days }: DriftWindow,
  plan: Pick<DriftPlan, 'windowMs' | 'minRows'>,
): readonly FeatureDrift[] {
  const judged = references.map((reference) =>
    judgeFeature(reference, { counts: counts[reference.feature], days }, plan),
  );
  const adjusted = holmAdjusted(judged.flatMap((one) => (one.p === undefined ? [] : [one.p])));
  let next = 0;
  return judged.map((one) => {
    if (one.p === undefined) return one;
    const p = adjusted[next++] ?? 1;
    // Both: large enough to matter, and not chance.
    return { ...one, p, state: one.state === 'over' && p > alpha ? 'calm' : one.state };
  });
}

function referenceOf(feature: string, column: ReferenceColumn, windowMs: number): DriftReference {
  const whole = allDays(column);
  const counts = whole.slice(0, -1);
  const rows = sum(counts);
  const method = column.bins.kind === 'numeric' ? 'Kolmogorov–Smirnov' : 'Jensen–Shannon';
  const distance = distanceOf(method);
  const distances =
    rows === 0
      ? []
      : slidingWindows(column, windowMs)
          .map((window) => window.slice(0, -1))
          .filter((window) => sum(window) > 0)
          .map((window) => distance(counts, window));
  const moments = momentsOf(distances);
  const spread = moments.mean + 3 * Math.sqrt(varianceOf(moments) ?? 0);
  const greatest = 1.1 * Math.max(0, ...distances);
  const threshold = Math.max(practical, spread, greatest);
  const because =
    threshold === practical
      ? 'smaller distances do not matter'
      : threshold === spread
        ? `mean + 3 sd of ${distances.length} windows inside the training period`
        : `1.1 times the greatest of ${distances.length} windows inside the training period`;
  const total = rows + (whole.at(-1) ?? 0);
  return {
    ...{ feature, column, method, counts, rows, threshold, because, windows: distances.length },
    missingShare: total === 0 ? 0 : (whole.at(-1) ?? 0) / total,
  };
}

function judgeFeature(
  reference: DriftReference,
  window: { readonly counts: readonly number[] | undefined; readonly days: readonly number[] },
  { windowMs, minRows }: Pick<DriftPlan, 'windowMs' | 'minRows'>,
): FeatureDrift {
  const { feature, method, counts, rows, threshold, because, column } = reference;
  const current = window.counts?.slice(0, -1) ?? [];
  const n = sum(current);
  const missingRows = window.counts?.at(-1) ?? 0;
  const base = { feature, method, n, threshold, because };
  // A weekday looks drifted in every window that has no whole weeks.
  const cycle = cycleOf(feature);
  if (cycle !== undefined && windowMs % cycle !== 0) return { ...base, state: 'too short' };
  if (rows === 0) return { ...base, state: 'no values' };
  if (n + missingRows < minRows) return { ...base, state: 'too few rows' };
  if (cycle !== undefined && cycle > dayMs) {
    // A Monday without traffic is no drift of the weekday: the cycle was not seen as a whole.
    const needed = Math.ceil(minRows / window.days.length);
    const thinnest = Math.min(...window.days);
    const why = `one of its days has ${thinnest} rows, ${needed} are needed to see a whole cycle`;
    if (thinnest < needed) return { ...base, state: 'too few rows', because: why };
  }
  const missing = { reference: reference.missingShare, current: missingRows / (n + missingRows) };
  const lost = missing.current - missing.reference > missingPoints;
  if (n === 0) return { ...base, state: 'over', ratio: 2, missing };

  const value = distanceOf(method)(counts, current);
  const cells = counts.filter((count, i) => count > 0 || (current[i] ?? 0) > 0).length;
  const sizes = { reference: rows, current: n, alpha };
  const noise = method === 'Kolmogorov–Smirnov' ? ksNoise(sizes) : jensenShannonNoise(cells, sizes);
  const limit = Math.max(threshold, noise);
  const missingRatio = lost ? (missing.current - missing.reference) / missingPoints : 0;
  const ratio = Math.max(value / limit, missingRatio);
  return {
    ...base,
    state: ratio > 1 ? 'over' : 'calm',
    value,
    ratio,
    threshold: limit,
    because: limit === noise ? `what chance alone gives with ${n} rows` : because,
    noise,
    p: lost ? 0 : chanceOf(method, value, { cells, n, m: rows }),
    moved: movedOf(column, counts, current),
    ...((missing.current > 0 || missing.reference > 0) && { missing }),
    ...(column.bins.kind === 'numeric' && { quantiles: quantilesOf(column.bins.edges, current) }),
  };
}

const distanceOf = (method: DriftMethod) =>
  method === 'Kolmogorov–Smirnov'
    ? ksDistance
    : (reference: readonly number[], current: readonly number[]) => jensenShannonDistance(reference, current);

/** Under no drift 8 ln2 · JS² / (1/n + 1/m) is chi-squared with one degree of freedom fewer than cells. */
function chanceOf(
  method: DriftMethod,
  value: number,
  { cells, n, m }: { cells: number; n: number; m: number },
): number {
  if (method === 'Kolmogorov–Smirnov') return kolmogorovSurvival(value * Math.sqrt((n / (n + m)) * m));
  return cells < 2 ? 1 : chiSquaredSurvival((8 * Math.LN2 * value * value) / (1 / n + 1 / m), cells - 1);
}

function movedOf({ bins }: ReferenceColumn, reference: readonly number[], current: readonly number[]): Moved {
  const p = shares(reference);
  const q = shares(current);
  if (bins.kind === 'categorical') {
    const changes = q.map((share, i) => share - (p[i] ?? 0));
    const most = changes.reduce((best, change, i) => (Math.abs(change) > Math.abs(changes[best] ?? 0) ? i : best), 0);
    const category = bins.categories[most] ?? 'other';
    return { kind: (changes[most] ?? 0) >= 0 ? 'more' : 'fewer', category, from: p[most] ?? 0, to: q[most] ?? 0 };
  }
  let gap = 0;
  let greatest = 0;
  for (let i = 0; i < p.length; i++) {
    gap += (q[i] ?? 0) - (p[i] ?? 0);
    if (Math.abs(gap) > Math.abs(greatest)) greatest = gap;
  }
  const from = quantilesOf(bins.edges, reference).p50;
  const to = quantilesOf(bins.edges, current).p50;
  // More mass further left: the values are lower.
  return { kind: greatest > 0 ? 'lower' : 'higher', from, to };
}

/** @returns the upper edge of the cell in which the quantile lies, the lowest edge for the open first one */
export function quantilesOf(edges: readonly number[], counts: readonly number[]): Quantiles {
  const n = sum(counts);
  const at = (p: number) => {
    let seen = 0;
    for (const [i, count] of counts.entries()) {
      seen += count;
      if (seen >= p * n) return edges[Math.min(i, edges.length - 1)] ?? 0;
    }
    return edges.at(-1) ?? 0;
  };
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

function shares(counts: readonly number[]): readonly number[] {
  const total = sum(counts);
  return counts.map((count) => count / total);
}
