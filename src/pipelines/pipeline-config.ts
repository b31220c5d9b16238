/** The `pipeline:` part of rondo.yaml. */
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Below the project folder: not absolute, no `..`, no backslash. */
const innerPathOptions = {
  minLength: 1,
  title: 'a path below the project folder',
  pattern: '^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\\\\\u0000]+$',
} as const;
const innerPath = Type.String(innerPathOptions);

export const ParamValue = Type.Union([Type.Number(), Type.String(), Type.Boolean()]);
export type ParamValue = Static<typeof ParamValue>;

export const StepConfig = Type.Object(
  {
    run: Type.String({
      minLength: 1,
      description:
        'A command with its arguments, started in the project folder without a shell. `params` and `seed` are put in where it names them.',
    }),
    reads: Type.Optional(
      Type.Array(innerPath, { description: 'Steps, datasets, and files or globs below the project folder.' }),
    ),
    writes: Type.Optional(Type.Array(innerPath, { description: 'Files that it makes, for the steps that read it.' })),
    params: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), ParamValue, {
        description: `For the command, which writes \${params.depth} for the one called depth. \`rondo run --param\` sets another value.`,
      }),
    ),
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'Also in the variable RONDO_SEED of the step.' }),
    ),
    model: Type.Optional(
      Type.String({ ...innerPathOptions, description: 'The file or folder that becomes a version of the model.' }),
    ),
  },
  closed,
);
export type StepConfig = Static<typeof StepConfig>;

export const PipelineConfig = Type.Record(Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_-]{0,63}$' }), StepConfig);
export type PipelineConfig = Static<typeof PipelineConfig>;
