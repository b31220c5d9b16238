/** The distribution of the Kolmogorov–Smirnov statistic: its limit, and exactly for two samples. */

/** P(K > x) for the limit of √(nm/(n+m)) · D. @see Kolmogorov (1933); the second series is Jacobi's transform of the first */
export function kolmogorovSurvival(x: number): number {
  if (!(x > 0)) return 1;
  if (x < 1) {
    let sum = 0;
    for (let k = 1; k <= 7; k += 2) sum += Math.exp((-k * k * Math.PI * Math.PI) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 6; k++) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * x * x);
  return 2 * sum;
}

/**
 * P(D ≥ d) for samples of n and m without ties, by counting lattice paths; O(n·m). With ties it is too large, so safe.
 * @see Hodges (1958), Arkiv för Matematik 3; the scaling follows Schröer & Trenkler (1995)
 */
export function kolmogorovExact(d: number, n: number, m: number): number {
  const [short, long] = n < m ? [n, m] : [m, n];
  // Distances are multiples of 1/(n·m); half a step below d counts d itself, whatever its last digit.
  const limit = (0.5 + Math.floor(d * short * long - 1e-7)) / (short * long);
  const inside = new Float64Array(long + 1);
  for (let j = 0; j <= long; j++) inside[j] = j / long > limit ? 0 : 1;
  for (let i = 1; i <= short; i++) {
    // The weight keeps the paths' number a probability, so that nothing overflows.
    const weight = i / (i + long);
    inside[0] = i / short > limit ? 0 : weight * (inside[0] as number);
    for (let j = 1; j <= long; j++) {
      inside[j] =
        Math.abs(i / short - j / long) > limit ? 0 : weight * (inside[j] as number) + (inside[j - 1] as number);
    }
  }
  return Math.min(Math.max(1 - (inside[long] as number), 0), 1);
}
