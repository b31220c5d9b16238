/** What a run list shows, as it stands in the address. Pure. */

export type RunView = {
  readonly filter: string;
  /** As the server takes it: `metrics.auc DESC`; empty for the newest first. */
  readonly order: string;
  /** Undefined: chosen by what the runs differ in. */
  readonly columns: readonly string[] | undefined;
  /** Also params that are equal in all runs. */
  readonly equal: boolean;
  readonly group: string;
  /** Runs below the ones that they were started by. */
  readonly nested: boolean;
  readonly open: readonly string[];
  readonly selected: readonly string[];
};

export type Search = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.map(String);
  return value === undefined || value === '' ? [] : String(value).split(',');
};
const text = (value: unknown): string => (value === undefined ? '' : String(value));

export function viewOf(search: Search): RunView {
  const filter = text(search['filter']);
  const group = text(search['group']);
  return {
    filter,
    order: text(search['order']),
    columns: search['columns'] === undefined ? undefined : list(search['columns']),
    equal: search['equal'] === true,
    group,
    // Who filters looks for a run wherever it stands.
    nested: group === '' && (search['nested'] === undefined ? filter === '' : search['nested'] === true),
    open: list(search['open']),
    selected: list(search['selected']),
  };
}

/** The address of a view: what is as it always is stays out. */
export function searchOf(view: Partial<RunView>, before: Search): Search {
  const next: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(view)) {
    const empty =
      value === '' || value === undefined || (Array.isArray(value) && value.length === 0 && key !== 'columns');
    if (empty || (key === 'equal' && value === false)) delete next[key];
    else next[key] = Array.isArray(value) && key !== 'open' ? value.join(',') : value;
  }
  return next;
}

/** A key as filters and orders write it: in backticks where it is no plain word. */
export const field = (prefix: 'metrics' | 'params' | 'tags', key: string): string =>
  `${prefix}.${/^[\p{L}_][\p{L}\p{N}_]*$/u.test(key) ? key : `\`${key}\``}`;

/** The next order when a heading is chosen: greatest first, then smallest first, then none. */
export function nextOrder(order: string, of: string, first: 'ASC' | 'DESC'): string {
  const second = first === 'ASC' ? 'DESC' : 'ASC';
  if (order === `${of} ${first}`) return `${of} ${second}`;
  return order === `${of} ${second}` ? '' : `${of} ${first}`;
}

/** How a heading stands in the order, for readers. */
export const sortedBy = (order: string, of: string | undefined): 'ascending' | 'descending' | undefined =>
  order === `${of} ASC` ? 'ascending' : order === `${of} DESC` ? 'descending' : undefined;
