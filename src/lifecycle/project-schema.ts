/** The whole of rondo.yaml, composed of the parts that each context owns. */
import { type Static, Type } from 'typebox';
import { DataConfig } from '../datasets/data-config.ts';
import { gatesSchema } from '../gates/gates-config.ts';
import { monitorsSchema } from '../monitoring/monitors-config.ts';
import { PipelineConfig } from '../pipelines/pipeline-config.ts';
import { rolloutSchema } from '../rollouts/rollout-config.ts';
import { EndpointConfig } from '../serving/endpoint-config.ts';
import { retrainSchema } from './retrain-config.ts';

const closed = { additionalProperties: false } as const;
const name = (about: string) => Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$', description: about });

const ModelConfig = Type.Object(
  {
    name: name('The registered model that its versions belong to.'),
    task: Type.Union([Type.Literal('binary'), Type.Literal('multiclass'), Type.Literal('regression')]),
    target: Type.Optional(Type.String({ minLength: 1, description: 'The column with the truth.' })),
    purpose: Type.Optional(Type.String({ maxLength: 2000, description: 'What it decides, and when it is asked.' })),
    notFor: Type.Optional(Type.String({ maxLength: 2000, description: 'What it must not be used for.' })),
    owner: Type.Optional(Type.String({ maxLength: 200, description: 'Who answers for it.' })),
  },
  { ...closed, description: 'What comes out of the pipeline, and what it is for.' },
);

const onSeverity = Type.Optional(Type.Union([Type.Literal('page'), Type.Literal('ticket'), Type.Literal('all')]));
const address = Type.String({
  pattern: '^(\\$[A-Za-z_][A-Za-z0-9_]*|https?://.+)$',
  description: 'An address, or $NAME of an environment variable of the server that holds it.',
});
const routingKey = Type.String({
  pattern: '^(\\$[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9]{20,64})$',
  description: 'A routing key, or $NAME of an environment variable of the server that holds it.',
});

const AlertTarget = Type.Union([
  Type.Object({ slack: address, on: onSeverity }, closed),
  Type.Object({ pagerduty: routingKey, on: onSeverity }, closed),
  Type.Object({ webhook: address, on: onSeverity }, closed),
]);

const Approvals = Type.Object(
  {
    production: Type.Object(
      {
        people: Type.Integer({ minimum: 1, maximum: 10 }),
        not: Type.Optional(Type.Array(Type.Literal('author'), { maxItems: 1 })),
      },
      { ...closed, description: 'So many people must agree before a version is rolled out.' },
    ),
  },
  closed,
);

export const projectSchema = Type.Object(
  {
    project: name('Letters, digits, dots and dashes.'),
    data: Type.Optional(DataConfig),
    pipeline: Type.Optional(PipelineConfig),
    model: Type.Optional(ModelConfig),
    gates: Type.Optional(gatesSchema),
    endpoint: Type.Optional(EndpointConfig),
    rollout: Type.Optional(rolloutSchema),
    monitors: Type.Optional(monitorsSchema),
    retrain: Type.Optional(retrainSchema),
    alerts: Type.Optional(Type.Array(AlertTarget, { maxItems: 20 })),
    approvals: Type.Optional(Approvals),
  },
  {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...closed,
    title: 'rondo.yaml',
    description: 'A project of Rondo: from its data to the model in production.',
  },
);
export type ProjectConfig = Static<typeof projectSchema>;
