/** Brings together what two versions said about one request and the truth that came later, in whatever order they arrive. */
import type { LabelRecord, MirrorRecord, PredictionRecord } from '../serving/prediction.ts';

/** Both versions' scores and the truth of one request. */
export type LabelledPair = {
  readonly eventTime: number;
  readonly challenger: number;
  readonly champion: number;
  readonly truth: number;
};

export type ScoredPair = Omit<LabelledPair, 'truth'> & { readonly key?: string };

/** Changed in place by the fold. Every map forgets its oldest entries, so that lost mirrors and labels cost no memory. */
export type PairJoin = {
  /** Answers that wait for their mirror. */
  readonly answered: Map<
    string,
    { readonly score: number; readonly byChallenger: boolean; readonly eventTime: number }
  >;
  /** Pairs that wait for their label, by key. */
  readonly scored: Map<string, ScoredPair>;
  /** Labels that came before their pair. */
  readonly labels: Map<string, number>;
};

const mostAnswered = 20_000;
const mostScored = 500_000;
const mostLabels = 20_000;

export const noPairsYet = (): PairJoin => ({ answered: new Map(), scored: new Map(), labels: new Map() });

export function joinPrediction({ answered }: PairJoin, record: PredictionRecord): void {
  if (record.outcome !== 'ok' || !isNumber(record.score)) return;
  const byChallenger = record.role === 'challenger';
  remember(answered, record.id, { score: record.score, byChallenger, eventTime: record.eventTime }, mostAnswered);
}

/** @returns the pair, if its label is here already */
export function joinMirror(join: PairJoin, record: MirrorRecord): LabelledPair | undefined {
  const answer = join.answered.get(record.predictionId);
  join.answered.delete(record.predictionId);
  if (!answer || record.outcome !== 'ok' || !isNumber(record.score) || record.key === undefined) return undefined;
  const { eventTime, byChallenger } = answer;
  const pair: ScoredPair = {
    eventTime,
    key: record.key,
    challenger: byChallenger ? answer.score : record.score,
    champion: byChallenger ? record.score : answer.score,
  };
  const truth = join.labels.get(record.key);
  if (truth === undefined) {
    remember(join.scored, record.key, pair, mostScored);
    return undefined;
  }
  join.labels.delete(record.key);
  return { ...pair, truth };
}

/** A label counts once, as it first came: a correction cannot be taken out of a sequential test again. */
export function joinLabel(join: PairJoin, { key, value }: LabelRecord): LabelledPair | undefined {
  const truth = Number(value);
  if (!Number.isFinite(truth)) return undefined;
  const pair = join.scored.get(key);
  if (!pair) {
    remember(join.labels, key, truth, mostLabels);
    return undefined;
  }
  join.scored.delete(key);
  return { ...pair, truth };
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

const isNumber = (score: number | undefined): score is number => score !== undefined && Number.isFinite(score);
