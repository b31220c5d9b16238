/** A look at a text table that may be cut anywhere. Pure. */

export type TextTable = {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether the text goes on after these. */
  readonly more?: true;
};

const rowsShown = 100;
const columnsShown = 100;

/** RFC 4180, with the quotes that people forget taken as they stand. @param isCut whether more follows: the last row is then left out */
export function readTable(text: string, separator: ',' | '\t', isCut: boolean): TextTable {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = () => {
    row.push(cell);
    cell = '';
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  let at = 0;
  for (; at < text.length && rows.length <= rowsShown; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === '') quoted = true;
    else if (letter === separator) endCell();
    else if (letter === '\n') endRow();
    else if (letter !== '\r') cell += letter;
  }
  if (!isCut && rows.length <= rowsShown && (cell !== '' || row.length > 0)) endRow();
  const [columns = [], ...others] = rows.map((cells) => cells.slice(0, columnsShown));
  return { columns, rows: others, ...(at < text.length && { more: true }) };
}
