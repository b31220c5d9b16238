/** The first rows of a Parquet file, read in the worker process: files are whatever somebody has uploaded. */
import { openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { JobContext, JobHandlers, RunJob } from '../jobs/job.ts';

export type TablePreview = {
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The first rows as text, long cells cut; null is null. */
  readonly items: readonly (readonly (string | null)[])[];
};

type Input = { readonly file: string; readonly tempFolder: string };

const kind = 'tracking.preview-table';
const rowsShown = 100;
const columnsShown = 100;
const longestCell = 200;

/** Handlers for `runWorker`. */
export const previewHandlers = (): JobHandlers => ({ [kind]: previewTable });

/** @returns undefined for what is no Parquet file */
export const previewTableWith =
  (run: RunJob) =>
  (input: Input, signal: AbortSignal): Promise<TablePreview | undefined> =>
    run<TablePreview | undefined>(kind, input, { signal });

async function previewTable({ file, tempFolder }: Input, { signal }: JobContext): Promise<TablePreview | undefined> {
  using db = await openDuckDb({ folders: [], files: [file], tempFolder }, signal);
  const source = `read_parquet(${text(file)})`;
  try {
    const described = await db.rows(`DESCRIBE SELECT * FROM ${source}`);
    const columns = described.map((row) => ({ name: String(row['column_name']), type: String(row['column_type']) }));
    const shown = columns.slice(0, columnsShown);
    const cells = shown.map(({ name }, at) => `left(${column(name)}::VARCHAR, ${longestCell}) AS c${at}`);
    const [total] = await db.rows(`SELECT count(*) AS n FROM ${source}`);
    const items = await db.rows(`SELECT ${cells.join(', ')} FROM ${source} LIMIT ${rowsShown}`);
    return {
      rows: Number(total?.['n']),
      columns,
      items: items.map((row) => shown.map((_, at) => (row[`c${at}`] === null ? null : String(row[`c${at}`])))),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (
      error instanceof Error &&
      /No magic bytes|Invalid Input Error|not a parquet file|too small/i.test(error.message)
    )
      return undefined;
    throw error;
  }
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const column = (name: string): string => `"${name.replaceAll('"', '""')}"`;
