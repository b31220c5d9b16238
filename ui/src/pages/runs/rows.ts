/** Lists within lists as one column of rows: a run's children and a group's runs stand below it. Pure. */

export type RowList<List> = {
  /** How many items it has itself, loaded or not. */
  readonly total: number;
  /** What stands open, by the place of the item that it stands below. */
  readonly open: ReadonlyMap<number, List>;
};

export type Place<List> = { readonly list: List; readonly index: number; readonly level: number };

export function countRows<List extends RowList<List>>(list: List): number {
  let rows = list.total;
  for (const inner of list.open.values()) rows += countRows(inner);
  return rows;
}

/** Whose item a row shows. @param row from 0, less than `countRows(list)` */
export function placeOf<List extends RowList<List>>(list: List, row: number, level = 0): Place<List> {
  let above = 0; // rows of open lists above
  for (const [index, inner] of [...list.open].toSorted(([a], [b]) => a - b)) {
    if (row <= index + above) break;
    const rows = countRows(inner);
    if (row <= index + above + rows) return placeOf(inner, row - index - above - 1, level + 1);
    above += rows;
  }
  return { list, index: row - above, level };
}
