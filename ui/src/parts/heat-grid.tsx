/**
 * Features by windows; a cell prints distance over threshold. No heat below the threshold: greys up to 1, colour beyond, outlined
 * once it holds after correction. Arrow keys walk the cells.
 */
import { type KeyboardEvent, useRef } from 'react';

export type HeatCell = {
  readonly ratio: number | undefined;
  /** Over its threshold after the correction for many features. */
  readonly drifted: boolean;
  readonly state: 'closed' | 'open' | 'impossible';
  /** Read out and shown on hover: the value, its threshold, the rows. */
  readonly title: string;
  /** What an impossible cell says: `too short`. */
  readonly why?: string;
};

export type HeatRow = { readonly name: string; readonly cells: readonly HeatCell[]; readonly sentence: string; readonly pinned?: boolean };

type Props = {
  readonly caption: string;
  readonly windows: readonly string[];
  readonly rows: readonly HeatRow[];
  readonly open: string | undefined;
  readonly onOpen: (row: string) => void;
};

export function HeatGrid({ caption, windows, rows, open, onOpen }: Props) {
  const grid = useRef<HTMLTableElement>(null);
  const move = (event: KeyboardEvent<HTMLTableElement>) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-row]'); // Key events come from elements.
    if (!step || !cell || !grid.current) return;
    event.preventDefault();
    const row = Number(cell.dataset['row']) + (step[0] ?? 0);
    const column = Number(cell.dataset['column']) + (step[1] ?? 0);
    grid.current.querySelector<HTMLElement>(`[data-row="${row}"][data-column="${column}"]`)?.focus();
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementInteractions: arrow keys walk its cells, as in a grid.
    <table className="heat" ref={grid} onKeyDown={move}>
      <caption className="seen-only-by-readers">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Feature</th>
          {windows.map((window) => (
            <th key={window} scope="col" className="num">
              {window}
            </th>
          ))}
          <th scope="col">Finding</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, rowIndex) => (
          <tr key={row.name} className={row.pinned ? 'pinned' : ''}>
            <th scope="row">
              <button type="button" className="ghost name" aria-expanded={open === row.name} onClick={() => onOpen(row.name)}>
                <span aria-hidden className="turn">
                  ›
                </span>
                {row.name}
              </button>
            </th>
            {row.cells.map((cell, column) => (
              <td
                key={windows[column]}
                className={cellClass(cell)}
                title={cell.title}
                data-row={rowIndex}
                data-column={column}
                // biome-ignore lint/a11y/noNoninteractiveTabindex: one stop for the whole grid; arrows go on from it.
                tabIndex={rowIndex === 0 && column === 0 ? 0 : -1}
              >
                {cell.state === 'impossible' ? (cell.why ?? '') : cell.ratio === undefined ? '' : cell.ratio.toFixed(2)}
              </td>
            ))}
            <td className="finding">{row.sentence}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Heat steps at 1, 1.2 and 1.5 times the threshold, the same for all endpoints. */
function cellClass({ ratio, drifted, state }: HeatCell): string {
  if (state === 'impossible' || ratio === undefined) return 'cell none';
  const level = ratio >= 1.5 ? 6 : ratio >= 1.2 ? 5 : ratio >= 1 ? 4 : ratio >= 0.75 ? 3 : ratio >= 0.5 ? 2 : ratio >= 0.25 ? 1 : 0;
  // An open window is not judged: it never shows heat or an outline.
  if (state === 'open') return `cell open h${Math.min(level, 3)}`;
  return `cell h${level}${drifted ? ' over' : ''}`;
}
