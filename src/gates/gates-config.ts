/** `gates:` of rondo.yaml: what a candidate must show before it may serve. */
import { type Static, Type } from 'typebox';
import { fairnessMetrics } from '../statistics/fairness.ts';
import { metricNames } from '../statistics/metric.ts';

const closed = { additionalProperties: false } as const;
const metric = Type.Union(metricNames.map((name) => Type.Literal(name)));
const minRows = Type.Optional(Type.Integer({ minimum: 1, description: 'A slice or group with fewer rows is undecided.' }));
const onInconclusive = Type.Optional(
  Type.Union([Type.Literal('pass'), Type.Literal('fail')], {
    description: 'What too little evidence counts as here; absent, it leaves the report undecided.',
  }),
);
/** Groups of rows: the values of a column, or a number cut at points. */
const by = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Record(Type.String(), Type.Array(Type.Number(), { minItems: 1 }), { minProperties: 1, maxProperties: 1 }),
]);
const threshold = Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'A score at or above it is a predicted 1.' }));

export const ChecksTest = Type.Object(
  { data: Type.Literal('checks'), atLeast: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?%$' })])) },
  { ...closed, description: 'The share of rows of the gate data that keep every check of the data.' },
);

export const FloorTest = Type.Object(
  { metric, atLeast: Type.Optional(Type.Number()), atMost: Type.Optional(Type.Number()), threshold, onInconclusive },
  { ...closed, minProperties: 2, description: 'A metric on the gate data against a fixed limit.' },
);

export const PairedTest = Type.Object(
  { metric, notWorseThan: Type.Literal('champion'), margin: Type.Number({ minimum: 0 }), threshold, onInconclusive },
  { ...closed, description: 'The same rows scored by the candidate and by what serves now: not worse by more than the margin.' },
);

export const SliceTest = Type.Object(
  { metric, by, atLeast: Type.Optional(Type.Number()), atMost: Type.Optional(Type.Number()), minRows, threshold, onInconclusive },
  { ...closed, minProperties: 3, description: 'A metric in every slice of the gate data.' },
);

export const FairnessTest = Type.Object(
  { fairness: Type.Union(fairnessMetrics.map((name) => Type.Literal(name))), by, threshold, atMost: Type.Number({ minimum: 0, maximum: 1 }), minRows, onInconclusive },
  { ...closed, description: 'The greatest gap between two groups.' },
);

export const LatencyTest = Type.Object(
  {
    latency: Type.Union([Type.Literal('p50'), Type.Literal('p95'), Type.Literal('p99')]),
    below: Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s)$' }),
    batch: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  { ...closed, description: 'How long the model itself takes, on this machine, warm.' },
);

export const ParityTest = Type.Object(
  { parity: Type.String({ minLength: 1, description: 'A Parquet file with inputs and the answers of the trainer.' }), tolerance: Type.Number({ minimum: 0 }) },
  { ...closed, description: 'The exported model answers what the trainer answered.' },
);

// The more special kinds come first: an error then speaks of the kind that was meant.
export const GateTest = Type.Union([ChecksTest, PairedTest, SliceTest, FloorTest, FairnessTest, LatencyTest, ParityTest]);
export type GateTest = Static<typeof GateTest>;

export const GatesConfig = Type.Object(
  { data: Type.String({ minLength: 1, description: 'Parquet rows that no training saw, below the project folder.' }), tests: Type.Array(GateTest, { minItems: 1, maxItems: 100 }) },
  { ...closed, description: 'The tests of a candidate.' },
);
export type GatesConfig = Static<typeof GatesConfig>;
