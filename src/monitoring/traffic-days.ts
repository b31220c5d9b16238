/** The log of an endpoint folded into days: what came in over the reference's cells, what was answered, and how it turned out. */
import type { LogRecord, PredictionRecord } from '../serving/prediction.ts';
import { dayOf } from '../serving/summary.ts';
import { sameVersion, type VersionRef } from '../serving/traffic.ts';
import { type Bins, type Cell, cellCount, cellFinder } from '../statistics/histogram.ts';

export type TrafficDay = {
  /** Start of the UTC day of event time. */
  readonly day: number;
  /** The log's place of its first record: where to begin reading to see the whole day. */
  readonly firstSeq: number;
  rows: number;
  errors: number;
  /** Answers slower than the promise. */
  slow: number;
  readonly features: Record<string, number[]>;
  /** Scored rows that a label could still come for. */
  scored: number;
  readonly labelled: { readonly truth: number[]; readonly score: number[]; readonly group: string[] };
};

/** Changed in place by `foldDay`. */
export type TrafficDays = {
  readonly settings: FoldSettings;
  readonly days: Map<number, TrafficDay>;
  readonly waiting: Map<string, { readonly day: number; readonly score: number; readonly group: string }>;
  readonly finders: ReadonlyMap<string, (value: Cell) => number>;
  seq: number;
  /** Greatest event time seen. */
  clock: number;
};

export type FoldSettings = {
  /** The version whose training data the features are counted over. */
  readonly version: VersionRef | undefined;
  /** Of the traffic under which that version was first seen; -1 before any. */
  readonly generation: number;
  readonly bins: Readonly<Record<string, Bins>>;
  readonly slowAboveMs: number;
  /** The input that makes groups, with cut points where it is a number. */
  readonly groups?: { readonly column: string; readonly cuts?: readonly number[] };
};

export type Served = { readonly version: VersionRef; readonly generation: number };

/** More say no more about a day; a metric's interval is then a tenth of a point. */
const mostLabelledADay = 50_000;
const mostWaiting = 500_000;

/** @param afterSeq the log before is left out */
export function noDays(settings: FoldSettings, afterSeq: number): TrafficDays {
  return {
    settings,
    days: new Map(),
    waiting: new Map(),
    finders: new Map(Object.entries(settings.bins).map(([name, bins]) => [name, cellFinder(bins)])),
    seq: afterSeq,
    clock: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Takes in one record, in the order of the log.
 * @returns the version that serves, when a newer traffic serves another one than the settings say: nothing was taken in then,
 * fold anew for it. Answers that were on their way when the traffic changed are older, and switch nothing back
 */
export function foldDay(days: TrafficDays, record: LogRecord): Served | undefined {
  if (record.seq <= days.seq) return undefined;
  if (record.kind === 'prediction') {
    const isChampion = record.role === 'champion' || record.role === 'control';
    if (isChampion && record.generation > days.settings.generation && !sameVersion(record, days.settings.version)) {
      return { version: { model: record.model, version: record.version }, generation: record.generation };
    }
    addPrediction(days, record);
  } else if (record.kind === 'label') addLabel(days, record.key, Number(record.value));
  days.seq = record.seq;
  return undefined;
}

/** Days before this one are no longer needed. */
export function forgetDays({ days }: TrafficDays, before: number): void {
  for (const day of days.keys()) if (day < before) days.delete(day);
}

function addPrediction(days: TrafficDays, record: PredictionRecord): void {
  days.clock = Math.max(days.clock, record.eventTime);
  const day = dayOf(record.eventTime);
  const one = openDay(days, day, record.seq);
  one.rows += 1;
  if (record.outcome === 'error') one.errors += 1;
  else if (record.latencyMs > days.settings.slowAboveMs) one.slow += 1;
  for (const [name, find] of days.finders) {
    const counts = one.features[name];
    const cell = find(record.inputs[name]);
    if (counts) counts[cell] = (counts[cell] ?? 0) + 1;
  }
  if (record.key === undefined || record.score === undefined || !Number.isFinite(record.score)) return;
  one.scored += 1;
  // The key may come again: only its last answer waits for the label.
  days.waiting.delete(record.key);
  days.waiting.set(record.key, { day, score: record.score, group: groupOf(days.settings, record) });
  if (days.waiting.size <= mostWaiting) return;
  for (const oldest of days.waiting.keys()) {
    days.waiting.delete(oldest);
    break;
  }
}

function addLabel({ days, waiting }: TrafficDays, key: string, truth: number): void {
  const answer = waiting.get(key);
  if (!answer || !Number.isFinite(truth)) return;
  waiting.delete(key);
  const day = days.get(answer.day);
  if (!day || day.labelled.truth.length >= mostLabelledADay) return;
  day.labelled.truth.push(truth);
  day.labelled.score.push(answer.score);
  day.labelled.group.push(answer.group);
}

function openDay({ days, settings }: TrafficDays, day: number, seq: number): TrafficDay {
  const known = days.get(day);
  if (known) return known;
  const features: Record<string, number[]> = {};
  for (const [name, bins] of Object.entries(settings.bins)) features[name] = new Array<number>(cellCount(bins)).fill(0);
  const begun: TrafficDay = {
    ...{ day, firstSeq: seq, rows: 0, errors: 0, slow: 0, features, scored: 0 },
    labelled: { truth: [], score: [], group: [] },
  };
  days.set(day, begun);
  return begun;
}

/** `below 500`, `500 to 1000`, `from 1000`; else the value itself. */
function groupOf({ groups }: FoldSettings, { inputs }: PredictionRecord): string {
  if (!groups) return '';
  const value = inputs[groups.column];
  if (value === null || value === undefined) return 'missing';
  const { cuts } = groups;
  if (!cuts) return String(value);
  const at = cuts.findIndex((cut) => Number(value) < cut);
  if (at === 0) return `below ${cuts[0]}`;
  return at < 0 ? `from ${cuts.at(-1)}` : `${cuts[at - 1]} to ${cuts[at]}`;
}
