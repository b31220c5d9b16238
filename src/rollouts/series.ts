/** A line for a plot that never grows: when it is full, every second point goes and from then on half as many are taken. */

export type SeriesPoint = {
  /** Requests of the rollout so far. */
  readonly requests: number;
  readonly eventTime: number;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
};

export type Series = { points: SeriesPoint[]; stride: number; offered: number };

const most = 300;

export const noSeries = (): Series => ({ points: [], stride: 1, offered: 0 });

/** Adds to the series in place, if it is this point's turn. @param point is only made when it is taken */
export function offerPoint(series: Series, point: () => SeriesPoint | undefined): void {
  series.offered += 1;
  if (series.offered % series.stride !== 0) return;
  const made = point();
  if (!made) return;
  series.points.push(made);
  if (series.points.length < most) return;
  series.points = series.points.filter((_, i) => i % 2 === 1);
  series.stride *= 2;
}
