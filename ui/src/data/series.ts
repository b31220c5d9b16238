/** Metric series as charts read them: thinned by the server, finer in a range, and longer while their run is running. */
import { type QueryClient, queryOptions, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { address, get } from './api.ts';

export type Axis = 'step' | 'time';

/** A stretch of a series: its last step and time, the mean of its points, and their ends where they differ. */
export type Stretch = {
  readonly step: number;
  readonly at: number;
  readonly points: number;
  readonly value?: number;
  readonly min?: number;
  readonly max?: number;
  readonly nan?: number;
  readonly above?: number;
  readonly below?: number;
};

export type Series = {
  /** Steps, or milliseconds, that one stretch spans. */
  readonly width: number;
  readonly points: readonly Stretch[];
};

/** Of the axis, both ends inclusive. */
export type Range = { readonly from: number; readonly to: number };

type SeriesQuery = {
  readonly run: string;
  readonly metric: string;
  readonly axis: Axis;
  readonly range?: Range | undefined;
};

const buckets = 300;

const keyOf = ({ run, metric, axis, range }: SeriesQuery) => ['series', run, metric, axis, range ?? null] as const;

const read = ({ run, metric, axis }: SeriesQuery, range: Partial<Range>, signal?: AbortSignal): Promise<Series> =>
  get<Series>(`/api/v1/runs/${encodeURIComponent(run)}/series`, { key: metric, axis, buckets, ...range }, signal);

export const seriesOptions = (query: SeriesQuery) =>
  queryOptions({
    queryKey: keyOf(query),
    queryFn: ({ signal }) => read(query, query.range ?? {}, signal),
    staleTime: Number.POSITIVE_INFINITY, // what a run logs, its live channel tells
  });

/** Keeps what is on screen of these running runs at its newest, by reading the new end of each series only. */
export function useLiveSeries(runs: readonly string[]): void {
  const queries = useQueryClient();
  const ids = runs.toSorted().join(',');
  useEffect(() => {
    if (ids === '') return;
    const source = new EventSource(address('/api/v1/metrics/stream', { runs: ids }));
    source.addEventListener('message', (message) => {
      for (const run of runsOf(message.data)) void lengthen(queries, run);
    });
    return () => {
      source.close();
      // Their last points and their end may have come after the last word.
      for (const run of ids.split(',')) void queries.invalidateQueries({ queryKey: ['series', run] });
    };
  }, [ids, queries]);
}

const lengthening = new Set<string>();

async function lengthen(queries: QueryClient, run: string): Promise<void> {
  if (lengthening.has(run)) return; // the next word comes while the run goes on
  lengthening.add(run);
  try {
    const open = queries.getQueryCache().findAll({ queryKey: ['series', run], type: 'active' });
    await Promise.all(
      open.map(async ({ queryKey, state }) => {
        const [, , metric, axis, range] = queryKey as ReturnType<typeof keyOf>; // only `keyOf` makes such keys
        const before = state.data as Series | undefined; // as `seriesOptions` put it there
        const last = before?.points.at(-1);
        if (range !== null) return; // what is looked at closely stays as it is
        if (!before || !last || before.points.length > 2 * buckets) {
          await queries.invalidateQueries({ queryKey, exact: true });
          return;
        }
        const tail = await read({ run, metric, axis }, { from: (axis === 'step' ? last.step : last.at) + 1 });
        if (tail.points.length === 0) return;
        queries.setQueryData<Series>(queryKey, (now) =>
          now?.points.at(-1) === last ? { ...now, points: [...now.points, ...tail.points] } : now,
        );
      }),
    );
    await queries.invalidateQueries({ queryKey: ['run', run], exact: true });
  } finally {
    lengthening.delete(run);
  }
}

function runsOf(data: string): readonly string[] {
  const said: unknown = JSON.parse(data);
  return typeof said === 'object' && said !== null && 'runs' in said && Array.isArray(said.runs)
    ? said.runs.map(String)
    : [];
}
