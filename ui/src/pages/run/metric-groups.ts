/** Metrics by the prefix of their names. Pure. */

export type MetricGroup = { readonly name: string; readonly keys: readonly string[]; readonly isSystem: boolean };

/** `train/loss` belongs to `train`; those without a prefix stand first, those of the machine last. */
export function groupsOf(keys: readonly string[]): readonly MetricGroup[] {
  const prefixOf = (key: string) => (key.includes('/') ? key.slice(0, key.lastIndexOf('/')) : '');
  return [...Map.groupBy(keys.toSorted(), prefixOf)]
    .map(([name, members]) => ({ name, keys: members, isSystem: name === 'system' || name.startsWith('system/') }))
    .sort((a, b) => Number(a.isSystem) - Number(b.isSystem) || (a.name < b.name ? -1 : 1));
}
