/** A version with its role: the live one is ink, the one under test is cobalt. */
export type VersionRole = 'champion' | 'challenger' | 'other';

const classes = { champion: 'tag live', challenger: 'tag ch', other: 'tag out' } as const;

export function VersionTag({ version, role, label }: { version: number; role: VersionRole; label?: string }) {
  return <span className={classes[role]}>{label ? `v${version} ${label}` : `v${version}`}</span>;
}
