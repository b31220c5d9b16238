/** The main thread's side of the prediction log: groups what is to be written, and keeps the newest records for those who follow. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PlatformError } from '../errors.ts';
import { threadEntry } from '../storage/thread-entry.ts';
import { packCounts } from './line-count.ts';
import { completeLine, parseLine } from './log-line.ts';
import type { Segment } from './log-segment.ts';
import type { LogRecord, LogSignal, PredictionRecord, ReadLog } from './prediction.ts';
import { timeOfPrediction } from './prediction-id.ts';
import type {
  AppendResult,
  FromLog,
  LineGroup,
  LogAnswers,
  LogQuestion,
  LogThreadOptions,
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
  /** What may wait to be written, in characters, before answers are refused or dropped. */
  readonly maxWaiting?: number;
  /** How long records that nobody waits for may be gathered. */
  readonly gatherMs?: number;
};

/** When lines were written, in wall clock and in event time, and what each of them adds to a summary: where that is missing, they are read. */
export type AboutLines = {
  readonly at: number;
  readonly eventTime: number;
  readonly counts?: readonly LineCount[];
};

type Waiting = AboutLines & {
  readonly lines: readonly string[];
  readonly done: ((skipped: number) => void) | undefined;
  readonly failed: ((error: Error) => void) | undefined;
};

type Chunk = { readonly first: number; readonly count: number; readonly text: string };

type Tail = {
  readonly endpoint: string;
  waiting: Waiting[];
  waitingSize: number;
  /** Somebody waits for the disk, so the next group leaves at once. */
  urgent: boolean;
  /** The newest groups as they were written: single lines would each have to survive the garbage collector. */
  recent: Chunk[];
  last: number;
  watermark: number | undefined;
  dropped: number;
  failing: string | undefined;
};

type Batch = { readonly tail: Tail; readonly waiting: readonly Waiting[]; readonly group: LineGroup };

/** Records kept in memory per endpoint for followers: those who fall behind read files. */
const recentLines = 8_192;

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
      ...{ endpoint, last, watermark, waiting: [], waitingSize: 0, urgent: false },
      ...{ recent: [], dropped: 0, failing: undefined },
    });
  }

  /** Whether the log takes more, asked before the model computes in vain. */
  hasRoom(endpoint: string): boolean {
    return this.#tail(endpoint).waitingSize < this.#options.maxWaiting;
  }

  /**
   * Resolves when the lines are on disk, with the number of labels among them that were known.
   * @throws PlatformError `serving/log-full`, `serving/log-failing`: then none of them is in the log
   */
  append(endpoint: string, lines: readonly string[], about: AboutLines): Promise<number> {
    const tail = this.#tail(endpoint);
    if (!this.hasRoom(endpoint) || this.#closing) return Promise.reject(logFull(endpoint));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#push(tail, { lines, ...about, done: resolve, failed: reject });
    tail.urgent = true;
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
    this.#push(tail, { lines, ...about, done: undefined, failed: undefined });
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
    const chunk = tail.recent.findLast(({ first }) => first <= next);
    if (chunk) {
      const lines = chunk.text.split('\n').slice(next - chunk.first, next - chunk.first + page.limit);
      return lines.map((line, index) => completeLine(next + index, line));
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

  #push(tail: Tail, waiting: Waiting): void {
    tail.waiting.push(waiting);
    for (const line of waiting.lines) tail.waitingSize += line.length;
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
    const taken = [...this.#tails.values()].filter(({ waiting }) => waiting.length > 0);
    if (taken.length === 0) return;
    clearTimeout(this.#gather);
    this.#gather = undefined;
    this.#writing = true;
    const batches = taken.map((tail): Batch => {
      const { waiting } = tail;
      tail.waiting = [];
      tail.urgent = false;
      return { tail, waiting, group: groupOf(tail.endpoint, waiting) };
    });
    void this.#write(batches);
  }

  async #write(batches: readonly Batch[]): Promise<void> {
    const groups = batches.map(({ group }) => group);
    let results: readonly AppendResult[];
    try {
      results = await this.#ask({ kind: 'append', groups });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      results = batches.map(() => ({ failure }));
    }
    for (const [place, batch] of batches.entries()) {
      this.#settle(batch, results[place] as AppendResult); // one per group
    }
    this.#writing = false;
    if (batches.length > 0 && [...this.#tails.values()].some(({ urgent }) => urgent)) this.#flush();
    else if ([...this.#tails.values()].some(({ waiting }) => waiting.length > 0)) {
      this.#gather ??= setTimeout(() => {
        this.#gather = undefined;
        this.#flush();
      }, this.#options.gatherMs);
    }
  }

  #settle({ tail, waiting, group }: Batch, result: AppendResult): void {
    const { text } = group;
    for (const { lines } of waiting) for (const line of lines) tail.waitingSize -= line.length;
    if ('failure' in result) {
      tail.failing = result.failure;
      for (const { lines, failed } of waiting) {
        if (failed) failed(logFailing(tail.endpoint, result.failure));
        else tail.dropped += lines.length;
      }
      return;
    }
    tail.failing = undefined;
    tail.watermark = result.watermark;
    const skipped = new Set(result.skipped);
    const kept =
      skipped.size === 0
        ? text
        : text
            .split('\n')
            .filter((_, place) => !skipped.has(place))
            .join('\n');
    let place = 0;
    for (const { lines, done } of waiting) {
      let known = 0;
      for (let line = 0; line < lines.length; line++) if (skipped.has(place++)) known++;
      done?.(known);
    }
    const count = place - skipped.size;
    if (count > 0) tail.recent.push({ first: result.first, count, text: kept });
    tail.last = result.first + count - 1;
    while (tail.last - (tail.recent[0]?.first ?? tail.last) - (tail.recent[0]?.count ?? 0) > recentLines)
      tail.recent.shift();
    for (const listener of this.#listeners) listener(tail.endpoint, tail.last);
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
      Object.assign(tail, { last, watermark, recent: [] });
    }
  }

  #ask<Q extends LogQuestion>(question: Q): Promise<LogAnswers[Q['kind']]> {
    const { promise, resolve, reject } = Promise.withResolvers<LogAnswers[Q['kind']]>();
    const id = this.#nextId++;
    this.#asked.set(id, { resolve, reject });
    this.#worker.postMessage({ id, question });
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
    while (this.#writing || [...this.#tails.values()].some(({ waiting }) => waiting.length > 0)) {
      this.#flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#ask({ kind: 'close' });
    await this.#worker.terminate();
  }
}

function groupOf(endpoint: string, waiting: readonly Waiting[]): LineGroup {
  const lines: string[] = [];
  const times: number[] = [];
  const counted: (LineCount | undefined)[] = [];
  for (const { lines: own, at, eventTime, counts } of waiting) {
    for (let index = 0; index < own.length; index++) {
      lines.push(own[index] as string); // index < length
      times.push(at, eventTime);
      counted.push(counts?.[index]);
    }
  }
  return { endpoint, text: lines.join('\n'), times: Float64Array.from(times), counts: packCounts(counted) };
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
