/**
 * Features by windows; a cell prints distance over threshold. No heat below the threshold: greys up to 1, colour beyond, outlined
 * once it holds after correction. Arrow keys walk the cells, Enter opens the row in place.
 */
import { Fragment, type KeyboardEvent, type MouseEvent, type ReactNode, useRef } from 'react';

export type HeatCell = {
  readonly ratio: number | undefined;
  /** Over its threshold after the correction for many features. */
  readonly drifted: boolean;
  readonly state: 'closed' | 'impossible' | 'none';
  /** Read out and shown on hover: the value, its threshold, the rows. */
  readonly title: string;
  /** What an impossible cell says: `too short`. */
  readonly why?: string;
};

export type HeatRow = {
  readonly name: string;
  readonly cells: readonly HeatCell[];
  readonly sentence: string;
  readonly loud: boolean;
};

/** Something that happened between two windows, written above the line where it did. */
export type HeatMark = {
  /** In columns from the left: 1.5 is in the middle of the second. */ readonly at: number;
  readonly word: string;
  readonly colour: string;
};

type Props = {
  readonly caption: string;
  readonly windows: readonly string[];
  readonly marks: readonly HeatMark[];
  readonly rows: readonly HeatRow[];
  readonly open: string | undefined;
  /** The column that the open row tells of; undefined leaves the choice to the page. */
  readonly column: number | undefined;
  readonly onOpen: (row: string | undefined, column?: number) => void;
  readonly detail: (row: string) => ReactNode;
};

const columnWidth = 57;

export function HeatGrid({ caption, windows, marks, rows, open, column: chosen, onOpen, detail }: Props) {
  const grid = useRef<HTMLTableElement>(null);
  const pick = (name: string, column: number) =>
    open === name && chosen === column ? onOpen(undefined) : onOpen(name, column);
  const placeOf = ({ target }: { readonly target: EventTarget }) => {
    const cell = (target as HTMLElement).closest<HTMLElement>('[data-row]'); // Keys and clicks come from elements.
    return cell && { row: Number(cell.dataset['row']), column: Number(cell.dataset['column']) };
  };
  const onClick = (event: MouseEvent<HTMLTableElement>) => {
    const place = placeOf(event);
    const name = place && rows[place.row]?.name;
    if (name) pick(name, place.column);
  };
  const onKey = (event: KeyboardEvent<HTMLTableElement>) => {
    const place = placeOf(event);
    if (!place || !grid.current) return;
    const { row, column } = place;
    const name = rows[row]?.name;
    if (event.key === 'Enter' && name) pick(name, column);
    if (event.key === 'Escape') onOpen(undefined);
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    grid.current
      .querySelector<HTMLElement>(`[data-row="${row + (step[0] ?? 0)}"][data-column="${column + (step[1] ?? 0)}"]`)
      ?.focus();
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: arrows walk its cells, which is what a grid is (ARIA APG).
    <table className="heat" ref={grid} onKeyDown={onKey} onClick={onClick} role="grid">
      <caption className="seen-only-by-readers">{caption}</caption>
      <colgroup>
        <col className="name-column" />
        {windows.map((window) => (
          <col key={window} style={{ width: columnWidth }} />
        ))}
        <col />
      </colgroup>
      <thead>
        <tr>
          <td className="micro i3">Distance to training, over its threshold</td>
          <td colSpan={windows.length} className="marks">
            <Marks marks={marks} columns={windows.length} />
          </td>
          <td />
        </tr>
        <tr>
          <th scope="col">Feature</th>
          {windows.map((window) => (
            <th key={window} scope="col" className="window">
              {window}
            </th>
          ))}
          <th scope="col">
            <span className="seen-only-by-readers">Finding</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, rowIndex) => (
          <Fragment key={row.name}>
            <tr>
              <th scope="row">
                <button
                  type="button"
                  className="ghost name"
                  aria-expanded={open === row.name}
                  onClick={() => onOpen(open === row.name ? undefined : row.name)}
                >
                  <svg
                    className="turn-mark"
                    width="12"
                    height="12"
                    viewBox="0 0 16 16"
                    fill="none"
                    stroke="currentColor"
                    strokeWidth="1.4"
                    aria-hidden
                  >
                    <path d="m6 4 4 4-4 4" />
                  </svg>
                  {row.name.replaceAll('_', ' ')}
                </button>
              </th>
              {row.cells.map((cell, column) => (
                <td
                  key={windows[column]}
                  className={`${cellClass(cell)}${open === row.name && chosen === column ? ' told' : ''}`}
                  title={cell.title}
                  data-row={rowIndex}
                  data-column={column}
                  // One stop for the whole grid; arrows go on from it.
                  tabIndex={rowIndex === 0 && column === row.cells.length - 1 ? 0 : -1}
                >
                  {cell.state === 'closed' ? cell.ratio?.toFixed(2) : cell.why}
                </td>
              ))}
              <td className={row.loud ? 'finding loud' : 'finding'}>{row.sentence}</td>
            </tr>
            {open === row.name && (
              <tr className="detail">
                <td colSpan={windows.length + 2}>{detail(row.name)}</td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

/** Words stand left of their line, or right of it where the left is taken; where neither has room the line stands alone. */
function Marks({ marks, columns }: { marks: readonly HeatMark[]; columns: number }) {
  const width = columns * columnWidth;
  let free = 0;
  const inside = marks.filter(({ at }) => at >= 0 && at <= columns).toSorted((a, b) => a.at - b.at);
  const shown = inside.map((mark, index) => {
    const x = mark.at * columnWidth;
    const wide = mark.word.length * 6 + 6;
    const next = (inside[index + 1]?.at ?? columns + 1) * columnWidth;
    const side = x - wide >= free ? 'left' : x + wide + 8 <= next ? 'right' : undefined;
    free = side === 'right' ? x + wide + 4 : x + 4;
    return { ...mark, x, side };
  });
  return (
    <svg width={width} height="24" viewBox={`0 0 ${width} 24`} aria-hidden>
      <path d={`M0 22.5H${width}`} stroke="var(--line)" />
      {shown.map(({ x, word, colour, side }) => (
        <g key={`${word} ${x}`}>
          <path d={`M${x} 12v10`} stroke={colour} strokeWidth="2">
            <title>{word}</title>
          </path>
          {side && (
            <text
              x={side === 'left' ? x - 5 : x + 5}
              y="17"
              textAnchor={side === 'left' ? 'end' : 'start'}
              style={{ fill: colour }}
            >
              {word}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

/** The key below the grid: what the steps mean. */
export function HeatKey() {
  return (
    <div className="key">
      {['h0', 'h1', 'h2', 'h3'].map((step) => (
        <i key={step} className={step} />
      ))}
      <span>below threshold</span>
      {['h4', 'h5', 'h6'].map((step) => (
        <i key={step} className={`${step} over`} />
      ))}
      <span>over: from 1, 1.2 and 1.5 times</span>
      <i className="none" />
      <span>cannot be judged</span>
    </div>
  );
}

/** Heat steps at 1, 1.2 and 1.5 times the threshold, the same for all endpoints. */
function cellClass({ ratio, drifted, state }: HeatCell): string {
  if (state !== 'closed' || ratio === undefined) return state === 'none' ? 'cell empty' : 'cell none';
  // A large distance that chance explains stays grey: heat is for what was judged over.
  const heat = drifted
    ? ratio >= 1.5
      ? 6
      : ratio >= 1.2
        ? 5
        : 4
    : ratio >= 0.75
      ? 3
      : ratio >= 0.5
        ? 2
        : ratio >= 0.25
          ? 1
          : 0;
  return `cell h${heat}${drifted ? ' over' : ''}`;
}
