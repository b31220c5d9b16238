/** The loss of both versions on the same requests: labels as they arrive can stop a rollout, mature ones can prove it. */

import { rowLosses } from '../statistics/loss.ts';
import {
  addPair,
  noPairs,
  type PairedBounds,
  type PairedSequence,
  pairedBounds,
} from '../statistics/paired-sequence.ts';
import type { Place } from './arm-evidence.ts';
import type { GuardrailFinding } from './findings.ts';
import type { LabelledPair } from './pair-join.ts';
import { dayMs } from './quantity.ts';
import type { Guardrail } from './rollout-config.ts';
import { noSeries, offerPoint, type Series } from './series.ts';

export type LossGuardrail = Extract<Guardrail, { kind: 'loss' }>;

/** Changed in place by the fold. */
export type LossEvidence = {
  readonly guardrail: LossGuardrail;
  readonly alpha: number;
  /** Every labelled pair: early labels may come from an odd part of the traffic, but both versions share it. */
  arrived: PairedSequence;
  /** Pairs old enough that the labels of their time are in. */
  mature: PairedSequence;
  /** Labelled pairs on the way from one to the other, by a slice of event time. */
  readonly maturing: Map<number, Difference[]>;
  maturingCount: number;
  /** Up to here the slices have been taken over. */
  matureUntil: number;
  pairs: number;
  challengerLoss: number;
  championLoss: number;
  broken: GuardrailFinding['broken'];
  series: Series;
};

type Difference = { readonly day: number; readonly difference: number };

export function lossEvidence(guardrail: LossGuardrail, alpha: number): LossEvidence {
  return {
    guardrail,
    alpha,
    arrived: noPairs,
    mature: noPairs,
    maturing: new Map(),
    maturingCount: 0,
    matureUntil: Number.NEGATIVE_INFINITY,
    pairs: 0,
    challengerLoss: 0,
    championLoss: 0,
    broken: undefined,
    series: noSeries(),
  };
}

export function addLabelledPair(evidence: LossEvidence, pair: LabelledPair, place: Place): void {
  const { guardrail } = evidence;
  const loss = rowLosses[guardrail.metric];
  // A truth that the loss does not know, such as 2 for a binary one, says nothing.
  if (guardrail.metric !== 'mae' && pair.truth !== 0 && pair.truth !== 1) return;
  const challenger = loss(pair.truth, pair.challenger);
  const champion = loss(pair.truth, pair.champion);
  const one = { day: Math.floor(pair.eventTime / dayMs), difference: challenger - champion };
  evidence.pairs += 1;
  evidence.challengerLoss += challenger;
  evidence.championLoss += champion;
  evidence.arrived = addPair(evidence.arrived, one);
  const slice = Math.floor(pair.eventTime / sliceMs(guardrail));
  if (slice * sliceMs(guardrail) < evidence.matureUntil) evidence.mature = addPair(evidence.mature, one);
  else {
    const others = evidence.maturing.get(slice);
    if (others) others.push(one);
    else evidence.maturing.set(slice, [one]);
    evidence.maturingCount += 1;
  }
  if (evidence.pairs % lookEvery !== 0) return;
  const bounds = boundsOf(evidence, evidence.arrived);
  if (bounds) look(evidence, bounds, place);
}

/** @param clock the endpoint's own, as far as the log goes */
export function ripen(evidence: LossEvidence, clock: number): void {
  const { guardrail, maturing } = evidence;
  const slice = sliceMs(guardrail);
  const until = Math.floor((clock - guardrail.maturityMs) / slice) * slice;
  if (until <= evidence.matureUntil) return;
  evidence.matureUntil = until;
  for (const start of [...maturing.keys()].sort((a, b) => a - b)) {
    if ((start + 1) * slice > until) break;
    for (const one of maturing.get(start) ?? []) {
      evidence.mature = addPair(evidence.mature, one);
      evidence.maturingCount -= 1;
    }
    maturing.delete(start);
  }
}

export function lossFinding(evidence: LossEvidence, index: number): GuardrailFinding {
  const { guardrail, alpha, pairs, broken, maturingCount } = evidence;
  const { margin, metric } = guardrail;
  const seen = boundsOf(evidence, evidence.arrived);
  const proof = boundsOf(evidence, evidence.mature);
  const proven = proof !== undefined && !broken && proof.upper < margin;
  // What stopped it were labels as they arrived; what proves is mature.
  const shown = broken ? seen : (proof ?? seen);
  const n = broken ? pairs : (proof?.pairs ?? pairs);
  const days = shown?.days ?? 0;
  const window = `the traffic of these ${days} days`;
  const method = `paired asymptotic confidence sequence with the variance of days, alpha ${Number(alpha.toPrecision(2))}`;
  const reason = shown
    ? `${metric}: ${signed(shown.value)}, at worst ${signed(shown.upper)}, margin ${signed(margin)}, ${shown.pairs} labelled pairs, for ${window}`
    : `${metric}: ${pairs} labelled pairs, ${minPairs} are needed`;
  return {
    index,
    name: metric,
    unit: 'loss',
    ...(seen && {
      value: seen.value,
      challenger: evidence.challengerLoss / pairs,
      champion: evidence.championLoss / pairs,
    }),
    ...(shown && { atWorst: shown.upper }),
    margin,
    n,
    maturing: maturingCount,
    proven,
    ...(broken && { broken }),
    word: broken ? 'worse' : proven ? (proof.upper < 0 ? 'better' : 'no worse') : 'undecided',
    verdict: {
      outcome: broken ? 'fail' : proven ? 'pass' : 'inconclusive',
      reason: broken ? broken.because : reason,
      ...(shown && { value: shown.value, lower: shown.lower, upper: shown.upper, window }),
      threshold: margin,
      n,
      method,
    },
    says: {
      value: seen ? signed(seen.value) : '–',
      atWorst: shown ? signed(shown.upper) : '–',
      margin: signed(margin),
    },
    series: evidence.series.points,
  };
}

const minPairs = 100;
/** A look costs more than a pair; a look every 25 requests finds harm no later than a look at each (simulated). */
const lookEvery = 10;

const boundsOf = ({ alpha }: LossEvidence, pairs: PairedSequence): PairedBounds | undefined =>
  // Narrowest where a decision is wanted; fixed before the first look.
  pairedBounds(pairs, { alpha, optimalAt: 2000, minPairs });

function look(evidence: LossEvidence, { value, lower, upper, pairs }: PairedBounds, place: Place): void {
  const { margin, metric } = evidence.guardrail;
  offerPoint(evidence.series, () => ({ requests: place.requests, eventTime: place.eventTime, value, lower, upper }));
  if (evidence.broken || lower <= margin) return;
  const because = `${metric}: ${signed(value)}, at least ${signed(lower)}, margin ${signed(margin)}, ${pairs} labelled pairs`;
  evidence.broken = { because, seq: place.seq, eventTime: place.eventTime };
}

/** Maturity is exact to a 24th of itself: an hour for a day. */
const sliceMs = ({ maturityMs }: LossGuardrail) => Math.max(1, maturityMs / 24);

const signed = (x: number) => `${x > 0 ? '+' : ''}${Number(x.toFixed(4))}`;
