/** `monitors:` of rondo.yaml, and the plan it becomes. */
import { type Static, Type } from 'typebox';
import { dayMs, duration, durationMs, percent, shareOf } from '../rollouts/quantity.ts';
import { type FairnessMetric, fairnessMetrics } from '../statistics/fairness.ts';
import { type MetricName, metricNames } from '../statistics/metric.ts';

const closed = { additionalProperties: false } as const;

const window = (usual: string) => duration(`What is judged at once, in whole strides; ${usual} when absent.`);
const every = duration('The stride, in whole days; 1d when absent.');
const maturity = duration('The age from which a prediction has its label, if it gets one; 1d when absent.');
const threshold = Type.Number({
  minimum: 0,
  maximum: 1,
  description: 'A score at or above it is a predicted 1; 0.5 when absent.',
});

const DriftMonitor = Type.Object(
  {
    against: Type.Optional(Type.Literal('training', { description: 'The rows the serving version was trained on.' })),
    window: Type.Optional(window('7d')),
    every: Type.Optional(every),
    persist: Type.Optional(
      Type.Integer({ minimum: 1, description: 'So many windows in a row must be over before it is an alert; 3.' }),
    ),
    features: Type.Optional(
      Type.Union([Type.Literal('all'), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], {
        description: 'The inputs to watch; all when absent.',
      }),
    ),
    minRows: Type.Optional(Type.Integer({ minimum: 2, description: 'A window with fewer rows is not judged; 500.' })),
  },
  { ...closed, description: 'Whether what comes in still looks like what the model was trained on.' },
);

const QualityMonitor = Type.Object(
  {
    metric: Type.Enum([...metricNames]),
    atLeast: Type.Optional(Type.Number({ description: 'For metrics of which more is better.' })),
    atMost: Type.Optional(Type.Number({ description: 'For losses.' })),
    window: Type.Optional(window('7d')),
    every: Type.Optional(every),
    maturity: Type.Optional(maturity),
    threshold: Type.Optional(threshold),
    minRows: Type.Optional(Type.Integer({ minimum: 2, description: 'A window with fewer labels is not judged; 200.' })),
  },
  { ...closed, description: 'A metric on predictions whose labels are in.' },
);

const FairnessMonitor = Type.Object(
  {
    metric: Type.Enum([...fairnessMetrics]),
    by: Type.Union(
      [
        Type.String({ minLength: 1 }),
        Type.Record(Type.String(), Type.Array(Type.Number(), { minItems: 1 }), { minProperties: 1, maxProperties: 1 }),
      ],
      {
        description: 'A column whose values are the groups, or a numeric one with cut points: {distance: [500, 1000]}.',
      },
    ),
    threshold: Type.Optional(threshold),
    atMost: Type.Number({ minimum: 0, maximum: 1, description: 'The gap between the groups that are furthest apart.' }),
    minRows: Type.Optional(Type.Integer({ minimum: 2, description: 'A group with fewer labels is not judged; 200.' })),
    window: Type.Optional(window('7d')),
    every: Type.Optional(every),
    maturity: Type.Optional(maturity),
  },
  { ...closed, description: 'Whether groups are treated alike.' },
);

const ServiceMonitor = Type.Object(
  {
    window: Type.Optional(window('1d')),
    every: Type.Optional(every),
    availability: Type.Optional(percent('The share of requests that are answered rightly.')),
    latency: Type.Optional(
      Type.Object(
        {
          p50: Type.Optional(duration('Half of the answers are faster.')),
          p95: Type.Optional(duration('95 of 100 are.')),
          p99: Type.Optional(duration('99 of 100 are.')),
        },
        { ...closed, minProperties: 1, maxProperties: 1, description: 'One of them.' },
      ),
    ),
  },
  { ...closed, description: 'What callers were promised.' },
);

export const monitorsSchema = Type.Object(
  {
    drift: Type.Optional(DriftMonitor),
    quality: Type.Optional(QualityMonitor),
    fairness: Type.Optional(FairnessMonitor),
    service: Type.Optional(ServiceMonitor),
  },
  { ...closed, description: 'What is watched once a version serves.' },
);
export type MonitorsConfig = Static<typeof monitorsSchema>;

export type Windows = {
  readonly windowMs: number;
  readonly everyMs: number;
};

export type DriftPlan = Windows & {
  readonly persist: number;
  readonly features: 'all' | readonly string[];
  readonly minRows: number;
};

export type QualityPlan = Windows & {
  readonly metric: MetricName;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly maturityMs: number;
  /** A score at or above it is a predicted 1. */
  readonly threshold: number;
  readonly minRows: number;
};

export type FairnessPlan = Windows & {
  readonly metric: FairnessMetric;
  readonly column: string;
  /** Cut points that make groups of a number; absent: each value is a group. */
  readonly cuts?: readonly number[];
  readonly threshold: number;
  readonly atMost: number;
  readonly minRows: number;
  readonly maturityMs: number;
};

export type ServicePlan = Windows & {
  /** The share of answers that are right and in time. */
  readonly availability?: number;
  readonly latency?: { readonly quantile: number; readonly belowMs: number };
};

export type MonitorPlan = {
  readonly drift?: DriftPlan;
  readonly quality?: QualityPlan;
  readonly fairness?: FairnessPlan;
  readonly service?: ServicePlan;
};

/** @throws RangeError when windows do not consist of whole strides */
export function monitorPlan({ drift, quality, fairness, service }: MonitorsConfig = {}): MonitorPlan {
  return {
    ...(drift && {
      drift: {
        ...windowsOf(drift),
        persist: drift.persist ?? 3,
        features: drift.features ?? 'all',
        // Below this a distance of 0.1 is what chance alone gives.
        minRows: drift.minRows ?? 500,
      },
    }),
    ...(quality && {
      quality: {
        ...windowsOf(quality),
        metric: quality.metric,
        ...(quality.atLeast !== undefined && { atLeast: quality.atLeast }),
        ...(quality.atMost !== undefined && { atMost: quality.atMost }),
        maturityMs: durationMs(quality.maturity ?? '1d'),
        threshold: quality.threshold ?? 0.5,
        minRows: quality.minRows ?? 200,
      },
    }),
    ...(fairness && {
      fairness: {
        ...windowsOf(fairness),
        metric: fairness.metric,
        ...groupsOf(fairness.by),
        threshold: fairness.threshold ?? 0.5,
        atMost: fairness.atMost,
        minRows: fairness.minRows ?? 200,
        maturityMs: durationMs(fairness.maturity ?? '1d'),
      },
    }),
    ...(service && { service: serviceOf(service) }),
  };
}

function windowsOf({
  window = '7d',
  every = '1d',
}: {
  window?: string | undefined;
  every?: string | undefined;
}): Windows {
  const windows = { windowMs: durationMs(window), everyMs: durationMs(every) };
  if (!(windows.everyMs > 0) || windows.windowMs % windows.everyMs !== 0) {
    throw new RangeError(`a window of ${window} does not consist of whole strides of ${every}`);
  }
  if (windows.everyMs % dayMs !== 0) throw new RangeError(`windows move by whole days, not by ${every}`);
  return windows;
}

function groupsOf(by: string | Record<string, number[]>): { column: string; cuts?: readonly number[] } {
  if (typeof by === 'string') return { column: by };
  const [column, cuts] = Object.entries(by)[0] as [string, number[]]; // the schema asks for exactly one
  return { column, cuts: [...cuts].sort((a, b) => a - b) };
}

function serviceOf(service: NonNullable<MonitorsConfig['service']>): ServicePlan {
  const { availability, latency } = service;
  const [name, limit] = Object.entries(latency ?? {})[0] ?? [];
  return {
    ...windowsOf({ window: service.window ?? '1d', every: service.every }),
    ...(availability !== undefined && { availability: shareOf(availability) }),
    ...(name !== undefined &&
      limit !== undefined && { latency: { quantile: Number(name.slice(1)) / 100, belowMs: durationMs(limit) } }),
  };
}
