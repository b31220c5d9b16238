/** What a version did on one day of the endpoint's time, in counts that add up: monitors read these and never the log. */
import {
  type Bins,
  type Cell,
  cellCount,
  cellFinder,
  type Histogram,
  mergeHistograms,
} from '../statistics/histogram.ts';
import { latencyBucket } from '../statistics/latency-histogram.ts';
import { cellReader, type LoggedInputs, type LoggedLine } from './log-line.ts';
import type { Role } from './prediction.ts';
import type { ReferenceBins } from './reference-bins.ts';
import type { VersionRef } from './traffic.ts';

const dayMs = 86_400_000;

/** One (version, role, day). Mirrored answers are counted apart from answers, since they were given to nobody. */
export type Summary = {
  readonly model: string;
  readonly version: number;
  readonly role: Role;
  readonly kind: 'prediction' | 'mirror';
  /** Start of the UTC day, milliseconds since 1970. */
  readonly day: number;
  readonly count: number;
  readonly errors: number;
  /** Latency counts by bucket of `statistics/latency-histogram.ts`, without the empty ones. */
  readonly latency: Readonly<Record<number, number>>;
  readonly features: Readonly<Record<string, Histogram>>;
  readonly score?: Histogram;
};

/** What all lines of one route have in common. */
export type LineSource = Pick<Summary, 'kind' | 'role' | 'model' | 'version'>;

/** What a line adds to the summary of its day. */
export type LineCount = {
  readonly source: LineSource;
  readonly eventTime: number;
  readonly latencyMs: number;
  readonly isError: boolean;
  /** Places in the counts of the version's score, or -1 for none, and of a prediction's features, in the order of its bins. */
  readonly cells: ArrayLike<number>;
};

/** The day a time falls on. */
export const dayOf = (eventTime: number): number => Math.floor(eventTime / dayMs) * dayMs;

/** One summary per version, role and kind over all the days given; `day` is the first of them. */
export function mergeDays(summaries: readonly Summary[]): readonly Summary[] {
  const merged = new Map<string, Summary>();
  for (const summary of summaries.toSorted((a, b) => a.day - b.day)) {
    const key = keyOf({ ...summary, day: 0 });
    const known = merged.get(key);
    merged.set(key, known ? mergeSummaries(known, summary) : summary);
  }
  return [...merged.values()];
}

/** @throws RangeError when the histograms lie over different bins */
function mergeSummaries(first: Summary, second: Summary): Summary {
  const latency = { ...first.latency };
  for (const [bucket, count] of Object.entries(second.latency)) latency[+bucket] = (latency[+bucket] ?? 0) + count;
  const features = { ...first.features };
  for (const [name, histogram] of Object.entries(second.features)) {
    const own = features[name];
    features[name] = own ? mergeHistograms(own, histogram) : histogram;
  }
  const score =
    first.score && second.score ? mergeHistograms(first.score, second.score) : (first.score ?? second.score);
  return {
    ...first,
    count: first.count + second.count,
    errors: first.errors + second.errors,
    latency,
    features,
    ...(score && { score }),
  };
}

/** Summaries with the last record they cover: after a crash the rest of the log is folded again. */
export type SummarySnapshot = { readonly covered: number; readonly summaries: readonly Summary[] };

/** As text, with the cells of each column once and not once a day: they are the larger part. */
export function writeSnapshot({ covered, summaries }: SummarySnapshot): string {
  const places = new Map<Bins, number>();
  const text = JSON.stringify(summaries, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('bins' in value)) return value;
    const { bins, counts } = value as Histogram; // nothing else in a summary has bins
    const place = places.get(bins) ?? places.size;
    places.set(bins, place);
    return { place, counts };
  });
  return `{"covered":${covered},"bins":${JSON.stringify([...places.keys()])},"summaries":${text}}`;
}

/** @param text of `writeSnapshot` */
export function readSnapshot(text: string): SummarySnapshot {
  const { covered, bins, summaries } = JSON.parse(text) as {
    covered: number;
    bins: Bins[];
    summaries: WrittenSummary[];
  };
  const read = ({ place, counts }: WrittenHistogram): Histogram => ({ bins: bins[place] as Bins, counts }); // written together
  return {
    covered,
    summaries: summaries.map(({ features, score, ...rest }) => ({
      ...rest,
      features: Object.fromEntries(Object.entries(features).map(([name, one]) => [name, read(one)])),
      ...(score && { score: read(score) }),
    })),
  };
}

type WrittenHistogram = { readonly place: number; readonly counts: readonly number[] };
type WrittenSummary = Omit<Summary, 'features' | 'score'> & {
  readonly features: Readonly<Record<string, WrittenHistogram>>;
  readonly score?: WrittenHistogram;
};

/** Counts records as they come. The counts change in place, since a copy for each of thousands a second would be the main cost. */
export type SummaryFold = {
  add(record: LoggedLine): void;
  /**
   * The same for a line whose cells are known.
   * @returns false when the cells are not those of this summary: then the line itself must be read and added
   */
  addCells(seq: number, line: LineCount): boolean;
  snapshot(): SummarySnapshot;
};

export function foldSummaries(
  start: SummarySnapshot,
  binsOf: (version: VersionRef) => ReferenceBins | undefined,
): SummaryFold {
  const open = new Map<string, { readonly summary: OpenSummary; readonly counters: Counters }>();
  let covered = start.covered;
  const put = (key: string, summary: OpenSummary) => {
    const one = { summary, counters: countersOf(summary) };
    open.set(key, one);
    return one;
  };
  for (const summary of start.summaries) put(keyOf(summary), copyOf(summary));

  const openAt = ({ model, version, role, kind }: LineSource, eventTime: number) => {
    const place = { model, version, role, kind, day: dayOf(eventTime) };
    const key = keyOf(place);
    return open.get(key) ?? put(key, begin(place, binsOf(place)));
  };

  return {
    add(record) {
      if (record.seq <= covered) return;
      covered = record.seq;
      if (record.kind === 'label') return;
      const { summary, counters } = openAt(record, record.eventTime);
      countOne(summary, { latencyMs: record.latencyMs, isError: record.outcome === 'error' });
      if (record.outcome === 'ok') counters.score?.(record.score);
      if (record.kind === 'prediction') for (const count of counters.features) count(record.inputs);
    },
    addCells(seq, { source, eventTime, latencyMs, isError, cells }) {
      const { summary, counters } = openAt(source, eventTime);
      if (cells.length !== 1 + counters.cells.length) return false;
      if (seq <= covered) return true;
      covered = seq;
      countOne(summary, { latencyMs, isError });
      increment(summary.score?.counts, cells[0]);
      for (let index = 1; index < cells.length; index++) increment(counters.cells[index - 1], cells[index]);
      return true;
    },
    snapshot: () => ({ covered, summaries: [...open.values()].map(({ summary }) => copyOf(summary)) }),
  };
}

function countOne(summary: OpenSummary, { latencyMs, isError }: { latencyMs: number; isError: boolean }): void {
  summary.count++;
  if (isError) summary.errors++;
  const bucket = latencyBucket(latencyMs);
  summary.latency[bucket] = (summary.latency[bucket] ?? 0) + 1;
}

/** @param cell absent or -1: nothing is counted */
function increment(counts: number[] | undefined, cell = -1): void {
  if (counts && cell >= 0) counts[cell] = (counts[cell] ?? 0) + 1;
}

type Counters = {
  readonly score: ((value: Cell) => void) | undefined;
  /** The counts of each feature. */
  readonly cells: readonly number[][];
  readonly features: readonly ((inputs: LoggedInputs) => void)[];
};

function countersOf({ score, features }: OpenSummary): Counters {
  const counter = ({ bins, counts }: MutableHistogram) => {
    const find = cellFinder(bins);
    return (value: Cell): void => increment(counts, find(value));
  };
  return {
    score: score && counter(score),
    cells: Object.values(features).map(({ counts }) => counts),
    features: Object.entries(features).map(([name, histogram]) => {
      const [read, count] = [cellReader(name), counter(histogram)];
      return (inputs) => count(read(inputs));
    }),
  };
}

type MutableHistogram = { readonly bins: Bins; readonly counts: number[] };
type OpenSummary = Omit<Summary, 'count' | 'errors' | 'latency' | 'features' | 'score'> & {
  count: number;
  errors: number;
  latency: Record<number, number>;
  features: Record<string, MutableHistogram>;
  score?: MutableHistogram;
};

type Place = Pick<Summary, 'model' | 'version' | 'role' | 'kind' | 'day'>;
const keyOf = ({ model, version, role, kind, day }: Place): string => `${kind}/${role}/${model}@${version}/${day}`;

function begin({ model, version, role, kind, day }: Place, bins: ReferenceBins | undefined): OpenSummary {
  const empty = (over: Bins): MutableHistogram => ({ bins: over, counts: new Array<number>(cellCount(over)).fill(0) });
  const features: Record<string, MutableHistogram> = {};
  if (kind === 'prediction')
    for (const [name, over] of Object.entries(bins?.features ?? {})) features[name] = empty(over);
  return {
    ...{ model, version, role, kind, day, count: 0, errors: 0, latency: {}, features },
    ...(bins?.score && { score: empty(bins.score) }),
  };
}

function copyOf({ score, ...summary }: Summary): OpenSummary {
  const copy = ({ bins, counts }: Histogram): MutableHistogram => ({ bins, counts: [...counts] });
  return {
    ...summary,
    latency: { ...summary.latency },
    features: Object.fromEntries(Object.entries(summary.features).map(([name, one]) => [name, copy(one)])),
    ...(score && { score: copy(score) }),
  };
}
