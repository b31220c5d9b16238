/**
 * The point where an increasing function crosses zero, by bisection: slow and sure, for quantiles that are asked for rarely.
 *
 * The bracket is widened by doubling until it holds the crossing.
 * @param rising increasing in its argument
 * @param bracket where to look first; both ends may be moved outwards unless they are limits
 * @returns a point within one rounding error of the crossing
 */
export function crossing(rising: (x: number) => number, bracket: Bracket): number {
  let { low, high } = bracket;
  for (let step = high - low; rising(high) < 0 && high < Number.MAX_VALUE; step *= 2) {
    low = high;
    high = Math.min(high + step, Number.MAX_VALUE);
  }
  for (let step = high - low; rising(low) > 0 && low > bracket.lowest; step *= 2) {
    high = low;
    low = Math.max(low - step, bracket.lowest);
  }
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
}

type Bracket = {
  readonly low: number;
  readonly high: number;
  /** The function's domain ends here. */
  readonly lowest: number;
};
