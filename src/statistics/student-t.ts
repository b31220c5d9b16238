/** Student's t distribution: what the normal becomes when the variance is known from few observations only. */
import { requireLevel, requirePositive } from './argument.ts';
import { lowerBeta } from './beta.ts';
import { crossing } from './root.ts';

/** P(T ≤ t) with df degrees of freedom. */
export function studentCdf(t: number, df: number): number {
  requirePositive('df', df);
  const tail = 0.5 * lowerBeta(df / (df + t * t), { a: df / 2, b: 0.5 });
  return t < 0 ? tail : 1 - tail;
}

/** The t with P(T ≤ t) = p. */
export function studentQuantile(p: number, df: number): number {
  requireLevel('p', p);
  if (p < 0.5) return -studentQuantile(1 - p, df);
  return crossing((t) => studentCdf(t, df) - p, { low: 0, high: 4, lowest: 0 });
}
