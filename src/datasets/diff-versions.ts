/** What changed between two versions of a dataset. */
import type { ColumnProfile, DatasetVersion, TreeEntry } from './dataset.ts';

export type VersionDiff = {
  readonly files: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
  readonly rows?: { readonly from: number; readonly to: number };
  readonly columns: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  };
  /** Columns that both have. A shift is in standard deviations of the older version. */
  readonly values: readonly {
    readonly name: string;
    readonly nulls: { readonly from: number; readonly to: number };
    readonly distinct: { readonly from: number; readonly to: number };
    readonly mean?: { readonly from: number; readonly to: number; readonly shift?: number };
    readonly appeared: readonly string[];
    readonly vanished: readonly string[];
  }[];
};

type Side = { readonly version: DatasetVersion; readonly tree: readonly TreeEntry[] };

export function diffVersions(from: Side, to: Side): VersionDiff {
  const before = new Map(from.tree.map(({ path, digest }) => [path, digest]));
  const after = new Map(to.tree.map(({ path, digest }) => [path, digest]));
  const typesBefore = new Map(from.version.columns.map(({ name, type }) => [name, type]));
  const typesAfter = new Map(to.version.columns.map(({ name, type }) => [name, type]));
  const { rows: rowsBefore } = from.version;
  const { rows: rowsAfter } = to.version;
  return {
    files: {
      added: [...after.keys()].filter((path) => !before.has(path)),
      removed: [...before.keys()].filter((path) => !after.has(path)),
      changed: [...after]
        .filter(([path, digest]) => before.has(path) && before.get(path) !== digest)
        .map(([path]) => path),
    },
    ...(rowsBefore !== undefined && rowsAfter !== undefined && { rows: { from: rowsBefore, to: rowsAfter } }),
    columns: {
      added: [...typesAfter.keys()].filter((name) => !typesBefore.has(name)),
      removed: [...typesBefore.keys()].filter((name) => !typesAfter.has(name)),
      retyped: [...typesAfter].flatMap(([name, type]) => {
        const old = typesBefore.get(name);
        return old !== undefined && old !== type ? [{ name, from: old, to: type }] : [];
      }),
    },
    values: (to.version.profile?.columns ?? []).flatMap((column) => {
      const old = from.version.profile?.columns.find(({ name }) => name === column.name);
      return old ? [diffColumn(old, column)] : [];
    }),
  };
}

function diffColumn(from: ColumnProfile, to: ColumnProfile): VersionDiff['values'][number] {
  const shift =
    from.mean !== undefined && to.mean !== undefined && from.sd ? (to.mean - from.mean) / from.sd : undefined;
  const share = ({ nulls, count }: ColumnProfile) => (nulls + count === 0 ? 0 : nulls / (nulls + count));
  // Only where the list is complete does a missing value mean anything.
  const listed = ({ top, distinct }: ColumnProfile) =>
    top && top.length === distinct ? top.map(({ value }) => value) : undefined;
  const [before, after] = [listed(from), listed(to)];
  return {
    name: to.name,
    nulls: { from: share(from), to: share(to) },
    distinct: { from: from.distinct, to: to.distinct },
    ...(from.mean !== undefined &&
      to.mean !== undefined && { mean: { from: from.mean, to: to.mean, ...(shift !== undefined && { shift }) } }),
    appeared: before && after ? after.filter((value) => !before.includes(value)) : [],
    vanished: before && after ? before.filter((value) => !after.includes(value)) : [],
  };
}
