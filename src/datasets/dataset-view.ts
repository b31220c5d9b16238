/** What answers tell of datasets, as schemas. */
import { Type } from 'typebox';
import { list, maybe, share, time } from '../http/view.ts';
import { verdictView } from '../statistics/verdict.ts';
import { Check, severities } from './data-config.ts';

const bytes = (description: string) => Type.Integer({ description: `Bytes${description}` });
const number = maybe(Type.Number());

export const datasetView = Type.Object(
  {
    project: Type.String(),
    name: Type.String(),
    latest: Type.Integer({ description: 'The number of its newest version; 0 while it has none' }),
    createdAt: time(),
  },
  { title: 'Dataset' },
);

const checkResult = Type.Object(
  {
    check: Check,
    name: Type.String({ description: 'In words: `distance between 0 and 6000`' }),
    severity: Type.Enum([...severities]),
    verdict: verdictView,
    failing: Type.Integer(),
    share: share('Of the non-null values, or of all rows for `notNull`'),
    samples: list(
      Type.Object({
        row: Type.Integer({ description: 'Counted from 1, in file order' }),
        file: maybe(Type.String({ description: 'Where there is more than one' })),
        value: Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
      }),
      { description: 'Some of the rows that break it' },
    ),
  },
  { title: 'CheckResult' },
);

const column = { name: Type.String(), type: Type.String({ description: 'As DuckDB names it: `BIGINT`, `VARCHAR`' }) };

const profile = Type.Object(
  {
    rows: Type.Integer(),
    columns: list(
      Type.Object(
        {
          ...column,
          count: Type.Integer({ description: 'Values' }),
          nulls: Type.Integer(),
          nan: maybe(Type.Integer({ description: 'Absent where the type has none' })),
          distinct: Type.Integer({ description: 'Approximate beyond a few thousand' }),
          min: maybe(Type.Union([Type.Number(), Type.String()])),
          max: maybe(Type.Union([Type.Number(), Type.String()])),
          mean: number,
          sd: number,
          quantiles: maybe(list(Type.Number(), { description: 'At 1, 5, 25, 50, 75, 95 and 99 %' })),
          top: maybe(
            list(Type.Object({ value: Type.String(), count: Type.Integer() }), {
              description: 'The most frequent values; absent where nearly every value is another',
            }),
          ),
        },
        { title: 'ColumnProfile' },
      ),
    ),
  },
  { title: 'DataProfile', description: 'Absent where it is no table' },
);

const version = {
  project: Type.String(),
  name: Type.String(),
  version: Type.Integer(),
  root: Type.String({ description: 'The digest over the whole tree: the identity of the data' }),
  source: Type.String(),
  files: Type.Integer(),
  bytes: bytes(''),
  newBytes: bytes(' that were not in the store before'),
  rows: maybe(Type.Integer({ description: 'Absent where it is no table' })),
  columns: list(Type.Object(column)),
  checks: list(checkResult),
  actor: Type.String(),
  createdAt: time(),
};

export const datasetVersionInListView = Type.Object(version, { title: 'DatasetVersionInList' });

export const datasetVersionView = Type.Object({ ...version, profile: maybe(profile) }, { title: 'DatasetVersion' });

export const fileView = Type.Object({
  path: Type.String(),
  size: bytes(''),
  digest: Type.String({ description: "SHA-256 over the digests of the file's chunks" }),
  chunks: Type.Integer(),
});

const names = list(Type.String());
const change = { from: Type.Number(), to: Type.Number() };

export const datasetDiffView = Type.Object(
  {
    files: Type.Object({ added: names, removed: names, changed: names }),
    rows: maybe(Type.Object(change, { description: 'Where both are tables' })),
    columns: Type.Object({
      added: names,
      removed: names,
      retyped: list(Type.Object({ name: Type.String(), from: Type.String(), to: Type.String() })),
    }),
    values: list(
      Type.Object({
        name: Type.String(),
        nulls: Type.Object(change, { description: 'Shares' }),
        distinct: Type.Object(change),
        mean: maybe(
          Type.Object({
            ...change,
            shift: maybe(Type.Number({ description: 'In standard deviations of the older version' })),
          }),
        ),
        appeared: names,
        vanished: names,
      }),
      { description: 'Columns that both have' },
    ),
  },
  { title: 'DatasetDiff' },
);
