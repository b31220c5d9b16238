/** The gamma function and its incomplete integrals, from which the chi-squared and normal distributions follow. */
import { requirePositive } from './argument.ts';

/** ln Γ(x) for x > 0, to about 1e-14. @see Lanczos (1964); coefficients of Press et al., Numerical Recipes, 3rd ed., §6.1 */
export function logGamma(x: number): number {
  requirePositive('x', x);
  let denominator = x;
  let series = 0.9999999999999971;
  for (const coefficient of lanczos) {
    denominator += 1;
    series += coefficient / denominator;
  }
  const shifted = x + 5.2421875;
  return (x + 0.5) * Math.log(shifted) - shifted + Math.log((Math.sqrt(2 * Math.PI) * series) / x);
}

/** P(a, x): the share of the gamma integral below x. */
export function lowerGamma(a: number, x: number): number {
  check(a, x);
  return x < a + 1 ? bySeries(a, x) : 1 - byFraction(a, x);
}

/** Q(a, x) = 1 − P(a, x), exact in the far tail where 1 − P would be 0. */
export function upperGamma(a: number, x: number): number {
  check(a, x);
  return x < a + 1 ? 1 - bySeries(a, x) : byFraction(a, x);
}

function check(a: number, x: number): void {
  requirePositive('a', a);
  if (!(x >= 0)) throw new RangeError(`x is ${x}; it must not be negative`);
}

/** x^a e^−x / Γ(a), in logarithms so that large a does not overflow. */
const density = (a: number, x: number) => Math.exp(a * Math.log(x) - x - logGamma(a));

/** Numerical Recipes 6.2.5. */
function bySeries(a: number, x: number): number {
  if (x === 0) return 0;
  let term = 1 / a;
  let sum = term;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * density(a, x);
}

/** The continued fraction 6.2.7 by Lentz's method; for x > a + 1 it converges in a few times √a steps. */
function byFraction(a: number, x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; ; n++) {
    const an = -n * (n - a);
    b += 2;
    d = an * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + an / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) <= Number.EPSILON) return fraction * density(a, x);
  }
}

/** Stands in for a zero denominator in Lentz's method. */
const tiny = 1e-300;

const lanczos: readonly number[] = [
  57.15623566586292, -59.59796035547549, 14.136097974741746, -0.4919138160976202, 0.00003399464998481189,
  0.00004652362892704858, -0.00009837447530487956, 0.0001580887032249125, -0.00021026444172410488,
  0.00021743961811521265, -0.0001643181065367639, 0.00008441822398385275, -0.000026190838401581408,
  0.0000036899182659531625,
];
