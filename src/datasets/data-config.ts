/** The `data:` part of rondo.yaml. */
import { type Static, Type } from 'typebox';

export const severities = ['error', 'warn'] as const;
export type Severity = (typeof severities)[number];

const closed = { additionalProperties: false } as const;
const bound = Type.Union([Type.Number(), Type.String()], { title: 'a number, or a time as ISO text' });
const share = Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?%$' })], {
  title: 'a share, such as 1% or 0.01',
  description: 'Of the rows that may break it; none when absent.',
});

const common = {
  severity: Type.Optional(
    Type.Union([Type.Literal('error'), Type.Literal('warn')], {
      description: 'error (default) keeps the data out, warn tells.',
    }),
  ),
  tolerate: Type.Optional(share),
};

/** Kinds of values a column may be asked to have. */
const valueType = Type.Union(
  [
    Type.Literal('integer'),
    Type.Literal('number'),
    Type.Literal('text'),
    Type.Literal('boolean'),
    Type.Literal('time'),
  ],
  { description: 'Whatever its width or encoding.' },
);

export const ColumnCheck = Type.Object(
  {
    column: Type.String({ minLength: 1, description: 'The column that is checked, by at least one of what follows.' }),
    between: Type.Optional(Type.Tuple([bound, bound], { description: 'Both ends are allowed.' })),
    min: Type.Optional(bound),
    max: Type.Optional(bound),
    matches: Type.Optional(
      Type.String({ description: 'An RE2 pattern; anchor it with ^ and $ to mean the whole value.' }),
    ),
    in: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        minItems: 1,
        description: 'All values that there may be.',
      }),
    ),
    notNull: Type.Optional(Type.Literal(true)),
    unique: Type.Optional(Type.Literal(true)),
    type: Type.Optional(valueType),
    ...common,
  },
  // `column` and at least one thing to check.
  { ...closed, minProperties: 2 },
);

export const RowsCheck = Type.Object(
  {
    rows: Type.Object(
      { min: Type.Optional(Type.Integer({ minimum: 0 })), max: Type.Optional(Type.Integer({ minimum: 0 })) },
      { ...closed, minProperties: 1 },
    ),
    severity: common.severity,
  },
  closed,
);

export const Check = Type.Union([ColumnCheck, RowsCheck]);
export type ColumnCheck = Static<typeof ColumnCheck>;
export type RowsCheck = Static<typeof RowsCheck>;
export type Check = Static<typeof Check>;

export const DatasetConfig = Type.Object(
  {
    source: Type.String({
      minLength: 1,
      description: 'A file, folder or glob below the project folder, or endpoint://name?last=60d.',
    }),
    time: Type.Optional(Type.String({ description: 'The column with the event time.' })),
    checks: Type.Optional(Type.Array(Check, { description: 'What a version of the data must keep.' })),
  },
  closed,
);
export type DatasetConfig = Static<typeof DatasetConfig>;

export const datasetName = '^[a-zA-Z][a-zA-Z0-9_-]{0,99}$';
export const DataConfig = Type.Record(Type.String({ pattern: datasetName }), DatasetConfig);
export type DataConfig = Static<typeof DataConfig>;

/** `1%` and `0.01` are the same. */
export function parseShare(value: number | string | undefined): number {
  if (value === undefined) return 0;
  return typeof value === 'number' ? value : Number(value.slice(0, -1)) / 100;
}

export type Source =
  | { readonly kind: 'files'; readonly pattern: string }
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly lastMs?: number };

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** @returns `undefined` for a source nobody here can read: another scheme, or a path that leaves the folder */
export function parseSource(source: string): Source | undefined {
  const endpoint = source.match(/^endpoint:\/\/([a-zA-Z0-9_-]+)(?:\?last=([0-9]+)([mhdw]))?$/);
  if (endpoint) {
    const [, name = '', count, unit] = endpoint;
    const lastMs = count === undefined ? undefined : Number(count) * units[unit as keyof typeof units]; // by the pattern above
    return { kind: 'endpoint', endpoint: name, ...(lastMs !== undefined && { lastMs }) };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source) || /^([a-zA-Z]:)?[/\\]/.test(source)) return undefined;
  if (source.split(/[/\\]/).includes('..') || source.includes('\0')) return undefined;
  return { kind: 'files', pattern: source };
}
