/** A line of a table cell: the shape of one metric, its end marked. */
export function Spark({ values, label }: { values: readonly number[]; label: string }) {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) return null;
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const x = (index: number) => (index / (finite.length - 1)) * 60;
  const y = (value: number) => 16 - ((value - low) / Math.max(1e-12, high - low)) * 14;
  const points = finite.map((value, index) => `${x(index).toFixed(1)} ${y(value).toFixed(1)}`);
  return (
    <svg width="64" height="18" viewBox="0 0 64 18" role="img" aria-label={label} className="spark">
      <path d={`M${points.join('L')}`} fill="none" stroke="var(--champion)" strokeWidth="1.3" />
      <circle cx="60" cy={y(finite.at(-1) ?? 0)} r="1.8" fill="var(--champion)" />
    </svg>
  );
}
