/** The rows of a run list: only those in sight are read, however many there are. */
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import {
  type ListedRun,
  type PageQuery,
  pageLength,
  pageOptions,
  type RunGroup,
  type RunScope,
  useRunsNow,
} from '../../data/run-list.ts';
import { countRows, placeOf } from './rows.ts';

export type Row =
  | {
      readonly kind: 'run';
      readonly run: ListedRun;
      /** The list that it stands in: a run with two datasets is in two groups. */
      readonly within: string;
      readonly level: number;
      readonly isOpen: boolean;
    }
  | { readonly kind: 'group'; readonly id: string; readonly group: RunGroup; readonly isOpen: boolean }
  /** Not read yet. */
  | { readonly kind: 'blank' };

export type Source = {
  readonly scope: RunScope;
  readonly startedUntil: number | undefined;
  readonly order: string;
  /** How many there are at the top. */
  readonly total: number;
  readonly groups: readonly RunGroup[] | undefined;
  readonly groupedBy: string;
  readonly open: readonly string[];
};

/** First and last row in sight. */
export type Range = { readonly first: number; readonly last: number };

type RunList = {
  readonly key: string;
  readonly query: PageQuery | undefined;
  readonly total: number;
  readonly open: ReadonlyMap<number, RunList>;
};

/** A group's name among what stands open: a value after `=`, or nothing at all. */
export const groupId = ({ value }: RunGroup): string => (value === undefined ? 'none' : `=${value}`);

/** The runs from one row to another. */
export type ReadRows = (from: number, to: number) => Promise<readonly string[]>;

const widestRange = 1000;
/** Rows that stay so long are read anew when something happens. */
const restMs = 400;

export function useRunRows(source: Source, range: Range) {
  const queries = useQueryClient();
  const { scope, startedUntil, order, total, groups, groupedBy } = source;
  // Where the runs that stand open were seen, by the list that they stand in: their page may be gone again.
  const [seen, setSeen] = useState<ReadonlyMap<string, ReadonlyMap<string, SeenRun>>>(new Map());
  const root = useMemo(() => {
    const isOpen = new Set(source.open);
    const base: PageQuery = { ...scope, ...(startedUntil !== undefined && { startedUntil }), ...(order && { order }) };
    const listOf = (query: PageQuery, rows: number): RunList => {
      const key = JSON.stringify(query);
      const open = new Map<number, RunList>();
      for (const [id, { index, children }] of seen.get(key) ?? []) {
        // Its children are all of them, whenever they started.
        if (isOpen.has(id) && children > 0) open.set(index, listOf({ parent: id, ...(order && { order }) }, children));
      }
      return { key, total: rows, query, open };
    };
    if (groups === undefined) return listOf(base, total);
    const open = new Map<number, RunList>();
    for (const [index, group] of groups.entries()) {
      if (!isOpen.has(groupId(group))) continue;
      const query = { ...base, groupedBy, ...(group.value !== undefined && { group: group.value }) };
      open.set(index, listOf(query, group.runs));
    }
    return { key: 'groups', total: groups.length, query: undefined, open };
  }, [scope, startedUntil, order, total, groups, groupedBy, source.open, seen]);

  const rows = countRows(root);
  const first = Math.max(0, Math.min(range.first, rows - 1));
  const last = Math.min(range.last, rows - 1);
  const wanted = useMemo(() => pagesOf(root, first, last), [root, first, last]);
  const pages = useQueries({
    queries: wanted.map(({ query, page }) => pageOptions(query, page)),
    combine: (results) => ({
      data: results.map(({ data }) => data?.items),
      error: results.find(({ error }) => error)?.error ?? undefined,
    }),
  });

  const loaded = useMemo(() => {
    const byPage = new Map<string, readonly ListedRun[]>();
    for (const [at, items] of pages.data.entries()) {
      const page = wanted[at];
      if (page && items) byPage.set(`${page.key} ${page.page}`, items);
    }
    return byPage;
  }, [pages.data, wanted]);

  useEffect(() => setSeen((before) => seenWith(before, loaded, source.open)), [loaded, source.open]);

  const rested = useRested({ root, first, last, loaded });
  const held = useMemo(() => {
    const runs = new Map<string, ListedRun>();
    for (let row = rested.first; row <= rested.last; row++) {
      const run = runAt(rested.root, row, rested.loaded);
      if (run) runs.set(run.id, run);
    }
    return [...runs.values()];
  }, [rested]);
  const ids = useMemo(() => held.map(({ id }) => id), [held]);
  const now = useRunsNow(ids, { known: held }).data;
  const fresh = useMemo(() => new Map(now?.map((run) => [run.id, run])), [now]);

  const rowAt = (row: number): Row => {
    const { list, index, level } = placeOf(root, row);
    if (list === root && groups) {
      const group = groups[index];
      if (!group) return { kind: 'blank' };
      return { kind: 'group', id: groupId(group), group, isOpen: list.open.has(index) };
    }
    const run = runAt(root, row, loaded);
    if (!run) return { kind: 'blank' };
    const shown = fresh.get(run.id) ?? run;
    return {
      kind: 'run',
      run: shown,
      within: list.key,
      level: groups ? level - 1 : level,
      isOpen: list.open.has(index),
    };
  };

  /** The runs from one row to another, read where they were not yet. @throws RangeError for more than are sensibly chosen at once */
  async function runsBetween(from: number, to: number): Promise<readonly string[]> {
    const [low, high] = from < to ? [from, to] : [to, from];
    if (high - low >= widestRange) throw new RangeError(`A range holds at most ${widestRange} runs.`);
    const read = new Map<string, readonly ListedRun[]>();
    for (const { key, query, page } of pagesOf(root, low, high))
      read.set(`${key} ${page}`, (await queries.fetchQuery(pageOptions(query, page))).items);
    return Array.from({ length: high - low + 1 }, (_, at) => runAt(root, low + at, read)?.id ?? []).flat();
  }

  return { rows, rowAt, runsBetween, error: pages.error };
}

type Rows = {
  readonly root: RunList;
  readonly first: number;
  readonly last: number;
  readonly loaded: ReadonlyMap<string, readonly ListedRun[]>;
};

/** The rows as they were when they last stood still. */
function useRested({ root, first, last, loaded }: Rows): Rows {
  const [rested, setRested] = useState<Rows>({ root, first: 0, last: -1, loaded });
  useEffect(() => {
    const timer = setTimeout(() => setRested({ root, first, last, loaded }), restMs);
    return () => clearTimeout(timer);
  }, [root, first, last, loaded]);
  return rested;
}

type SeenRun = { readonly index: number; readonly children: number };
type WantedPage = { readonly key: string; readonly query: PageQuery; readonly page: number };

function pagesOf(root: RunList, first: number, last: number): readonly WantedPage[] {
  const pages = new Map<string, WantedPage>();
  for (let row = first; row <= last; row++) {
    const { list, index } = placeOf(root, row);
    const page = Math.floor(index / pageLength);
    if (list.query) pages.set(`${list.key} ${page}`, { key: list.key, query: list.query, page });
  }
  return [...pages.values()];
}

function runAt(root: RunList, row: number, loaded: ReadonlyMap<string, readonly ListedRun[]>): ListedRun | undefined {
  const { list, index } = placeOf(root, row);
  return loaded.get(`${list.key} ${Math.floor(index / pageLength)}`)?.[index % pageLength];
}

/** The same object when nothing that stands open was seen anew. */
function seenWith(
  before: ReadonlyMap<string, ReadonlyMap<string, SeenRun>>,
  loaded: ReadonlyMap<string, readonly ListedRun[]>,
  open: readonly string[],
): ReadonlyMap<string, ReadonlyMap<string, SeenRun>> {
  const isOpen = new Set(open);
  let after = before;
  for (const [place, items] of loaded) {
    const cut = place.lastIndexOf(' ');
    const key = place.slice(0, cut);
    const start = Number(place.slice(cut + 1)) * pageLength;
    for (const [at, { id, children }] of items.entries()) {
      const known = after.get(key)?.get(id);
      if (!isOpen.has(id) || (known?.index === start + at && known.children === children)) continue;
      after = new Map(after).set(key, new Map(after.get(key)).set(id, { index: start + at, children }));
    }
  }
  return after;
}
