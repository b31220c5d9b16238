/**
 * How far two binned samples are apart. Counts are of the same cells in the same order; each side is divided by its own sum.
 * The numbers depend on method, base and bins: print all three with them.
 */
import { requireSameLength } from './argument.ts';

/** Kolmogorov–Smirnov: the greatest gap between the cumulative shares. For ordered cells only. @returns 0 to 1 */
export function ksDistance(reference: readonly number[], current: readonly number[]): number {
  const { p, q } = shares(reference, current);
  let gap = 0;
  let greatest = 0;
  for (let i = 0; i < p.length; i++) {
    gap += at(p, i) - at(q, i);
    greatest = Math.max(greatest, Math.abs(gap));
  }
  return Math.min(greatest, 1);
}

/** The root of the Jensen–Shannon divergence. @param base 2 gives 0 to 1; e (Evidently) at most 0.8326 */
export function jensenShannonDistance(
  reference: readonly number[],
  current: readonly number[],
  { base = 2 }: { readonly base?: number } = {},
): number {
  const { p, q } = shares(reference, current);
  let nats = 0;
  for (let i = 0; i < p.length; i++) {
    const middle = (at(p, i) + at(q, i)) / 2;
    nats += (term(at(p, i), middle) + term(at(q, i), middle)) / 2;
  }
  return Math.sqrt(Math.max(nats, 0) / Math.log(base));
}

/**
 * Population stability index, in nats.
 * @param fill stands for an empty share, without dividing anew (Evidently: 1e-4); without it a cell that is empty on one side
 * only makes the index infinite
 * @see Yurdakul (2018), Statistical properties of population stability index, WMU dissertation
 */
export function populationStability(
  reference: readonly number[],
  current: readonly number[],
  { fill }: { readonly fill?: number } = {},
): number {
  const { p, q } = shares(reference, current);
  let index = 0;
  for (let i = 0; i < p.length; i++) {
    const a = at(p, i) || (fill ?? 0);
    const b = at(q, i) || (fill ?? 0);
    if (a !== b) index += a > 0 && b > 0 ? (a - b) * Math.log(a / b) : Number.POSITIVE_INFINITY;
  }
  return index;
}

/** Hellinger distance, 0 to 1. */
export function hellingerDistance(reference: readonly number[], current: readonly number[]): number {
  const { p, q } = shares(reference, current);
  let squares = 0;
  for (let i = 0; i < p.length; i++) squares += (Math.sqrt(at(p, i)) - Math.sqrt(at(q, i))) ** 2;
  return Math.min(Math.sqrt(squares / 2), 1);
}

/** The greatest change of one cell's share, and which cell: the one to name in a message. */
export function greatestShift(
  reference: readonly number[],
  current: readonly number[],
): { readonly cell: number; readonly change: number } {
  const { p, q } = shares(reference, current);
  let cell = 0;
  for (let i = 1; i < p.length; i++) if (Math.abs(at(q, i) - at(p, i)) > Math.abs(at(q, cell) - at(p, cell))) cell = i;
  return { cell, change: at(q, cell) - at(p, cell) };
}

/**
 * First Wasserstein distance in the column's unit, with each bin's mass spread evenly over it.
 * @param edges the inner edges, one fewer than counts; the open bins have no width and add nothing, so mass that moves within them
 * goes unseen
 */
export function wassersteinOfBins(
  edges: readonly number[],
  reference: readonly number[],
  current: readonly number[],
): number {
  const { p, q } = shares(reference, current);
  if (edges.length + 1 !== p.length) throw new RangeError(`${edges.length} edges do not part ${p.length} bins`);
  let gap = 0;
  let distance = 0;
  for (let i = 0; i + 1 < p.length; i++) {
    const before = gap;
    gap += at(p, i) - at(q, i);
    // The first bin is open; from the second on the gap runs straight from one edge to the next.
    if (i > 0) distance += areaBetween(before, gap) * (at(edges, i) - at(edges, i - 1));
  }
  return distance;
}

/** Mean of |f| for f running straight from a to b. */
const areaBetween = (a: number, b: number) =>
  a * b >= 0 ? Math.abs(a + b) / 2 : (a * a + b * b) / (2 * Math.abs(a - b));

const at = (values: readonly number[], i: number) => values[i] as number; // all callers stay below the length
const term = (share: number, middle: number) => (share > 0 ? share * Math.log(share / middle) : 0);

function shares(reference: readonly number[], current: readonly number[]) {
  requireSameLength('reference and current', reference, current);
  return { p: normalised('reference', reference), q: normalised('current', current) };
}

function normalised(name: string, counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!(total > 0)) throw new RangeError(`${name} counts nothing`);
  return counts.map((count) => count / total);
}
