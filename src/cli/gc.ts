/** `rondo gc`: empties the trash of what has been there long enough, and frees the bytes that nothing needs any more. */
import { Option } from 'commander';
import { type DefineCommand, duration } from './command.ts';
import { bytesText, table } from './table.ts';
import { watchOperation } from './watch-operation.ts';

type Count = { count: number; bytes: number };
type Garbage = {
  dryRun: boolean;
  purged: Record<string, number>;
  files: Count;
  blobs: Count;
  uploads: Count;
  kept: { what: string; count: number; bytes?: number; why: string }[];
};

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .option('--dry-run', 'only tell what would go, and what stays and why')
    .addOption(
      new Option('--older-than <duration>', 'what was deleted at least so long ago: 7d, 12h')
        .argParser(duration)
        .default(30 * 86_400_000, '30d'),
    )
    .action(async ({ dryRun = false, olderThan: olderThanMs }: { dryRun?: boolean; olderThan: number }) => {
      const client = await api();
      const body = { dryRun, olderThanMs };
      const { operation } = await client.call<{ operation: string }>('POST', '/api/v1/trash/collect', { body, signal });
      output.result(await watchOperation<Garbage>({ api: client, output, signal }, operation), report);
    });
};

function report({ dryRun, purged, files, blobs, uploads, kept }: Garbage): string {
  const items = Object.entries(purged).filter(([, count]) => count > 0);
  const rows = [
    ...items.map(([kind, count]) => ({ what: `${kind.replace('-', ' ')}s`, count: String(count), size: '' })),
    ...bytesRow('their artifacts', files),
    ...bytesRow('stored files that nothing needs', blobs),
    ...bytesRow('uploads that nobody completed', uploads),
  ];
  const gone =
    rows.length === 0
      ? [dryRun ? 'Nothing would go.' : 'Nothing went.']
      : [
          table(rows, [
            { title: dryRun ? 'would go' : 'gone', cell: ({ what }) => what },
            { title: 'count', cell: ({ count }) => count, align: 'right' },
            { title: 'size', cell: ({ size }) => size, align: 'right' },
          ]),
        ];
  const stays = kept.map(({ what, count, bytes, why }) => {
    const size = bytes === undefined ? '' : `, ${bytesText(bytes)}`;
    return `kept: ${count === 1 && bytes === undefined ? what : `${count} ${what}${size}`}: ${why}`;
  });
  return [...gone, ...(stays.length > 0 ? ['', ...stays] : [])].join('\n');
}

const bytesRow = (what: string, { count, bytes }: Count) =>
  count === 0 ? [] : [{ what, count: String(count), size: bytesText(bytes) }];
