/** What one answer costs once the truth is known. Lower is better; means of these can be paired, clustered and watched. */

/** Probabilities are clipped to [1e-15, 1 − 1e-15]: one certain and wrong answer costs 34.5 nats, not infinity. */
export const probabilityFloor = 1e-15;

/** Nats. @param truth 0 or 1  @param score probability of 1 */
export function logLoss(truth: number, score: number): number {
  const p = Math.min(Math.max(score, probabilityFloor), 1 - probabilityFloor);
  return truth === 1 ? -Math.log(p) : -Math.log1p(-p);
}

/** The square of what the probability was off by. @see Brier (1950) */
export const brierLoss = (truth: number, score: number): number => (score - truth) ** 2;

export const absoluteError = (truth: number, score: number): number => Math.abs(score - truth);

/** Metrics that are plain means over rows, by the loss of one row. */
export const rowLosses = {
  log_loss: logLoss,
  brier: brierLoss,
  mae: absoluteError,
} as const;

export type RowLoss = keyof typeof rowLosses;
