/** Metric points: what they are, which of two is the later, and how a series is thinned. */
import type { Int64 } from '../storage/int64.ts';
import { append, invalid, invalidValue, maxKeyLength, validateKey, validateLength } from './names.ts';

export type MetricPoint = {
  /** NaN is a value; infinities are kept as the greatest finite double of their sign. */
  readonly value: number;
  readonly timestamp: Int64;
  readonly step: Int64;
};

export type Metric = MetricPoint & { readonly key: string };

/** A point as a client logs it: it may also belong to a logged model, measured on a dataset. */
export type NewMetric = Metric & {
  readonly modelId?: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
};

export type ModelMetric = Metric & {
  readonly modelId: string;
  readonly runId: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
};

/** A value as the tables keep it: SQL has no NaN on SQLite and no infinity that both databases agree on. */
export const storedValue = (value: number): { readonly value: number; readonly is_nan: 0 | 1 } =>
  Number.isNaN(value)
    ? { value: 0, is_nan: 1 }
    : { value: Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE), is_nan: 0 };

export const loadedValue = (row: { readonly value: number; readonly is_nan: number }): number =>
  row.is_nan ? Number.NaN : row.value;

/** Points are ordered by step, then timestamp, then value; arrival plays no part. NaN counts as 0. */
export function isLater(point: MetricPoint, than: MetricPoint): boolean {
  if (point.step !== than.step) return point.step > than.step;
  if (point.timestamp !== than.timestamp) return point.timestamp > than.timestamp;
  return (point.value || 0) > (than.value || 0);
}

/** The last point of each key. */
export function latestByKey<M extends Metric>(metrics: readonly M[]): ReadonlyMap<string, M> {
  const latest = new Map<string, M>();
  for (const metric of metrics) {
    const known = latest.get(metric.key);
    if (!known || isLater(metric, known)) latest.set(metric.key, metric);
  }
  return latest;
}

/** Some points of a series in order: that at `from`, counted from 0, then every `stride`-th, `count` of them. */
export type Strides = { readonly from: number; readonly stride: number; readonly count: number };

/**
 * Which of `total` points in order to keep: the first of each of `count` buckets as SQL's NTILE makes them, which is what MLflow's
 * charts are drawn from, and the last point in place of the last bucket's.
 * @returns all but the last point, or undefined when all are kept
 */
export function sampleStrides(total: number, count: number): readonly Strides[] | undefined {
  if (total <= count) return undefined;
  const size = Math.floor(total / count);
  const larger = total % count; // so many buckets, the first ones, have one point more
  return [
    { from: 0, stride: size + 1, count: larger },
    { from: larger * (size + 1), stride: size, count: count - larger - 1 },
  ].filter((strides) => strides.count > 0);
}

/** @param place in its request; made into text only where something is wrong, since a batch has a thousand metrics */
export function validateMetric(metric: NewMetric, place: () => string = () => ''): void {
  if ((metric.datasetName === undefined) !== (metric.datasetDigest === undefined)) {
    throw invalid('dataset_digest', 'Both dataset_name and dataset_digest must be provided if one is provided');
  }
  validateKey(metric.key, () => append(place(), 'name'));
  if (metric.timestamp < 0) {
    throw invalidValue(
      append(place(), 'timestamp'),
      metric.timestamp,
      `metric '${metric.key}' (value=${pythonFloat(metric.value)}). Timestamp must be a nonnegative long (64-bit integer) `,
    );
  }
  validateLength('Metric name', maxKeyLength, metric.key);
}

/** A float as Python prints it, as far as messages need it. */
const pythonFloat = (value: number): string =>
  Number.isNaN(value) ? 'nan' : Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value);
