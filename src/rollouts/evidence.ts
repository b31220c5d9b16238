/** The log of an endpoint, folded into what one rollout needs to know. The same log gives the same evidence, however it is cut. */
import type { ErrorCode } from '../errors.ts';
import type { LogRecord, MirrorRecord, PredictionRecord } from '../serving/prediction.ts';
import { addUnits, type SampleRatio, sampleRatio, sampleRatioP } from '../statistics/sample-ratio.ts';
import { type ArmEvidence, addAnswer, addShadowFailure, armEvidence, armFinding, type Place } from './arm-evidence.ts';
import type { Arm, Findings, GuardrailFinding, Loaded } from './findings.ts';
import { addLabelledPair, type LossEvidence, lossEvidence, lossFinding, ripen } from './loss-evidence.ts';
import { joinLabel, joinMirror, joinPrediction, type LabelledPair, noPairsYet, type PairJoin } from './pair-join.ts';
import type { Rollout } from './rollout.ts';

/** Changed in place by `fold`: a copy per record would make a long rollout quadratic. */
export type Evidence = {
  readonly rollout: string;
  readonly sticky: boolean;
  readonly guardrails: readonly (ArmEvidence | LossEvidence)[];
  readonly arms: Record<'challenger' | 'control' | 'champion', { requests: number; errors: number }>;
  /** Answers of either arm by the generation of the traffic they were assigned under. */
  readonly byGeneration: Map<number, { challenger: number; control: number }>;
  readonly pairs: PairJoin;
  readonly units: { seen: Set<string>; canary: number; control: number };
  readonly recentUnits: { hour: number; seen: Set<string> };
  split: SampleRatio;
  readonly shadowAnswers: Map<string, boolean>;
  shadow: { requests: number; failures: number; championFailures: number };
  requests: number;
  hardFailure: string | undefined;
  clock: number;
  seq: number;
};

export function noEvidence({ id, sticky, plan, afterSeq }: Rollout): Evidence {
  const alpha = plan.alpha / plan.guardrails.length;
  return {
    rollout: id,
    sticky,
    guardrails: plan.guardrails.map((one) =>
      one.kind === 'loss' ? lossEvidence(one, alpha) : armEvidence(one, alpha),
    ),
    arms: { challenger: noArm(), control: noArm(), champion: noArm() },
    byGeneration: new Map(),
    pairs: noPairsYet(),
    units: { seen: new Set(), canary: 0, control: 0 },
    recentUnits: { hour: Number.NEGATIVE_INFINITY, seen: new Set() },
    split: sampleRatio(),
    shadowAnswers: new Map(),
    shadow: { requests: 0, failures: 0, championFailures: 0 },
    requests: 0,
    hardFailure: undefined,
    // Of the log alone: until the first prediction the rollout's own clock may have been the wall's.
    clock: Number.NEGATIVE_INFINITY,
    seq: afterSeq,
  };
}

/** Takes in one record, in the order of the log. A record that was taken in before changes nothing. */
export function fold(evidence: Evidence, record: LogRecord): void {
  if (record.seq <= evidence.seq) return;
  evidence.seq = record.seq;
  evidence.clock = Math.max(evidence.clock, record.eventTime);
  switch (record.kind) {
    case 'prediction':
      if (record.rollout === evidence.rollout) foldPrediction(evidence, record);
      break;
    case 'mirror':
      if (record.rollout === evidence.rollout) foldMirror(evidence, record);
      break;
    case 'label':
      takePair(evidence, joinLabel(evidence.pairs, record));
      break;
  }
  for (const one of evidence.guardrails) if (isLoss(one)) ripen(one, evidence.clock);
}

export type Situation = {
  readonly loaded: Loaded;
  readonly supersededBy?: string;
  /** Of the traffic in force: what was assigned before does not count for the step. */
  readonly generation: number;
};

export function findingsOf(evidence: Evidence, { loaded, supersededBy, generation }: Situation): Findings {
  const stepArms = { challenger: 0, control: 0 };
  for (const [of, counts] of evidence.byGeneration) {
    if (of < generation) continue;
    stepArms.challenger += counts.challenger;
    stepArms.control += counts.control;
  }
  return {
    loaded,
    ...(supersededBy !== undefined && { supersededBy }),
    ...(evidence.hardFailure !== undefined && { hardFailure: evidence.hardFailure }),
    shadow: { ...evidence.shadow },
    requests: evidence.requests,
    arms: {
      challenger: { ...evidence.arms.challenger },
      control: { ...evidence.arms.control },
      champion: { ...evidence.arms.champion },
    } satisfies Record<string, Arm>,
    stepArms,
    guardrails: evidence.guardrails.map(
      (one, i): GuardrailFinding => (isLoss(one) ? lossFinding(one, i) : armFinding(one, i)),
    ),
    split: { p: sampleRatioP(evidence.split), units: evidence.split.units },
    seq: evidence.seq,
  };
}

/** After these a version must not get another request: it is broken, not worse. */
const hardCodes: ReadonlySet<string | undefined> = new Set<ErrorCode>([
  'serving/model-crashed',
  'serving/not-finite',
  'serving/wrong-shape',
]);

function foldPrediction(evidence: Evidence, record: PredictionRecord): void {
  evidence.requests += 1;
  const failed = record.outcome === 'error';
  joinPrediction(evidence.pairs, record);
  switch (record.role) {
    case 'champion':
    case 'shadow': {
      count(evidence.arms.champion, failed);
      // In the shadow stage its mirror follows.
      evidence.shadowAnswers.set(record.id, failed);
      forgetOldest(evidence.shadowAnswers);
      return;
    }
    case 'challenger':
    case 'control': {
      count(evidence.arms[record.role], failed);
      const generation = evidence.byGeneration.get(record.generation) ?? { challenger: 0, control: 0 };
      generation[record.role] += 1;
      evidence.byGeneration.set(record.generation, generation);
      if (record.role === 'challenger') noticeHardFailure(evidence, record.id, record);
      countUnit(evidence, record.unit, record.role);
      if (isRepeat(evidence, record)) return;
      for (const one of evidence.guardrails) {
        if (isLoss(one)) continue;
        // A failed answer is not also a slow one.
        if (one.guardrail.kind === 'slow' && failed) continue;
        const bad = one.guardrail.kind === 'slow' ? record.latencyMs > one.guardrail.aboveMs : failed;
        addAnswer(one, record.role, bad, placeOf(evidence));
      }
    }
  }
}

function foldMirror(evidence: Evidence, record: MirrorRecord): void {
  const failed = record.outcome === 'error';
  if (record.role === 'shadow') {
    const championFailed = evidence.shadowAnswers.get(record.predictionId);
    evidence.shadow.requests += 1;
    if (failed) evidence.shadow.failures += 1;
    if (championFailed) evidence.shadow.championFailures += 1;
    evidence.shadowAnswers.delete(record.predictionId);
    if (championFailed !== undefined && championFailed !== failed) {
      for (const one of evidence.guardrails) if (!isLoss(one)) addShadowFailure(one, failed, placeOf(evidence));
    }
  }
  // As a control the old version scores what the new one answered.
  if (record.role !== 'control') noticeHardFailure(evidence, record.predictionId, record);
  takePair(evidence, joinMirror(evidence.pairs, record));
}

function takePair(evidence: Evidence, pair: LabelledPair | undefined): void {
  if (!pair) return;
  for (const one of evidence.guardrails) if (isLoss(one)) addLabelledPair(one, pair, placeOf(evidence));
}

function noticeHardFailure(evidence: Evidence, id: string, { errorCode }: PredictionRecord | MirrorRecord): void {
  if (hardCodes.has(errorCode)) evidence.hardFailure ??= `${errorCode} on request ${id}: no further request is risked`;
}

/** Units, not requests: heavy users of a sticky endpoint would look like a broken split. Both arms are equally large. */
function countUnit(evidence: Evidence, unit: string, role: 'challenger' | 'control'): void {
  const { units, sticky } = evidence;
  if (sticky) {
    if (units.seen.has(unit)) return;
    units.seen.add(unit);
  }
  if (role === 'challenger') units.canary += 1;
  else units.control += 1;
  if (units.canary + units.control < 20) return;
  evidence.split = addUnits(evidence.split, [units.canary, units.control], [0.5, 0.5]);
  units.canary = 0;
  units.control = 0;
}

/** One user retrying a thousand times is one observation an hour, not a thousand independent ones. */
function isRepeat({ sticky, recentUnits }: Evidence, { unit, eventTime }: PredictionRecord): boolean {
  if (!sticky) return false;
  const hour = Math.floor(eventTime / 3_600_000);
  if (hour > recentUnits.hour) {
    recentUnits.hour = hour;
    recentUnits.seen.clear();
  }
  if (recentUnits.seen.has(unit)) return true;
  recentUnits.seen.add(unit);
  return false;
}

function count(arm: { requests: number; errors: number }, failed: boolean): void {
  arm.requests += 1;
  if (failed) arm.errors += 1;
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= 20_000) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

const placeOf = ({ seq, clock, requests }: Evidence): Place => ({ seq, eventTime: clock, requests });
const noArm = () => ({ requests: 0, errors: 0 });
const isLoss = (one: ArmEvidence | LossEvidence): one is LossEvidence => one.guardrail.kind === 'loss';
