/** The main thread's side of the prediction log: groups what is to be written, and keeps the newest records for those who follow. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PlatformError } from '../errors.ts';
import { threadEntry } from '../storage/thread-entry.ts';
import { type AboutLine, buffersOf, copyLines, LineGroupWriter, type Lines, linesOf } from './line-group.ts';
import { parseLine } from './log-line.ts';
import type { Segment } from './log-segment.ts';
import type { LogRecord, LogSignal, PredictionRecord, ReadLog } from './prediction.ts';
import { timeOfPrediction } from './prediction-id.ts';
import type {
  Appended,
  AppendResult,
  FromLog,
  LogAnswers,
  LogQuestion,
  LogThreadOptions,
  ToLog,
} from './prediction-log-message.ts';
import type { ReferenceBins } from './reference-bins.ts';
import type { SegmentLimits } from './segment-log-adapter.ts';
import type { LineCount, Summary } from './summary.ts';
import { type VersionRef, versionKey } from './traffic.ts';

/** Reads records that are only in tables any more: a job, since that needs a query engine. Lines as they were written. */
export type ReadTables = (
  tables: readonly string[],
  where: { readonly after: number; readonly limit: number } | { readonly id: string },
) => Promise<readonly string[]>;

export type PredictionLogOptions = {
  readonly folder: string;
  readonly readTables: ReadTables;
  readonly limits?: Partial<SegmentLimits>;
  /** What may wait to be written, in bytes, before answers are refused or dropped. */
  readonly maxWaiting?: number;
  /** How long records that nobody waits for may be gathered. */
  readonly gatherMs?: number;
};

/** When lines were written, in wall clock and in event time, and what each of them adds to a summary: where that is missing, they are read. */
export type AboutLines = Omit<AboutLine, 'count'> & { readonly counts?: readonly LineCount[] };

/** Somebody who wants to know when lines are on the disk: `count` lines of a group, from one place in it on. */
type Waiter = {
  readonly from: number;
  readonly count: number;
  readonly done: (skipped: number) => void;
  readonly failed: (error: Error) => void;
};

type Batch = { readonly tail: Tail; readonly waiters: readonly Waiter[]; readonly group: LineGroupWriter };

type Tail = {
  readonly endpoint: string;
  /** What is gathered for the next write. */
  group: LineGroupWriter | undefined;
  waiters: Waiter[];
  /** What is being written: one group at a time. */
  writing: LineGroupWriter | undefined;
  /** The newest groups as they were written. */
  recent: Recent[];
  recentSize: number;
  last: number;
  watermark: number | undefined;
  dropped: number;
  failing: string | undefined;
};

type Recent = Lines & {
  readonly first: number;
  /** Bytes held. */
  readonly size: number;
  /** To be used again when nobody needs its lines any more. */
  readonly writer: LineGroupWriter | undefined;
};

type Written = Pick<Appended, 'first' | 'renumbered'> & { readonly lines: number; readonly group: LineGroupWriter };

/** Records, and bytes, kept in memory per endpoint for followers: those who fall behind read files. */
const [recentLines, recentBytes] = [8_192, 16_000_000];
/** Memory that is kept for groups to come: so many writers, none of them larger. */
const [spareWriters, largestSpare] = [16, 2_000_000];

export async function openPredictionLog(options: PredictionLogOptions): Promise<PredictionLog> {
  return new PredictionLog(options);
}

export class PredictionLog implements AsyncDisposable {
  readonly #options: Required<Omit<PredictionLogOptions, 'limits'>> & { readonly limits: SegmentLimits };
  readonly #tails = new Map<string, Tail>();
  readonly #bins = new Map<string, ReferenceBins>();
  readonly #listeners = new Set<(endpoint: string, last: number) => void>();
  readonly #sealedListeners = new Set<(endpoint: string, segment: Segment) => void>();
  readonly #asked = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  readonly #spare: LineGroupWriter[] = [];
  #worker: Worker;
  #nextId = 1;
  #writing = false;
  #scheduled = false;
  #gather: NodeJS.Timeout | undefined;
  #closing = false;

  constructor({ limits, ...options }: PredictionLogOptions) {
    this.#options = {
      maxWaiting: 32_000_000,
      gatherMs: 50,
      ...options,
      limits: { maxBytes: 32_000_000, maxRows: 100_000, maxAgeMs: 3_600_000, keepBytes: 256_000_000, ...limits },
    };
    this.#worker = this.#start();
  }

  /** Opens an endpoint's log, cutting off what a crash tore. */
  async open(endpoint: string): Promise<void> {
    if (this.#tails.has(endpoint)) return;
    const { last, watermark } = await this.#ask({ kind: 'open', endpoint });
    if (this.#tails.has(endpoint)) return;
    this.#tails.set(endpoint, {
      ...{ endpoint, last, watermark, group: undefined, waiters: [], writing: undefined },
      ...{ recent: [], recentSize: 0, dropped: 0, failing: undefined },
    });
  }

  /** Whether the log takes more, asked before the model computes in vain. */
  hasRoom(endpoint: string): boolean {
    const { group, writing } = this.#tail(endpoint);
    return (group?.size ?? 0) + (writing?.size ?? 0) < this.#options.maxWaiting;
  }

  /**
   * Resolves when the lines are on disk, with the number of labels among them that were known.
   * @throws PlatformError `serving/log-full`, `serving/log-failing`: then none of them is in the log
   */
  append(endpoint: string, lines: readonly string[], about: AboutLines): Promise<number> {
    const tail = this.#tail(endpoint);
    if (!this.hasRoom(endpoint) || this.#closing) return Promise.reject(logFull(endpoint));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const from = this.#add(tail, lines, about);
    tail.waiters.push({ from, count: lines.length, done: resolve, failed: reject });
    this.#schedule();
    return promise;
  }

  /** Writes lines some time soon; those that find no room or no disk are dropped and counted. */
  appendLater(endpoint: string, lines: readonly string[], about: AboutLines): void {
    const tail = this.#tail(endpoint);
    if (!this.hasRoom(endpoint) || this.#closing) {
      tail.dropped += lines.length;
      return;
    }
    this.#add(tail, lines, about);
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      this.#flush();
    }, this.#options.gatherMs);
  }

  readonly readLog: ReadLog = async (endpoint, { after, limit }) => {
    const lines: string[] = [];
    const tail = this.#tails.get(endpoint);
    // A part ends where a file does; a page goes on in the next.
    while (tail && lines.length < limit && after + lines.length < tail.last) {
      const part = await this.#readPart(tail, { after: after + lines.length, limit: limit - lines.length });
      if (part.length === 0) break;
      for (const line of part) lines.push(line);
    }
    return lines.map((line) => parseLine(endpoint, line));
  };

  async #readPart(tail: Tail, page: { readonly after: number; readonly limit: number }): Promise<readonly string[]> {
    const next = page.after + 1;
    const group = tail.recent.findLast(({ first }) => first <= next);
    if (group) {
      const from = next - group.first;
      return linesOf(group, from, Math.min(from + page.limit, group.starts.length)).split('\n');
    }
    const part = await this.#ask({ kind: 'read', endpoint: tail.endpoint, ...page });
    return 'lines' in part ? part.lines : this.#options.readTables(part.tables.tables ?? [], page);
  }

  readonly signal: LogSignal = {
    onAppend: (listener) => {
      this.#listeners.add(listener);
      return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
    },
  };

  /** Called with each segment that was closed: it can be turned into tables now. */
  onSealed(listener: (endpoint: string, segment: Segment) => void): Disposable {
    this.#sealedListeners.add(listener);
    return { [Symbol.dispose]: () => this.#sealedListeners.delete(listener) };
  }

  /** The greatest event time logged. */
  watermark(endpoint: string): number | undefined {
    return this.#tails.get(endpoint)?.watermark;
  }

  stats(endpoint: string): { readonly last: number; readonly dropped: number; readonly failing: string | undefined } {
    const { last, dropped, failing } = this.#tail(endpoint);
    return { last, dropped, failing };
  }

  /** A prediction, and what was mirrored from it; labels come by key and are not looked for. */
  async find(id: string): Promise<readonly LogRecord[]> {
    const at = timeOfPrediction(id);
    if (at === undefined) return [];
    const found = await this.#ask({ kind: 'search', text: `"${id}"`, at });
    const records: LogRecord[] = [];
    for (const { endpoint, lines, tables } of found) {
      const older = tables.length > 0 ? await this.#options.readTables(tables, { id }) : [];
      for (const line of [...older, ...lines]) records.push(parseLine(endpoint, line));
    }
    return records.filter((record) => idOf(record) === id);
  }

  async findPrediction(id: string): Promise<PredictionRecord | undefined> {
    return (await this.find(id)).find((record) => record.kind === 'prediction');
  }

  /** Where an endpoint's segment files lie. */
  folderOf(endpoint: string): string {
    return join(this.#options.folder, endpoint);
  }

  /** @param seal also closes the segment that is being written, so that the files hold everything acknowledged so far */
  segments(endpoint: string, { seal }: { readonly seal: boolean }): Promise<readonly Segment[]> {
    return this.#ask({ kind: 'segments', endpoint, seal });
  }

  async compacted(endpoint: string, first: number, tables: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'compacted', endpoint, first, tables });
  }

  /** Over which cells a version's inputs and scores are counted, from now on. */
  async setBins(version: VersionRef, bins: ReferenceBins): Promise<void> {
    this.#bins.set(versionKey(version), bins);
    await this.#ask({ kind: 'bins', version: versionKey(version), bins });
  }

  /** Counts per version, role and day of event time. @param page days that start in [from, to), milliseconds */
  summaries(endpoint: string, page: { readonly from: number; readonly to: number }): Promise<readonly Summary[]> {
    return this.#ask({ kind: 'summaries', endpoint, ...page });
  }

  /** @returns the place of the first of the lines in the group */
  #add(tail: Tail, lines: readonly string[], { at, eventTime, counts }: AboutLines): number {
    // Nothing comes between the group that is being written and this one, so the numbers are known; should that one fail, or
    // hold labels that are known, the log thread numbers anew.
    tail.group ??= (this.#spare.pop() ?? new LineGroupWriter()).begin(tail.last + (tail.writing?.lines ?? 0) + 1);
    const from = tail.group.lines;
    for (let index = 0; index < lines.length; index++) {
      tail.group.add(lines[index] as string, { at, eventTime, count: counts?.[index] }); // index < length
    }
    return from;
  }

  /** At the end of the turn, so that everything answered in it shares one sync. */
  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#writing) return;
    const batches = [...this.#tails.values()].flatMap(takeBatch);
    if (batches.length === 0) return;
    clearTimeout(this.#gather);
    this.#gather = undefined;
    this.#writing = true;
    void this.#write(batches);
  }

  async #write(batches: readonly Batch[]): Promise<void> {
    const orders = batches.map(({ tail, group }) => ({ endpoint: tail.endpoint, group: group.copy() }));
    let results: readonly AppendResult[];
    try {
      results = await this.#ask(
        { kind: 'append', orders },
        orders.flatMap(({ group }) => buffersOf(group)),
      );
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      results = batches.map(() => ({ failure }));
    }
    for (const [place, batch] of batches.entries()) {
      this.#settle(batch, results[place] as AppendResult); // one per order
    }
    this.#writing = false;
    const tails = [...this.#tails.values()];
    // Somebody waits for the disk, so the next group leaves at once.
    if (tails.some(({ waiters }) => waiters.length > 0)) this.#flush();
    else if (tails.some(({ group }) => group)) {
      this.#gather ??= setTimeout(() => {
        this.#gather = undefined;
        this.#flush();
      }, this.#options.gatherMs);
    }
  }

  #settle({ tail, waiters, group }: Batch, result: AppendResult): void {
    tail.writing = undefined;
    if ('failure' in result) {
      tail.failing = result.failure;
      tail.dropped += group.lines;
      for (const { count, failed } of waiters) {
        tail.dropped -= count; // refused, and told so
        failed(logFailing(tail.endpoint, result.failure));
      }
      this.#reuse(group);
      return;
    }
    const { first, skipped, watermark, renumbered } = result;
    const lines = group.lines - skipped.length;
    tail.failing = undefined;
    tail.watermark = watermark;
    tail.last = first + lines - 1;
    for (const { from, count, done } of waiters) {
      done(skipped.filter((place) => from <= place && place < from + count).length);
    }
    this.#keep(tail, { first, lines, group, renumbered });
    for (const listener of this.#listeners) listener(tail.endpoint, tail.last);
  }

  /** For those who follow, as long as it is new. */
  #keep(tail: Tail, { first, lines, group, renumbered }: Written): void {
    if (lines === 0) {
      this.#reuse(group);
      return;
    }
    const { recent } = tail;
    // A writer that is far larger than its lines is worth more to the next group.
    const kept = renumbered ?? (2 * group.size < group.capacity ? copyLines(group.written) : undefined);
    if (kept) {
      recent.push({ first, ...kept, size: kept.bytes.length, writer: undefined });
      this.#reuse(group);
    } else recent.push({ first, ...group.written, size: group.capacity, writer: group });
    tail.recentSize += recent.at(-1)?.size ?? 0; // there is one
    while (
      recent[0] &&
      (tail.last - recent[0].first - recent[0].starts.length > recentLines || tail.recentSize > recentBytes)
    ) {
      const { writer, size } = recent.shift() as Recent; // there is one
      tail.recentSize -= size;
      this.#reuse(writer);
    }
  }

  #reuse(writer: LineGroupWriter | undefined): void {
    if (writer && writer.capacity <= largestSpare && this.#spare.length < spareWriters) this.#spare.push(writer);
  }

  #start(): Worker {
    const { folder, limits } = this.#options;
    const worker = new Worker(threadEntry(import.meta.url, './prediction-log-thread'), {
      workerData: { folder, limits } satisfies LogThreadOptions,
    });
    worker.on('message', (message: FromLog) => this.#onMessage(message));
    worker.on('error', () => {}); // followed by 'exit'; unheard it would end the process
    worker.once('exit', () => void this.#onExit());
    return worker;
  }

  #onMessage(message: FromLog): void {
    if (message.kind === 'sealed') {
      for (const listener of this.#sealedListeners) listener(message.endpoint, message.segment);
      return;
    }
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    // The id pairs the answer with its question, and so with its type.
    if (message.kind === 'answer') asked?.resolve(message.answer as never);
    else asked?.reject(new Error(message.message));
  }

  /** The files are the log; a new thread reads them and goes on. What was asked of the old one has failed. */
  async #onExit(): Promise<void> {
    for (const { reject } of this.#asked.values()) reject(new Error('the log thread died'));
    this.#asked.clear();
    if (this.#closing) return;
    this.#worker = this.#start();
    for (const [version, bins] of this.#bins) void this.#ask({ kind: 'bins', version, bins });
    for (const tail of this.#tails.values()) {
      const { last, watermark } = await this.#ask({ kind: 'open', endpoint: tail.endpoint });
      // A group that was written and not answered for is in the log all the same: followers read it from the file.
      Object.assign(tail, { last, watermark, recent: [], recentSize: 0 });
    }
  }

  #ask<Q extends LogQuestion>(question: Q, given: readonly ArrayBuffer[] = []): Promise<LogAnswers[Q['kind']]> {
    const { promise, resolve, reject } = Promise.withResolvers<LogAnswers[Q['kind']]>();
    const id = this.#nextId++;
    this.#asked.set(id, { resolve, reject });
    this.#worker.postMessage({ id, question } satisfies ToLog, given);
    return promise;
  }

  #tail(endpoint: string): Tail {
    const tail = this.#tails.get(endpoint);
    if (!tail) throw new PlatformError('serving/not-ready', endpoint);
    return tail;
  }

  /** For crash tests. */
  get thread(): Worker {
    return this.#worker;
  }

  /** Writes what waits, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#gather);
    while (this.#writing || [...this.#tails.values()].some(({ group }) => group)) {
      this.#flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#ask({ kind: 'close' });
    await this.#worker.terminate();
  }
}

function takeBatch(tail: Tail): Batch[] {
  const { group, waiters } = tail;
  if (!group) return [];
  tail.group = undefined;
  tail.waiters = [];
  tail.writing = group;
  return [{ tail, waiters, group }];
}

const idOf = (record: LogRecord): string | undefined =>
  record.kind === 'prediction' ? record.id : record.kind === 'mirror' ? record.predictionId : undefined;

// Whoever waits is told to come again soon: the disk either catches up or somebody has to make room.
const logFull = (endpoint: string) =>
  new PlatformError('serving/log-full', endpoint, { data: { retryAfterSeconds: 1 } });
const logFailing = (endpoint: string, failure: string) =>
  new PlatformError('serving/log-failing', endpoint, {
    cause: failure,
    hint: 'Make room on the disk of the data folder.',
    data: { retryAfterSeconds: 5 },
  });
