/** A curve through the noise of a series. Pure. */

/**
 * A weighted mean around each point, with a Gaussian of the width `share` of the whole range of x: the same for a thinned series as
 * for all its points, constant where the values are, and without the lag of an exponential mean.
 * @param weights how many points each value stands for
 * @returns undefined where there is no value
 */
export function smoothed(
  x: readonly number[],
  y: readonly (number | undefined)[],
  weights: readonly number[],
  share: number,
): readonly (number | undefined)[] {
  const span = (x.at(-1) ?? 0) - (x[0] ?? 0);
  const sigma = (share * span) / 2;
  if (!(sigma > 0)) return y;
  const reach = 3 * sigma;
  let first = 0;
  return y.map((value, at) => {
    if (value === undefined) return undefined;
    const here = x[at] ?? 0;
    while ((x[first] ?? 0) < here - reach) first += 1;
    let total = 0;
    let weight = 0;
    for (let other = first; other < x.length && (x[other] ?? 0) <= here + reach; other += 1) {
      const near = y[other];
      if (near === undefined) continue;
      const w = (weights[other] ?? 1) * Math.exp(-(((x[other] ?? 0) - here) ** 2) / (2 * sigma ** 2));
      total += w * near;
      weight += w;
    }
    return total / weight;
  });
}
