/** The beta function and its incomplete integral, from which Student's t and exact binomial statements follow. */
import { requirePositive, requireShare } from './argument.ts';
import { logGamma } from './gamma.ts';

export const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** I_x(a, b): the share of the beta integral below x. @see Press et al., Numerical Recipes, 3rd ed., §6.4 */
export function lowerBeta(x: number, { a, b }: BetaShape): number {
  requireShare('x', x);
  requirePositive('a', a);
  requirePositive('b', b);
  if (x === 0 || x === 1) return x;
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
  // The fraction converges fast below the mean; above it the mirrored integral is taken.
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
}

export type BetaShape = { readonly a: number; readonly b: number };

/** Lentz's method on the continued fraction 6.4.5. */
function fraction(x: number, a: number, b: number): number {
  const guard = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    const factor = d * c;
    result *= factor;
    if (Math.abs(factor - 1) <= Number.EPSILON) return result;
  }
}
