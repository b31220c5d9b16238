/** The twin of a chart: the same numbers as a table, and as a file. `t` changes between the two. */
import { useEffect } from 'react';
import { keysAreOff, typing } from '../shell/keys.ts';

export type TwinTable = {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
};

type Props = {
  readonly name: string;
  readonly asTable: boolean;
  readonly onChange: (asTable: boolean) => void;
  readonly table: () => TwinTable;
};

/** `t` changes between a chart and its table. */
export function useTableKey(asTable: boolean, onChange: (asTable: boolean) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key === 't' &&
        !event.ctrlKey &&
        !event.metaKey &&
        !event.altKey &&
        !typing(event.target) &&
        !keysAreOff()
      )
        onChange(!asTable);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [asTable, onChange]);
}

export function TwinLinks({ name, asTable, onChange, table }: Props) {
  useTableKey(asTable, onChange);
  return (
    <span className="twin-links">
      <button type="button" className="as-link link" onClick={() => onChange(!asTable)}>
        {asTable ? 'Show as chart' : 'Show as table'}
      </button>
      <CsvButton name={name} table={table} />
    </span>
  );
}

export function CsvButton({ name, table }: Pick<Props, 'name' | 'table'>) {
  return (
    <button
      type="button"
      className="as-link link"
      aria-label={`${name} as CSV`}
      onClick={() => download(`${name}.csv`, csvOf(table()))}
    >
      CSV
    </button>
  );
}

export function TwinView({ caption, table: { columns, rows } }: { caption: string; table: TwinTable }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys.
    <section className="wide" tabIndex={0} aria-label={caption}>
      <table>
        <caption className="seen-only-by-readers">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} className={index === 0 ? '' : 'num'}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={String(row[0])}>
              {row.map((value, index) => (
                <td key={columns[index]} className={index === 0 ? 'nowrap' : 'num'}>
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const csvOf = ({ columns, rows }: TwinTable): string =>
  [columns, ...rows].map((row) => row.map(cellOf).join(',')).join('\r\n');

/** A leading sign would make a spreadsheet compute the text of a cell. */
function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
