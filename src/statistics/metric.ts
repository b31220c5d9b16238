/** The quality metrics by name, as rondo.yaml writes them. */
import { requireFinite, requireSameLength, requireShare } from './argument.ts';
import { measureAuc } from './auc.ts';
import { absoluteError, brierLoss, logLoss } from './loss.ts';
import { type Measurement, measurementOf } from './measurement.ts';

export const metricNames = [
  'auc',
  'log_loss',
  'brier',
  'accuracy',
  'precision',
  'recall',
  'f1',
  'mae',
  'rmse',
] as const;
export type MetricName = (typeof metricNames)[number];

/** Which way is better; a margin of tolerated harm points the other way. */
export const betterWhen: Readonly<Record<MetricName, 'higher' | 'lower'>> = {
  auc: 'higher',
  log_loss: 'lower',
  brier: 'lower',
  accuracy: 'higher',
  precision: 'higher',
  recall: 'higher',
  f1: 'higher',
  mae: 'lower',
  rmse: 'lower',
};

/** Labelled rows, columns of equal length. */
export type Scored = {
  /** 0 or 1 for classification, the true value for regression. */
  readonly truth: Float64Array;
  /** Probability of 1, or the predicted value. */
  readonly score: Float64Array;
};

/**
 * @param threshold a score at or above it counts as a predicted 1 (accuracy, precision, recall, f1)
 * @returns undefined where the metric has no value: an empty sample, an AUC of one class, a precision without predicted
 * positives, a recall without actual ones
 */
export function measure(
  metric: MetricName,
  { truth, score }: Scored,
  { threshold = 0.5 }: { readonly threshold?: number } = {},
): Measurement | undefined {
  requireSameLength('truth and score', truth, score);
  requireFinite('truth', truth);
  requireFinite('score', score);
  requireShare('threshold', threshold);
  if (!regressions.has(metric)) requireBinary(truth);
  if (truth.length === 0) return undefined;
  const said = (i: number) => ((score[i] as number) >= threshold ? 1 : 0);
  const is = (i: number) => truth[i] as number;
  const both = (i: number) => is(i) * said(i);
  switch (metric) {
    case 'auc':
      return measureAuc(truth, score);
    case 'log_loss':
      return mean(truth.map((y, i) => logLoss(y, score[i] as number)));
    case 'brier':
      return mean(truth.map((y, i) => brierLoss(y, score[i] as number)));
    case 'mae':
      return mean(truth.map((y, i) => absoluteError(y, score[i] as number)));
    case 'rmse':
      return rootMean(truth.map((y, i) => brierLoss(y, score[i] as number)));
    case 'accuracy':
      return ratio(truth.length, (i) => (is(i) === said(i) ? 1 : 0), one);
    case 'precision':
      return ratio(truth.length, both, said);
    case 'recall':
      return ratio(truth.length, both, is);
    case 'f1':
      return ratio(
        truth.length,
        (i) => 2 * both(i),
        (i) => is(i) + said(i),
      );
  }
}

const regressions = new Set<MetricName>(['mae', 'rmse']);
const one = () => 1;

function requireBinary(truth: Float64Array): void {
  const wrong = truth.find((value) => value !== 0 && value !== 1);
  if (wrong !== undefined) throw new RangeError(`truth holds ${wrong}; a binary label is 0 or 1`);
}

/** @param rows is overwritten */
function mean(rows: Float64Array): Measurement {
  const value = average(rows);
  for (let i = 0; i < rows.length; i++) rows[i] = (rows[i] as number) - value; // i < length
  return measurementOf(value, rows, { support: rows.length, share: false });
}

/** √mean; its influence is that of the mean over 2√mean. */
function rootMean(rows: Float64Array): Measurement {
  const square = average(rows);
  const value = Math.sqrt(square);
  const influence = rows.map((row) => (value === 0 ? 0 : (row - square) / (2 * value)));
  return measurementOf(value, influence, { support: rows.length, share: false });
}

/** Σ above / Σ below over rows; the influence of a ratio of means is (above − value·below) / mean(below). */
function ratio(n: number, above: (i: number) => number, below: (i: number) => number): Measurement | undefined {
  let top = 0;
  let bottom = 0;
  for (let i = 0; i < n; i++) {
    top += above(i);
    bottom += below(i);
  }
  if (bottom === 0) return undefined;
  const value = top / bottom;
  const influence = new Float64Array(n);
  for (let i = 0; i < n; i++) influence[i] = ((above(i) - value * below(i)) * n) / bottom;
  return measurementOf(value, influence, { support: bottom, share: true });
}

function average(rows: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += rows[i] as number; // i < length
  return sum / rows.length;
}
