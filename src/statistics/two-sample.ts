/** Exact distances between two samples of numbers, without bins. */
import { requireFinite, requireSome } from './argument.ts';
import { kolmogorovExact, kolmogorovSurvival } from './kolmogorov.ts';
import { sorted } from './quantile.ts';

export type KsTest = {
  readonly distance: number;
  readonly p: number;
  /** Exact up to a product of sizes of a million, otherwise the limit. */
  readonly method: 'exact' | 'asymptotic';
};

/** Two-sided two-sample Kolmogorov–Smirnov test. */
export function ksTest(first: ArrayLike<number>, second: ArrayLike<number>): KsTest {
  const [a, b] = ordered(first, second);
  const n = a.length;
  const m = b.length;
  let distance = 0;
  walk(a, b, (i, j) => {
    distance = Math.max(distance, Math.abs(i / n - j / m));
  });
  if (n * m <= 1e6) return { distance, p: kolmogorovExact(distance, n, m), method: 'exact' };
  return { distance, p: kolmogorovSurvival(distance * Math.sqrt((n / (n + m)) * m)), method: 'asymptotic' };
}

/** First Wasserstein distance (earth mover's), in the unit of the samples. */
export function wassersteinDistance(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const [a, b] = ordered(first, second);
  let distance = 0;
  walk(a, b, (i, j, width) => {
    distance += Math.abs(i / a.length - j / b.length) * width;
  });
  return distance;
}

/** Visits each stretch between neighbouring values, with how many of each sample lie at or below it and how long it is. */
function walk(a: Float64Array, b: Float64Array, visit: (i: number, j: number, width: number) => void): void {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    while (a[i] === x) i++;
    while (b[j] === x) j++;
    const next = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    visit(i, j, next === Number.POSITIVE_INFINITY ? 0 : next - x);
  }
}

function ordered(first: ArrayLike<number>, second: ArrayLike<number>): [Float64Array, Float64Array] {
  requireSome('first', first);
  requireSome('second', second);
  requireFinite('first', first);
  requireFinite('second', second);
  return [sorted(first), sorted(second)];
}
