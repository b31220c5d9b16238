/** One measure per window with its interval, against its limit: closed windows solid, what is past the limit in the fail colour. */
import { day, fixed } from '../format.ts';

export type SeriesPoint = {
  readonly at: number;
  readonly value: number;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
  readonly failed: boolean;
};

type Props = {
  readonly finding: string;
  readonly points: readonly SeriesPoint[];
  readonly limit: number | undefined;
  readonly decimals: number;
  readonly width: number;
  readonly height: number;
  /** First and last day below, and the limit written at its line. */
  readonly axis: boolean;
};

export function SeriesChart({ finding, points, limit, decimals, width, height, axis }: Props) {
  if (points.length < 2) return null;
  const right = width - 44;
  const bottom = height - (axis ? 18 : 4);
  const all = points.flatMap((point) => [point.value, point.lower ?? point.value, point.upper ?? point.value]);
  const [low, high] = [
    Math.min(...all, limit ?? Number.POSITIVE_INFINITY),
    Math.max(...all, limit ?? Number.NEGATIVE_INFINITY),
  ];
  const [from, to] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 1];
  const x = (at: number) => ((at - from) / Math.max(1, to - from)) * right;
  const y = (value: number) => bottom - ((value - low) / Math.max(1e-12, high - low)) * (bottom - 8);
  const line = (pick: (point: SeriesPoint) => number) =>
    points.map((point) => `${x(point.at).toFixed(1)} ${y(pick(point)).toFixed(1)}`);
  const band = [
    ...line((point) => point.upper ?? point.value),
    ...line((point) => point.lower ?? point.value).reverse(),
  ];
  const last = points.at(-1);
  return (
    <svg
      className="series"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={finding}
    >
      <path d={`M${band.join('L')}Z`} fill="var(--champion)" opacity=".14" />
      {limit !== undefined && (
        <>
          <path d={`M0 ${y(limit)}H${right}`} stroke="var(--fail)" strokeOpacity=".75" />
          <text x={right + 6} y={y(limit) + 4} style={{ fill: 'var(--fail)' }}>
            {limit}
          </text>
        </>
      )}
      <path d={`M${line((point) => point.value).join('L')}`} fill="none" stroke="var(--champion)" strokeWidth="1.8" />
      {points
        .filter((point) => point.failed)
        .map((point) => (
          <circle key={point.at} cx={x(point.at)} cy={y(point.value)} r="2.5" fill="var(--fail)">
            <title>{`${day(point.at)}: ${fixed(point.value, decimals)}`}</title>
          </circle>
        ))}
      {axis && last && (
        <>
          <circle cx={x(last.at)} cy={y(last.value)} r="3" fill="var(--champion)" />
          <text x="0" y={height - 2} className="t3">
            {day(from)}
          </text>
          <text x={right} y={height - 2} textAnchor="end" className="t3">
            {day(to)}
          </text>
          {(limit === undefined || Math.abs(y(limit) - y(last.value)) > 14) && (
            <text x={right + 6} y={y(last.value) + 4} className="tw t1">
              {fixed(last.value, decimals)}
            </text>
          )}
        </>
      )}
    </svg>
  );
}
