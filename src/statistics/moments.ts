/** Count, mean and spread of a stream, in three numbers that can be merged. @see Chan, Golub & LeVeque (1983) */

export type Moments = {
  readonly n: number;
  readonly mean: number;
  /** Sum of squared deviations from the mean. */
  readonly squares: number;
};

export const noMoments: Moments = { n: 0, mean: 0, squares: 0 };

export function addToMoments(moments: Moments, x: number): Moments {
  if (!Number.isFinite(x)) throw new RangeError(`x is ${x}`);
  const n = moments.n + 1;
  const delta = x - moments.mean;
  const mean = moments.mean + delta / n;
  return { n, mean, squares: moments.squares + delta * (x - mean) };
}

export function mergeMoments(a: Moments, b: Moments): Moments {
  const n = a.n + b.n;
  if (n === 0) return noMoments;
  const delta = b.mean - a.mean;
  return {
    n,
    mean: a.mean + (delta * b.n) / n,
    squares: a.squares + b.squares + (delta * delta * a.n * b.n) / n,
  };
}

/** Two passes: exact to the last digits where a running sum of squares is not. */
export function momentsOf(values: ArrayLike<number>): Moments {
  const n = values.length;
  if (n === 0) return noMoments;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i] as number; // i < length
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((values[i] as number) - mean) ** 2; // i < length
  if (!Number.isFinite(squares)) throw new RangeError('values hold a number that is not finite');
  return { n, mean, squares };
}

/** Sample variance, divided by n − 1; undefined below two observations. */
export const varianceOf = ({ n, squares }: Moments): number | undefined => (n < 2 ? undefined : squares / (n - 1));
