/** `model:` of rondo.yaml: what the pipeline makes, and what it is for. */
import { type Static, Type } from 'typebox';

export const ModelConfig = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 250 }),
    task: Type.Union([Type.Literal('binary'), Type.Literal('multiclass'), Type.Literal('regression')]),
    target: Type.String({ minLength: 1, description: 'The column with the truth.' }),
    purpose: Type.Optional(Type.String()),
    notFor: Type.Optional(Type.String()),
  },
  { additionalProperties: false, description: 'The model that this project makes.' },
);
export type ModelConfig = Static<typeof ModelConfig>;
