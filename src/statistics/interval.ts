/** Estimates with their uncertainty, and what an interval around them is. */

/** Closed; `-Infinity` and `Infinity` where there is no bound. */
export type Interval = { readonly lower: number; readonly upper: number };

export type Estimate = {
  readonly value: number;
  readonly standardError: number;
  /** Observations it rests on. */
  readonly n: number;
};
