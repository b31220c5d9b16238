/** The files of one endpoint's log: which records lie where. */

/** A closed part of the log. Its lines are in `file` until they are in `tables` and the file is not needed any more. */
export type Segment = {
  readonly first: number;
  readonly last: number;
  /** Wall clock of its records, and the endpoint's time. */
  readonly minAt: number;
  readonly maxAt: number;
  readonly minEventTime: number;
  readonly maxEventTime: number;
  readonly bytes: number;
  readonly file?: string;
  /** Parquet files with the same records. */
  readonly tables?: readonly string[];
};

/** What the folder's `segments.json` holds: every segment but the one that is being written. */
export type SegmentList = { readonly segments: readonly Segment[] };

export const segmentFile = (first: number): string => `${String(first).padStart(16, '0')}.ndjson`;

/** @returns the number of the first record of a segment file; undefined for other files */
export function firstOfFile(name: string): number | undefined {
  return /^\d{16}\.ndjson$/.test(name) ? Number(name.slice(0, 16)) : undefined;
}

/** Every so many lines the place of a line is remembered, so that reading on does not begin at the start. */
export const linesPerMark = 256;

export type SegmentScan = {
  /** Complete lines only: what follows is a write that a crash tore, acknowledged to nobody. */
  readonly bytes: number;
  readonly lines: number;
  /** Offsets of the lines first, first + 256, … */
  readonly marks: readonly number[];
};

/** Finds the lines of a segment. A tail without a line feed, or whose last line is no record, is torn. */
export function scanLines(content: Buffer): SegmentScan {
  const marks: number[] = [];
  let lines = 0;
  let start = 0;
  for (;;) {
    const end = content.indexOf(10, start);
    if (end < 0) break;
    if (lines % linesPerMark === 0) marks.push(start);
    lines++;
    start = end + 1;
  }
  return { bytes: start, lines, marks };
}
