/** Metrics by the prefix of their names. Pure. */

export type MetricGroup = { readonly name: string; readonly keys: readonly string[]; readonly isSystem: boolean };

/**
 * `train/loss` belongs to `train`; those without a prefix stand first, those of the machine last.
 * @param late keys that came while somebody reads: they stand after the others
 */
export function groupsOf(keys: readonly string[], late: ReadonlySet<string> = new Set()): readonly MetricGroup[] {
  const prefixOf = (key: string) => (key.includes('/') ? key.slice(0, key.lastIndexOf('/')) : '');
  const isLate = (members: readonly string[]) => Number(members.every((key) => late.has(key)));
  return [...Map.groupBy(keys.toSorted(), prefixOf)]
    .map(([name, members]) => ({
      name,
      keys: members.toSorted((a, b) => isLate([a]) - isLate([b])),
      isSystem: name === 'system' || name.startsWith('system/'),
    }))
    .sort(
      (a, b) =>
        Number(a.isSystem) - Number(b.isSystem) || isLate(a.keys) - isLate(b.keys) || (a.name < b.name ? -1 : 1),
    );
}
