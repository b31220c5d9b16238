/** What became of what in an export: a file with one line a thing, on disk before the export goes on. */
import { open, readFile } from 'node:fs/promises';
import { PlatformError } from '../errors.ts';
import type { ExportLedger } from './export-ledger.ts';

type Line = { readonly kind: string; readonly from: string; readonly to: string };

/** @param target the address that the ids on the right are of: another server gets another file */
export async function openExportLedger(path: string, target: string): Promise<ExportLedger & AsyncDisposable> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  // A line that a crash cut off is no line: what it tells of is looked for by its tag.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const [first] = lines;
  if (first && (first.kind !== 'target' || first.to !== target)) {
    throw new PlatformError('interop/collision', path, {
      message: `${path} belongs to an export to ${first.to}.`,
      hint: 'name another file with --mapping',
    });
  }
  const found = new Map(lines.map(({ kind, from, to }) => [`${kind} ${from}`, to]));
  const file = await open(path, first ? 'r+' : 'w');
  let end = Buffer.byteLength(whole);
  await file.truncate(end);
  const write = async (line: Line) => {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    await file.write(bytes, 0, bytes.length, end);
    await file.datasync();
    end += bytes.length;
  };
  if (!first) await write({ kind: 'target', from: 'rondo', to: target });
  return {
    isResumed: first !== undefined,
    find: (kind, from) => found.get(`${kind} ${from}`),
    async add(kind, from, to) {
      found.set(`${kind} ${from}`, to);
      await write({ kind, from, to });
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
