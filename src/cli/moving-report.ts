/** The report of an import or an export, for people. */
import type { Counted, ImportReport } from '../interop/import-report.ts';
import { printable, table } from './table.ts';

export function reportText(report: ImportReport): string {
  const { isDryRun, counts, bytes, added, changed, differences, unreachable } = report;
  const rows = Object.entries(counts) as [string, Counted][];
  const lines = [
    table(rows, [
      { title: isDryRun ? 'would come' : 'came', cell: ([kind]) => kind },
      { title: 'there', cell: ([, { source }]) => String(source), align: 'right' },
      { title: 'here', cell: ([, { here }]) => String(here), align: 'right' },
      { title: 'digest', cell: ([, one]) => one.sourceDigest.slice(0, 12) },
      {
        title: '',
        cell: ([, one]) =>
          isDryRun ? '' : one.sourceDigest === one.hereDigest && one.source === one.here ? 'same' : 'DIFFERS',
      },
    ]),
    '',
    `${bytesText(bytes.source)} of artifacts there, ${bytesText(bytes.here)} here. ${isDryRun ? 'Would be new' : 'New'}: ${added}, changed: ${changed}.`,
  ];
  const { runs, artifacts } = report.notReadAgain;
  if (runs + artifacts > 0) {
    lines.push(
      `Here since an earlier import and not read again: ${runs} histories, ${artifacts} files. --deep reads them.`,
    );
  }
  for (const [store, n] of Object.entries(report.stays)) {
    lines.push(`The artifacts of ${n} runs and models stay in ${printable(store)}, where clients read them as before.`);
  }
  for (const [what, n] of Object.entries(report.leftOut)) lines.push(`Left behind: ${n} ${what}.`);
  section('Not brought', unreachable);
  section('Different', differences);
  if (!isDryRun) lines.push('', verdict(differences.total, unreachable.total));
  return lines.join('\n');

  function section(title: string, { total, first }: ImportReport['differences']): void {
    if (total === 0) return;
    lines.push('', `${title} (${total}):`, ...first.slice(0, 20).map((text) => `  ${printable(text)}`));
    if (total > 20) lines.push(`  … and ${total - 20} more (--json has ${Math.min(total, first.length)} of them)`);
  }
}

function verdict(differences: number, unreachable: number): string {
  if (differences === 0 && unreachable === 0) return 'Everything is here, and the same.';
  return `${differences} things differ, ${unreachable} could not be brought. Mend them and run the command again.`;
}

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const at = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** at;
  return `${at === 0 ? value : value.toPrecision(3)} ${units[at]}`;
}
