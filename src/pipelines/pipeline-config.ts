/** The `pipeline:` part of rondo.yaml. */
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Below the project folder: not absolute, no `..`, no backslash. */
const innerPath = Type.String({ minLength: 1, pattern: '^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\\\\\u0000]+$' });

export const ParamValue = Type.Union([Type.Number(), Type.String(), Type.Boolean()]);
export type ParamValue = Static<typeof ParamValue>;

export const StepConfig = Type.Object(
  {
    run: Type.String({
      minLength: 1,
      description: 'A command with its arguments. No shell: see the grammar in the docs.',
    }),
    reads: Type.Optional(
      Type.Array(innerPath, { description: 'Steps, datasets, and files or globs below the project folder.' }),
    ),
    writes: Type.Optional(Type.Array(innerPath)),
    params: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), ParamValue)),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
    model: Type.Optional(innerPath),
  },
  closed,
);
export type StepConfig = Static<typeof StepConfig>;

export const PipelineConfig = Type.Record(Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_-]{0,63}$' }), StepConfig);
export type PipelineConfig = Static<typeof PipelineConfig>;
