/** A version with its role: the live one is ink, the one under test is cobalt. */
export type Standing = 'champion' | 'challenger' | 'other';

const classes = { champion: 'tag live', challenger: 'tag ch', other: 'tag out' } as const;

export function VersionTag({ version, standing, label }: { version: number; standing: Standing; label?: string }) {
  return <span className={classes[standing]}>{label ? `v${version} ${label}` : `v${version}`}</span>;
}
