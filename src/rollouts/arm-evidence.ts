/** Failed or slow answers of the canary against those of a control cohort as large, at the same time. */
import { addBounded, type BoundedMean, boundedDifference, boundedMean } from '../statistics/bounded-mean.ts';
import { addError, type ErrorRatio, errorRatio, errorRatioP } from '../statistics/error-ratio.ts';
import type { GuardrailFinding } from './findings.ts';
import { sayDuration, sayPercent } from './quantity.ts';
import type { Guardrail } from './rollout-config.ts';
import { noSeries, offerPoint, type Series } from './series.ts';

export type ArmGuardrail = Extract<Guardrail, { kind: 'errors' | 'slow' }>;

/** Changed in place by the fold. */
export type ArmEvidence = {
  readonly guardrail: ArmGuardrail;
  /** This guardrail's part of the rollout's alpha. */
  readonly alpha: number;
  challenger: BoundedMean;
  control: BoundedMean;
  /** Of failures only: it finds a burst of them after tens of answers, where bounds need hundreds. */
  ratio: ErrorRatio | undefined;
  broken: GuardrailFinding['broken'];
  series: Series;
};

export function armEvidence(guardrail: ArmGuardrail, alpha: number): ArmEvidence {
  return {
    guardrail,
    alpha,
    // Half for each arm: their difference errs when either does.
    challenger: boundedMean(alpha / 2),
    control: boundedMean(alpha / 2),
    ratio: guardrail.kind === 'errors' ? errorRatio({ tolerated: guardrail.ratio }) : undefined,
    broken: undefined,
    series: noSeries(),
  };
}

export type Place = { readonly seq: number; readonly eventTime: number; readonly requests: number };

/** One answer that went to a user. */
export function addAnswer(evidence: ArmEvidence, arm: 'challenger' | 'control', isBad: boolean, place: Place): void {
  evidence[arm] = addBounded(evidence[arm], isBad ? 1 : 0);
  if (isBad && evidence.ratio)
    evidence.ratio = addError(evidence.ratio, { onCanary: arm === 'challenger', share: 0.5 });
  noticeHarm(evidence, place);
  offerPoint(evidence.series, () => {
    const { value, lower, upper } = boundedDifference(evidence.challenger, evidence.control);
    return value === undefined
      ? undefined
      : { requests: place.requests, eventTime: place.eventTime, value, lower, upper };
  });
}

/**
 * One request that both scored in the shadow and on which only one failed. If both fail alike it is the challenger in half of
 * these, so it is the same test as between cohorts.
 */
export function addShadowFailure(evidence: ArmEvidence, byChallenger: boolean, place: Place): void {
  if (!evidence.ratio) return;
  evidence.ratio = addError(evidence.ratio, { onCanary: byChallenger, share: 0.5 });
  noticeHarm(evidence, place);
}

export function armFinding(evidence: ArmEvidence, index: number): GuardrailFinding {
  const { guardrail, challenger, control, alpha, broken } = evidence;
  const { value, lower, upper } = boundedDifference(challenger, control);
  const n = Math.min(challenger.n, control.n);
  const { margin } = guardrail;
  const known = value !== undefined;
  const proven = known && !broken && upper < margin;
  const name = nameOf(guardrail);
  const method = `anytime-valid empirical Bernstein bounds of each arm, alpha ${round(alpha)}`;
  const said = `${known ? points(value) : 'unknown'}, at worst ${points(upper)}, margin ${points(margin)}, ${n} in each arm`;
  return {
    index,
    name,
    unit: 'share',
    ...(known && {
      value,
      challenger: challenger.sum / challenger.n,
      champion: control.sum / control.n,
      atWorst: upper,
    }),
    margin,
    n,
    proven,
    ...(broken && { broken }),
    word: broken ? 'worse' : proven ? (upper < 0 ? 'better' : 'no worse') : 'undecided',
    verdict: {
      outcome: broken ? 'fail' : proven ? 'pass' : 'inconclusive',
      reason: broken ? broken.because : `${name}: ${said}`,
      ...(known && { value, lower, upper }),
      threshold: margin,
      n,
      method: evidence.ratio ? `${method}; rollback by a sequential test of the ratio of failures` : method,
    },
    says: { value: known ? points(value) : '–', atWorst: known ? points(upper) : '–', margin: points(margin) },
    series: evidence.series.points,
  };
}

function noticeHarm(evidence: ArmEvidence, { seq, eventTime }: Place): void {
  if (evidence.broken) return;
  const { guardrail, challenger, control, ratio, alpha } = evidence;
  if (ratio && errorRatioP(ratio) <= alpha) {
    const because =
      `errors: ${ratio.onCanary} on the new version, ${ratio.onControl} on the old one with as much traffic ` +
      `(p ${errorRatioP(ratio).toPrecision(2)}, at most ${round(alpha)})`;
    evidence.broken = { because, seq, eventTime };
    return;
  }
  const { value, lower } = boundedDifference(challenger, control);
  if (value !== undefined && lower > guardrail.margin) {
    const because = `${nameOf(guardrail)}: ${points(value)}, at least ${points(lower)}, margin ${points(guardrail.margin)}`;
    evidence.broken = { because, seq, eventTime };
  }
}

const nameOf = (guardrail: ArmGuardrail) =>
  guardrail.kind === 'errors' ? 'errors' : `answers above ${sayDuration(guardrail.aboveMs)}`;

/** `+0.21 points`: of percentage points, so that nobody takes it for a ratio. */
const points = (share: number) => `${share > 0 ? '+' : ''}${sayPercent(share).replace(' %', '')} points`;

const round = (x: number) => Number(x.toPrecision(2));
