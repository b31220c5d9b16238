/** `gates:` of rondo.yaml, and the plan it becomes. */
import { type Static, Type } from 'typebox';
import { type FairnessMetric, fairnessMetrics } from '../statistics/fairness.ts';
import { type MetricName, metricNames } from '../statistics/metric.ts';

const closed = { additionalProperties: false } as const;

const Metric = Type.Enum([...metricNames]);
const By = Type.Union(
  [
    Type.String({ minLength: 1 }),
    Type.Record(Type.String({ minLength: 1 }), Type.Array(Type.Number(), { minItems: 1 }), {
      minProperties: 1,
      maxProperties: 1,
    }),
  ],
  { description: 'A column whose values make the slices, or a numeric one with cut points: {distance: [500, 1000]}.' },
);
const Share = Type.Union(
  [Type.Number({ minimum: 0, maximum: 1 }), Type.String({ pattern: String.raw`^\d+(\.\d+)?%$` })],
  { title: 'a share, such as 98% or 0.98', description: 'All when absent.' },
);
const threshold = Type.Optional(
  Type.Number({ minimum: 0, maximum: 1, description: 'A score at or above it is a predicted 1; 0.5 when absent.' }),
);
const minRows = Type.Optional(
  Type.Integer({
    minimum: 2,
    description: 'Fewer rows, of a slice or in all, are listed and not judged; 100 when absent.',
  }),
);
const onInconclusive = Type.Optional(
  Type.Union([Type.Literal('block'), Type.Literal('pass')], {
    description: 'Whether too little data for an answer keeps the version back (block, the default).',
  }),
);

const DataTest = Type.Object(
  { data: Type.Literal('checks'), atLeast: Type.Optional(Share), onInconclusive },
  { ...closed, description: 'The share of data checks that the training data passed.' },
);
const FloorTest = Type.Object(
  { metric: Metric, atLeast: Type.Number(), by: Type.Optional(By), threshold, minRows, onInconclusive },
  { ...closed, description: 'A metric that must not be lower.' },
);
const CeilingTest = Type.Object(
  { metric: Metric, atMost: Type.Number(), by: Type.Optional(By), threshold, minRows, onInconclusive },
  { ...closed, description: 'A metric that must not be higher.' },
);
const PairedTest = Type.Object(
  {
    metric: Metric,
    notWorseThan: Type.Literal('champion'),
    margin: Type.Number({
      minimum: 0,
      description: 'How much worse than what serves now is still no reason to refuse.',
    }),
    by: Type.Optional(By),
    threshold,
    minRows,
    onInconclusive,
  },
  { ...closed, description: 'Both models on the same rows: not worse than what serves now.' },
);
const FairnessTest = Type.Object(
  {
    fairness: Type.Enum([...fairnessMetrics]),
    by: By,
    threshold,
    atMost: Type.Number({ minimum: 0, maximum: 1 }),
    minRows,
    onInconclusive,
  },
  { ...closed, description: 'The gap between the groups that are furthest apart.' },
);
const LatencyTest = Type.Object(
  {
    latency: Type.String({ pattern: String.raw`^p\d{2}(\.\d+)?$`, title: 'a quantile, such as p50, p95, p99' }),
    below: Type.String({ pattern: String.raw`^\d+(\.\d+)?(ms|s)$`, title: 'a duration, such as 100ms or 2s' }),
    batch: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096, description: 'Rows at once; 1 when absent.' })),
    onInconclusive,
  },
  { ...closed, description: 'How long the model takes for a batch, measured in the worker.' },
);
const ParityTest = Type.Object(
  {
    parity: Type.String({
      minLength: 1,
      description: 'A Parquet file with inputs and what the trainer answered to them.',
    }),
    tolerance: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: '1e-4 when absent.' })),
    onInconclusive,
  },
  { ...closed, description: 'The exported model gives the answers of the one that was trained.' },
);

export const gatesSchema = Type.Object(
  {
    data: Type.String({ minLength: 1, description: 'A Parquet file with rows that no model was trained on.' }),
    tests: Type.Array(
      Type.Union([DataTest, FloorTest, CeilingTest, PairedTest, FairnessTest, LatencyTest, ParityTest]),
      { minItems: 1, maxItems: 100, description: 'All must pass.' },
    ),
  },
  { ...closed, description: 'What a version must pass before it may serve.' },
);
export type GatesConfig = Static<typeof gatesSchema>;

/** The column and, for a number, where its groups are cut. */
export type Grouping = { readonly column: string; readonly cuts?: readonly number[] };

type Sliced = {
  readonly by?: Grouping;
  readonly threshold: number;
  readonly minRows: number;
};

/** One test of a plan, with every default filled in. `onInconclusive: pass` lets a version through that could not be judged. */
export type GateTest = { readonly onInconclusive: 'block' | 'pass' } & (
  | { readonly kind: 'data'; readonly atLeast: number }
  | ({ readonly kind: 'floor'; readonly metric: MetricName; readonly atLeast: number } & Sliced)
  | ({ readonly kind: 'ceiling'; readonly metric: MetricName; readonly atMost: number } & Sliced)
  | ({ readonly kind: 'paired'; readonly metric: MetricName; readonly margin: number } & Sliced)
  | {
      readonly kind: 'fairness';
      readonly metric: FairnessMetric;
      readonly by: Grouping;
      readonly threshold: number;
      readonly atMost: number;
      readonly minRows: number;
    }
  | { readonly kind: 'latency'; readonly quantile: number; readonly belowMs: number; readonly batch: number }
  | { readonly kind: 'parity'; readonly tolerance: number }
);

/** @throws RangeError when cut points do not rise */
export function gatePlan({ tests }: GatesConfig): readonly GateTest[] {
  return tests.map(planOf);
}

function planOf(test: GatesConfig['tests'][number]): GateTest {
  const common = { onInconclusive: test.onInconclusive ?? 'block' } as const;
  if ('data' in test) return { ...common, kind: 'data', atLeast: shareOf(test.atLeast ?? 1) };
  if ('parity' in test) return { ...common, kind: 'parity', tolerance: test.tolerance ?? 1e-4 };
  if ('latency' in test) {
    const quantile = Number(test.latency.slice(1)) / 100;
    return { ...common, kind: 'latency', quantile, belowMs: milliseconds(test.below), batch: test.batch ?? 1 };
  }
  const limits = { threshold: test.threshold ?? 0.5, minRows: test.minRows ?? 100 };
  if ('fairness' in test) {
    return {
      ...common,
      ...limits,
      kind: 'fairness',
      metric: test.fairness,
      by: groupingOf(test.by),
      atMost: test.atMost,
    };
  }
  const sliced = { ...common, ...limits, ...(test.by !== undefined && { by: groupingOf(test.by) }) };
  if ('notWorseThan' in test) return { ...sliced, kind: 'paired', metric: test.metric, margin: test.margin };
  if ('atLeast' in test) return { ...sliced, kind: 'floor', metric: test.metric, atLeast: test.atLeast };
  return { ...sliced, kind: 'ceiling', metric: test.metric, atMost: test.atMost };
}

function groupingOf(by: Static<typeof By>): Grouping {
  if (typeof by === 'string') return { column: by };
  const [column = '', cuts = []] = Object.entries(by)[0] ?? []; // exactly one, by the schema
  for (const [i, cut] of cuts.entries()) {
    if (!(cut > (cuts[i - 1] ?? Number.NEGATIVE_INFINITY)))
      throw new RangeError(`the cut points of ${column} do not rise`);
  }
  return { column, cuts };
}

const shareOf = (share: number | string) => (typeof share === 'number' ? share : Number(share.slice(0, -1)) / 100);

const milliseconds = (text: string) =>
  text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1000;
