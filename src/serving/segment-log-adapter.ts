/**
 * One endpoint's log on disk: numbered lines in segment files. A group of lines is acknowledged after its fdatasync; a group that
 * fails is cut off again, so that a number is never given twice and nothing is served that was refused.
 */
import { fdatasyncSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LineGroup } from './line-group.ts';
import { firstOfFile, linesPerMark, type Segment, type SegmentList, scanLines, segmentFile } from './log-segment.ts';

export type SegmentLimits = {
  readonly maxBytes: number;
  readonly maxRows: number;
  readonly maxAgeMs: number;
  /** Segment files whose records are in tables are kept up to this size: the recent past is read without a query. */
  readonly keepBytes: number;
};

type Active = {
  readonly first: number;
  readonly name: string;
  handle: FileHandle;
  last: number;
  bytes: number;
  openedAt: number;
  readonly marks: number[];
  times: Times;
};

type Times = Pick<Segment, 'minAt' | 'maxAt' | 'minEventTime' | 'maxEventTime'>;

export type OpenedLog = { readonly log: SegmentLog; readonly recovered: readonly string[] };

/**
 * Opens a log and cuts off what a crash tore.
 * @returns with the complete lines of the segment that was being written: what summaries may not cover yet
 */
export async function openSegmentLog(
  folder: string,
  { limits, now }: { readonly limits: SegmentLimits; readonly now: () => number },
): Promise<OpenedLog> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const segments = await readSegments(folder);
  const closed = new Map(segments.map((segment) => [segment.first, segment]));
  const open: number[] = [];
  for (const name of await readdir(folder)) {
    const first = firstOfFile(name);
    if (first === undefined) continue;
    const segment = closed.get(first);
    if (!segment) open.push(first);
    // The list was written and the crash came before the file was removed.
    else if (segment.file === undefined) await rm(join(folder, name));
  }
  open.sort((a, b) => a - b);
  const log = new SegmentLog(folder, { limits, now, segments });
  const recovered: string[] = [];
  // More than one only if the list could not be written when a segment was closed.
  for (const first of open) recovered.push(...(await log.adopt(first)));
  return { log, recovered };
}

async function readSegments(folder: string): Promise<Segment[]> {
  try {
    // Written by #saveList only, and renamed into place whole.
    return [...(JSON.parse(await readFile(join(folder, 'segments.json'), 'utf8')) as SegmentList).segments];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

type LogPage = { readonly lines: readonly string[] } | { readonly tables: Segment };

export class SegmentLog {
  readonly #folder: string;
  readonly #limits: SegmentLimits;
  readonly #now: () => number;
  #segments: Segment[];
  #active: Active | undefined;
  #last: number;
  #watermark: number | undefined;
  /** The last write failed: what it left behind must be cut off before the next. */
  #torn = false;
  readonly #marks = new Map<number, readonly number[]>();

  constructor(folder: string, given: { limits: SegmentLimits; now: () => number; segments: Segment[] }) {
    this.#folder = folder;
    this.#limits = given.limits;
    this.#now = given.now;
    this.#segments = given.segments;
    this.#last = given.segments.at(-1)?.last ?? 0;
    this.#watermark =
      given.segments.length === 0 ? undefined : Math.max(...given.segments.map((one) => one.maxEventTime));
  }

  /** Number of the last record on disk; 0 in an empty log. */
  get last(): number {
    return this.#last;
  }

  /** The greatest event time of a record. */
  get watermark(): number | undefined {
    return this.#watermark;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Takes up a segment file that the list does not know, and writes on in it. @returns its lines */
  async adopt(first: number): Promise<readonly string[]> {
    await this.#close();
    const name = segmentFile(first);
    const handle = await open(join(this.#folder, name), 'r+');
    const content = await handle.readFile();
    const scan = scanLines(content);
    if (scan.bytes < content.length) {
      await handle.truncate(scan.bytes);
      await handle.sync();
    }
    const lines = content.subarray(0, scan.bytes).toString().split('\n').slice(0, -1);
    let times = noTimes;
    for (const line of lines) times = widen(times, JSON.parse(line) as { at: number; eventTime: number }); // every record has both
    this.#active = {
      ...{ first, name, handle, times },
      last: first + scan.lines - 1,
      bytes: scan.bytes,
      openedAt: lines.length > 0 ? times.minAt : this.#now(),
      marks: [...scan.marks],
    };
    this.#last = this.#active.last;
    if (lines.length > 0) this.#watermark = Math.max(this.#watermark ?? Number.NEGATIVE_INFINITY, times.maxEventTime);
    return lines;
  }

  /**
   * Writes lines and waits until they are on disk. Their numbers must follow the last one.
   * @param alone nothing else is to be written now, so the thread may block: two turns of the thread pool cost more than most syncs
   */
  async append({ first, bytes, starts, times }: LineGroup, { alone }: { alone: boolean }): Promise<void> {
    if (first !== this.#last + 1) throw new RangeError(`line ${first} cannot follow line ${this.#last}`);
    const active = await this.#writable();
    const marks: number[] = [];
    // The first of them may be the first of the segment: then it gets the first mark.
    const untilMark = (linesPerMark - ((first - active.first) % linesPerMark)) % linesPerMark;
    for (let index = untilMark; index < starts.length; index += linesPerMark) {
      marks.push(active.bytes + (starts[index] as number)); // index < length
    }
    try {
      writeAll(active.handle.fd, bytes, active.bytes);
      if (alone) fdatasyncSync(active.handle.fd);
      else await active.handle.datasync();
    } catch (error) {
      this.#torn = true;
      throw error;
    }
    active.bytes += bytes.length;
    active.last += starts.length;
    active.marks.push(...marks);
    for (let index = 0; index < starts.length; index++) {
      // Two numbers a line.
      active.times = widen(active.times, { at: times[2 * index] as number, eventTime: times[2 * index + 1] as number });
    }
    this.#last = active.last;
    this.#watermark = Math.max(this.#watermark ?? Number.NEGATIVE_INFINITY, active.times.maxEventTime);
  }

  async #writable(): Promise<Active> {
    if (this.#active && this.#torn) {
      // After a failed sync the kernel may have dropped the pages and forgotten it: only a new look at the file is sure.
      await this.#active.handle.close().catch(() => undefined);
      this.#active.handle = await open(join(this.#folder, this.#active.name), 'r+');
      await this.#active.handle.truncate(this.#active.bytes);
      await this.#active.handle.sync();
      this.#torn = false;
    }
    if (this.#active) return this.#active;
    const first = this.#last + 1;
    const name = segmentFile(first);
    const handle = await open(join(this.#folder, name), 'w', 0o600);
    try {
      await syncFolder(this.#folder);
    } catch (error) {
      await handle.close();
      throw error;
    }
    const opened = { first, name, handle, last: first - 1, bytes: 0, openedAt: this.#now(), marks: [], times: noTimes };
    this.#active = opened;
    return opened;
  }

  /** Closes the segment that is being written when it is large or old enough, or when asked to. @returns it, when it was */
  async seal({ force }: { force: boolean }): Promise<Segment | undefined> {
    const active = this.#active;
    if (!active || active.last < active.first || this.#torn) return undefined;
    const { maxBytes, maxRows, maxAgeMs } = this.#limits;
    const due =
      active.bytes >= maxBytes ||
      active.last - active.first + 1 >= maxRows ||
      this.#now() - active.openedAt >= maxAgeMs;
    return due || force ? this.#close() : undefined;
  }

  async #close(): Promise<Segment | undefined> {
    const active = this.#active;
    if (!active) return undefined;
    const { first, last, bytes, name, times } = active;
    if (last < first) {
      // Begun and never written to.
      this.#active = undefined;
      await active.handle.close();
      await rm(join(this.#folder, name));
      return undefined;
    }
    const segment: Segment = { first, last, bytes, file: name, ...times };
    await this.#saveList([...this.#segments, segment]);
    this.#marks.set(first, active.marks);
    this.#active = undefined;
    await active.handle.close();
    return segment;
  }

  /** Notes that a segment's records are in tables, and removes segment files that are not needed any more. */
  async compacted(first: number, tables: readonly string[]): Promise<void> {
    let spare = this.#limits.keepBytes;
    const removed: string[] = [];
    const segments = this.#segments
      .map((segment) => (segment.first === first ? { ...segment, tables } : segment))
      .toReversed()
      .map((segment) => {
        if (segment.file !== undefined) spare -= segment.bytes;
        if (spare >= 0 || segment.file === undefined || !segment.tables) return segment;
        removed.push(segment.file);
        this.#marks.delete(segment.first);
        const { file: _, ...rest } = segment;
        return rest;
      })
      .toReversed();
    // First the list, then the files: what a crash leaves between them is removed when the log is opened.
    await this.#saveList(segments);
    for (const name of removed) await rm(join(this.#folder, name), { force: true });
  }

  async #saveList(segments: Segment[]): Promise<void> {
    const path = join(this.#folder, 'segments.json');
    await using file = await open(`${path}.new`, 'w', 0o600);
    await file.writeFile(JSON.stringify({ segments } satisfies SegmentList));
    await file.sync();
    await rename(`${path}.new`, path);
    await syncFolder(this.#folder);
    this.#segments = segments;
  }

  /** @returns complete lines after a number; or the segment whose tables hold them */
  async read(after: number, limit: number): Promise<LogPage> {
    if (after >= this.#last) return { lines: [] };
    const active = this.#active;
    if (active && after + 1 >= active.first) {
      const place = { ...active, file: active.name };
      return { lines: await this.#readFile(place, active.marks, after, limit) };
    }
    const segment = this.#segments.find(({ first, last }) => first <= after + 1 && after + 1 <= last);
    if (!segment) throw new Error(`the log in ${this.#folder} has no record ${after + 1}`);
    if (segment.file === undefined) return { tables: segment };
    const file = { ...segment, file: segment.file };
    try {
      return { lines: await this.#readFile(file, await this.#marksOf(file), after, limit) };
    } catch (error) {
      // Removed meanwhile, because its records are in tables.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !this.#segments.includes(segment))
        return this.read(after, limit);
      throw error;
    }
  }

  async #readFile(
    { first, last, bytes, file }: Pick<Segment, 'first' | 'last' | 'bytes'> & { readonly file: string },
    marks: readonly number[],
    after: number,
    limit: number,
  ): Promise<readonly string[]> {
    const skip = after + 1 - first;
    const mark = Math.floor(skip / linesPerMark);
    const count = Math.min(limit, last - after);
    const from = marks[mark] ?? 0;
    const to = marks[Math.floor((skip + count - 1) / linesPerMark) + 1] ?? bytes;
    await using handle = await open(join(this.#folder, file), 'r');
    const content = Buffer.alloc(to - from);
    await handle.read(content, 0, content.length, from);
    const start = skip - mark * linesPerMark;
    return content
      .toString()
      .split('\n')
      .slice(start, start + count);
  }

  async #marksOf({ first, file }: { readonly first: number; readonly file: string }): Promise<readonly number[]> {
    const known = this.#marks.get(first);
    if (known) return known;
    const { marks } = scanLines(await readFile(join(this.#folder, file)));
    this.#marks.set(first, marks);
    return marks;
  }

  /** Looks for a text in the segments that were written around a time. @returns the lines with it, and tables not looked into */
  async search(text: string, at: number): Promise<{ lines: readonly string[]; tables: readonly string[] }> {
    const lines: string[] = [];
    const tables: string[] = [];
    const active = this.#active;
    const files = this.#segments.filter(({ minAt, maxAt }) => minAt <= at && at <= maxAt);
    for (const { file, bytes, tables: tabled } of files) {
      if (file !== undefined) lines.push(...(await this.#grep(file, bytes, text)));
      else tables.push(...(tabled ?? []));
    }
    if (active && active.times.minAt <= at) lines.push(...(await this.#grep(active.name, active.bytes, text)));
    return { lines, tables };
  }

  async #grep(file: string, bytes: number, text: string): Promise<readonly string[]> {
    const content = (await readFile(join(this.#folder, file))).subarray(0, bytes);
    const found: string[] = [];
    for (let at = content.indexOf(text); at >= 0; ) {
      const end = content.indexOf(10, at);
      found.push(content.subarray(content.lastIndexOf(10, at) + 1, end).toString());
      at = content.indexOf(text, end);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#active?.handle.close();
    this.#active = undefined;
  }
}

const noTimes: Times = {
  minAt: Number.POSITIVE_INFINITY,
  maxAt: Number.NEGATIVE_INFINITY,
  minEventTime: Number.POSITIVE_INFINITY,
  maxEventTime: Number.NEGATIVE_INFINITY,
};

const widen = (times: Times, { at, eventTime }: { at: number; eventTime: number }): Times => ({
  minAt: Math.min(times.minAt, at),
  maxAt: Math.max(times.maxAt, at),
  minEventTime: Math.min(times.minEventTime, eventTime),
  maxEventTime: Math.max(times.maxEventTime, eventTime),
});

/** A write may take only a part, and says so; the rest then fails with the reason. */
function writeAll(file: number, content: Uint8Array, position: number): void {
  let written = 0;
  while (written < content.length) {
    written += writeSync(file, content, written, content.length - written, position + written);
  }
}

/** A new or renamed file is only sure to be there when its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
