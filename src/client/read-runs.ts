/** Runs as a server has them. */
import { findExperiment } from './experiment.ts';
import type { Rest } from './rest-client.ts';

export type StoredRun = {
  readonly runId: string;
  readonly runName: string;
  readonly experimentId: string;
  readonly status: string;
  readonly startTime: Date;
  /** Undefined while it goes on. */
  readonly endTime: Date | undefined;
  readonly params: Readonly<Record<string, string>>;
  /** The last value of each. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
};

export type RunSearch = {
  readonly experimentNames: readonly string[];
  /** `metrics.loss < 0.1 and params.kind = 'trees'` */
  readonly filter?: string;
  /** `metrics.loss ASC`; the newest first when not given. */
  readonly orderBy?: readonly string[];
};

export type MetricPoint = { readonly value: number; readonly step: number; readonly timestamp: Date };

export async function getRun(rest: Rest, runId: string): Promise<StoredRun> {
  const { run } = (await rest.call('GET', 'runs/get', { run_id: runId })) as { run: WireRun };
  return storedRun(run);
}

export async function* searchRuns(
  rest: Rest,
  { experimentNames, filter = '', orderBy = [] }: RunSearch,
): AsyncGenerator<StoredRun> {
  const ids = await Promise.all(experimentNames.map((name) => findExperiment(rest, name)));
  const query = { experiment_ids: ids.filter((id) => id !== undefined), filter, order_by: orderBy, max_results: 1000 };
  if (query.experiment_ids.length === 0) return;
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page = (await rest.call('POST', 'runs/search', { ...query, ...(token && { page_token: token }) })) as RunPage;
    for (const run of page.runs ?? []) yield storedRun(run);
    token = page.next_page_token || undefined;
  }
}

export async function getMetricHistory(rest: Rest, runId: string, key: string): Promise<readonly MetricPoint[]> {
  const points: MetricPoint[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const query = { run_id: runId, metric_key: key, max_results: 25_000, ...(token && { page_token: token }) };
    const page = (await rest.call('GET', 'metrics/get-history', query)) as MetricPage;
    for (const { value, step, timestamp } of page.metrics ?? []) {
      points.push({ value: Number(value), step: Number(step), timestamp: new Date(Number(timestamp)) });
    }
    token = page.next_page_token || undefined;
  }
  return points;
}

/** What the server's answers are taken for; those that are otherwise fail in `storedRun`. */
type Pair<T> = { readonly key: string; readonly value: T };
type WireRun = {
  readonly info: {
    readonly run_id: string;
    readonly run_name?: string;
    readonly experiment_id: string;
    readonly status: string;
    readonly start_time?: number | string;
    readonly end_time?: number | string;
  };
  readonly data?: {
    readonly params?: readonly Pair<string>[];
    readonly metrics?: readonly Pair<number | string>[];
    readonly tags?: readonly Pair<string>[];
  };
};
type RunPage = { readonly runs?: readonly WireRun[]; readonly next_page_token?: string };
type WirePoint = Pair<number | string> & { readonly step: number | string; readonly timestamp: number | string };
type MetricPage = { readonly metrics?: readonly WirePoint[]; readonly next_page_token?: string };

function storedRun({ info, data = {} }: WireRun): StoredRun {
  const { params = [], metrics = [], tags = [] } = data;
  return {
    runId: info.run_id,
    runName: info.run_name ?? '',
    experimentId: info.experiment_id,
    status: info.status,
    startTime: new Date(Number(info.start_time ?? 0)),
    endTime: info.end_time === undefined ? undefined : new Date(Number(info.end_time)),
    params: Object.fromEntries(params.map(({ key, value }) => [key, value])),
    metrics: Object.fromEntries(metrics.map(({ key, value }) => [key, Number(value)])),
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
  };
}
