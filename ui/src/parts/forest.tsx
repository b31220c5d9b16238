/** Gates as a forest: every gate is scaled so that its limit stands on the same vertical; left of it is hatched. */
import type { Mark } from './verdict.tsx';

export type ForestRow = {
  /** Room to the limit in units of the gate's own scale: 0 at the limit, positive is inside. */
  readonly value: number | undefined;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
  readonly mark: Mark;
};

const width = 216;
/** The same in ui.css: the cell draws the limit and the hatch beside it, from row to row without a gap. */
const limitX = 56;
const unit = 150;

/** One row of the forest; rows stand under each other, so that the limit is one line down the page. */
export function ForestBar({ row, label }: { row: ForestRow; label: string }) {
  const x = (value: number) => Math.min(width - 4, Math.max(4, limitX + Math.max(-1, Math.min(1, value)) * unit));
  return (
    <svg
      width={width}
      height="32"
      viewBox={`0 0 ${width} 32`}
      role="img"
      aria-label={label}
      // A verdict has its word; what was tested keeps its colour until it fails.
      style={{ color: `var(--${row.mark === 'pass' ? 'challenger' : row.mark})` }}
    >
      <path d={`M${limitX} 16H${width - 4}`} stroke="var(--line-2)" />
      {row.lower !== undefined && row.upper !== undefined && (
        <path d={`M${x(row.lower)} 16H${x(row.upper)}`} stroke="currentColor" strokeWidth="2" />
      )}
      {row.value !== undefined &&
        (row.mark === 'fail' ? (
          <path d={`M${x(row.value)} 10l6 6-6 6-6-6z`} fill="currentColor" />
        ) : (
          <circle
            cx={x(row.value)}
            cy="16"
            r="5"
            {...(row.mark === 'undecided'
              ? { fill: 'var(--canvas)', stroke: 'currentColor', strokeDasharray: '2.6 1.6' }
              : { fill: 'currentColor' })}
          />
        ))}
    </svg>
  );
}
