/** Many runs at once: pages that hold still, groups, keys, and what is done to several. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { get, post, send } from './api.ts';
import type { Run } from './runs.ts';

export type ListedRun = Run & {
  readonly parent?: string;
  /** How many runs stand directly under it. */
  readonly children: number;
};

/** Which runs a list is about. */
export type RunScope = {
  readonly experiment?: string;
  readonly filter?: string;
  readonly top?: true;
  readonly parent?: string;
  readonly groupedBy?: string;
  readonly group?: string;
};

export type RunPage = { readonly items: readonly ListedRun[]; readonly total?: number };

export type RunGroup = {
  readonly value?: string;
  readonly runs: number;
  readonly lastStartedAt: number;
  readonly metrics: Readonly<Record<string, Spread>>;
};
export type Spread = { readonly min: number; readonly max: number; readonly mean: number | null };

export type RunKeys = {
  readonly metrics: readonly string[];
  readonly params: readonly string[];
  readonly tags: readonly string[];
};

export const pageLength = 100;

/** Read once and kept, so that rows stay where they are while runs arrive; `['run-pages']` is made stale by hand only. */
const held = { staleTime: Number.POSITIVE_INFINITY, gcTime: 60_000, meta: { holdsStill: true } };

/** The newest runs of a scope, and how many there are. What the table shows until somebody asks for newer ones is bounded by it. */
export const useNewest = (scope: RunScope) =>
  useQuery({
    queryKey: ['run-pages', 'newest', scope],
    queryFn: ({ signal }) => get<RunPage>('/api/v1/runs', { ...scope, limit: pageLength, total: 'true' }, signal),
    ...held,
    gcTime: 300_000,
  });

/** How many there are of a scope, and when the newest started, when they were last read anew. */
export const useTotal = (scope: RunScope) =>
  useQuery({
    queryKey: ['run-pages', 'total', scope],
    queryFn: async ({ signal }) => {
      const { items, total = 0 } = await get<RunPage>('/api/v1/runs', { ...scope, limit: 1, total: 'true' }, signal);
      return { total, startedUntil: items[0]?.startedAt ?? 0 };
    },
    ...held,
  });

export type PageQuery = RunScope & { readonly startedUntil?: number; readonly order?: string };

export const pageOptions = (query: PageQuery, page: number) =>
  queryOptions({
    queryKey: ['run-pages', query, page],
    queryFn: ({ signal }) =>
      get<RunPage>('/api/v1/runs', { ...query, limit: pageLength, offset: page * pageLength }, signal),
    ...held,
  });

const groupsShown = 1000;

export const useGroups = (scope: RunScope & { startedUntil?: number }, by: string, metrics: readonly string[]) =>
  useQuery({
    queryKey: ['run-pages', 'groups', scope, by, metrics],
    enabled: by !== '' && scope.startedUntil !== undefined,
    queryFn: ({ signal }) => {
      const query = { ...scope, by, metrics: metrics.join(',') || undefined, limit: groupsShown };
      return get<{ items: readonly RunGroup[] }>('/api/v1/runs/groups', query, signal);
    },
    placeholderData: (before) => before,
    ...held,
  });

/** How many runs started since then. */
export const useArrived = (scope: RunScope, since: number | undefined) =>
  useQuery({
    queryKey: ['runs', 'arrived', scope, since],
    enabled: since !== undefined,
    queryFn: async ({ signal }) => {
      const query = { ...scope, startedAfter: since, limit: 1, total: 'true' };
      return (await get<RunPage>('/api/v1/runs', query, signal)).total ?? 0;
    },
  });

/** As they are now, by id. @param known what is shown until something happens */
export const useRunsNow = (ids: readonly string[], options: { readonly known?: readonly ListedRun[] } = {}) =>
  useQuery({
    queryKey: ['runs', 'now', ids],
    enabled: ids.length > 0,
    queryFn: async ({ signal }) => {
      const filter = `attributes.run_id IN (${ids.map((id) => `'${id}'`).join(', ')})`;
      return (await get<RunPage>('/api/v1/runs', { filter, limit: ids.length }, signal)).items;
    },
    ...(options.known && { initialData: options.known, staleTime: Number.POSITIVE_INFINITY }),
    // What a run logs is no event.
    refetchInterval: ({ state }) => (state.data?.some(({ status }) => status === 'RUNNING') ? 4000 : false),
  });

export const useBest = (scope: RunScope, order: string | undefined) =>
  useQuery({
    queryKey: ['runs', 'best', scope, order],
    enabled: order !== undefined,
    queryFn: async ({ signal }) => {
      const { items } = await get<RunPage>('/api/v1/runs', { ...scope, order, limit: 1 }, signal);
      return items[0] ?? null;
    },
  });

export const useRunKeys = (experiment: string | undefined) =>
  useQuery({
    queryKey: ['runs', 'keys', experiment],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<RunKeys>('/api/v1/runs/keys', { experiment }, signal),
  });

/** The most that the server changes at once. */
const portion = 500;

async function inPortions(runs: readonly string[], change: (some: readonly string[]) => Promise<unknown>) {
  for (let at = 0; at < runs.length; at += portion) await change(runs.slice(at, at + portion));
}

/** @param tags `null` removes */
export const tagRuns = (runs: readonly string[], tags: Readonly<Record<string, string | null>>) =>
  inPortions(runs, (some) => send('PATCH', '/api/v1/runs', { runs: some, tags }));

export const deleteRuns = (runs: readonly string[]) =>
  inPortions(runs, (some) => post('/api/v1/runs/delete', { runs: some }));
