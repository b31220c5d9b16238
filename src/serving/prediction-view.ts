/** What answers tell of single predictions, as schemas. */
import { Type } from 'typebox';
import { byName, clock, list, maybe, time } from '../http/view.ts';
import { roles } from './prediction.ts';

const common = {
  seq: Type.Integer({ description: "Position in the endpoint's log" }),
  endpoint: Type.String(),
  at: time(),
  eventTime: clock(),
  key: maybe(Type.String({ description: 'Joins the label that comes later' })),
  role: Type.Enum([...roles], {
    description: '`control`: the champion, for the cohort that the challenger is compared with',
  }),
  model: Type.String(),
  version: Type.Integer(),
  outcome: Type.Enum(['ok', 'error']),
  errorCode: maybe(Type.String()),
  latencyMs: Type.Number({ description: "From the parsed request to the model's answer, in milliseconds" }),
  score: maybe(Type.Number({ description: 'Probability of the positive class, or the value of a regression' })),
};

const mirrorView = Type.Object(
  {
    kind: Type.Literal('mirror'),
    predictionId: Type.String(),
    rollout: Type.String(),
    ...common,
  },
  { title: 'Mirror', description: 'What another version said about the same row, after the answer had left' },
);

const outputs = (description: string) => byName(Type.Unknown(), description);
const ofRow = 'By name of the output: one value, or the row as an array; empty when the model failed';

export const predictionView = Type.Object(
  {
    kind: Type.Literal('prediction'),
    id: Type.String(),
    unit: Type.String({ description: 'What was assigned to a version' }),
    rollout: maybe(Type.String()),
    generation: Type.Integer({ description: 'Of the traffic that was in force' }),
    inputs: byName(
      Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
      'One value a row by name of the input; wider ones as `name[0]`, `name[1]`, …',
    ),
    outputs: outputs(ofRow),
    batch: maybe(
      Type.Object(
        { rows: Type.Integer(), row: Type.Integer() },
        { description: 'The batch the row was computed in, and its place in it' },
      ),
    ),
    runtime: maybe(Type.String({ description: 'The id of what computed it' })),
    ...common,
    mirrors: list(mirrorView),
  },
  { title: 'Prediction' },
);

const runtime = Type.Object(
  {
    onnxruntime: Type.String(),
    node: Type.String(),
    platform: Type.String(),
    cpu: Type.String(),
    cpuFeatures: list(Type.String()),
    threads: Type.Integer({ description: 'Within one batch' }),
  },
  { title: 'InferenceRuntime' },
);

export const replayView = Type.Object(
  {
    identical: Type.Boolean({ description: 'Bit for bit' }),
    greatestDifference: maybe(
      Type.Number({ description: 'Between two numbers in the same place; absent where something else differs' }),
    ),
    because: Type.String({ description: 'What was to be expected of this machine' }),
    recorded: outputs(ofRow),
    computed: outputs(ofRow),
    model: Type.String(),
    version: Type.Integer(),
    lineage: byName(Type.Unknown(), 'Data versions, code, environment and seed of the model'),
    runtime: Type.Object({
      current: runtime,
      recorded: maybe(runtime),
    }),
  },
  { title: 'Replay' },
);
