/** The report of an import or an export, for people. */
import type { Counted, ImportReport } from '../interop/import-report.ts';
import { bytesText, printable, table } from './table.ts';

export function reportText(report: ImportReport): string {
  const { isDryRun, bytes, added, changed, notReadAgain } = report;
  const { runs, artifacts } = notReadAgain;
  return [
    countsText(report, { title: isDryRun ? 'would come' : 'came', from: 'there', to: 'here' }),
    '',
    `${bytesText(bytes.source)} of artifacts there, ${bytesText(bytes.here)} here. ${isDryRun ? 'Would be new' : 'New'}: ${added}, changed: ${changed}.`,
    ...(runs + artifacts > 0
      ? [`Here since an earlier import and not read again: ${runs} histories, ${artifacts} files. --deep reads them.`]
      : []),
    ...notesText(report),
    ...(isDryRun ? [] : ['', verdict(report, { where: 'here', could: 'brought' })]),
  ].join('\n');
}

export function exportReportText(report: ImportReport & { readonly mapping: string }): string {
  const { bytes, mapping } = report;
  return [
    countsText(report, { title: 'went', from: 'here', to: 'there' }),
    '',
    `${bytesText(bytes.source)} of artifacts here, ${bytesText(bytes.here)} there. Which id became which: ${printable(mapping)}.`,
    ...notesText(report),
    '',
    verdict(report, { where: 'there', could: 'written' }),
  ].join('\n');
}

function countsText(
  { counts, isDryRun }: ImportReport,
  { title, from, to }: { readonly title: string; readonly from: string; readonly to: string },
): string {
  const isSame = (one: Counted) => one.sourceDigest === one.hereDigest && one.source === one.here;
  return table(Object.entries(counts) as [string, Counted][], [
    { title, cell: ([kind]) => kind },
    { title: from, cell: ([, { source }]) => String(source), align: 'right' },
    { title: to, cell: ([, { here }]) => String(here), align: 'right' },
    { title: 'digest', cell: ([, { sourceDigest }]) => sourceDigest.slice(0, 12) },
    { title: '', cell: ([, one]) => (isDryRun ? '' : isSame(one) ? 'same' : 'DIFFERS') },
  ]);
}

function notesText({ stays, leftOut, unreachable, differences }: ImportReport): readonly string[] {
  const section = (title: string, { total, first }: ImportReport['differences']): readonly string[] => {
    if (total === 0) return [];
    const more = total > 20 ? [`  … and ${total - 20} more (--json has the first ${first.length})`] : [];
    return ['', `${title} (${total}):`, ...first.slice(0, 20).map((text) => `  ${printable(text)}`), ...more];
  };
  return [
    ...Object.entries(stays).map(
      ([store, n]) =>
        `The artifacts of ${n} runs and models stay in ${printable(store)}, where clients read them as before.`,
    ),
    ...Object.entries(leftOut).map(([what, n]) => `Left behind: ${what} (${n}).`),
    ...section('Out of reach', unreachable),
    ...section('Different', differences),
  ];
}

function verdict(
  { differences, unreachable }: ImportReport,
  { where, could }: { readonly where: string; readonly could: string },
): string {
  if (differences.total === 0 && unreachable.total === 0) return `Everything is ${where}, and the same.`;
  return `${differences.total} things differ, ${unreachable.total} could not be ${could}. Mend that and run the command again.`;
}
