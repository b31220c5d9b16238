/** Entry of the log thread: appends, syncs, counts and reads, so that no fsync ever happens on the main thread. */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { type CountReader, countReader } from './line-count.ts';
import { type LineGroup, linesOf, renumber } from './line-group.ts';
import { readLine } from './log-line.ts';
import type {
  AppendOrder,
  AppendResult,
  FromLog,
  LogAnswers,
  LogQuestion,
  LogThreadOptions,
  ToLog,
} from './prediction-log-message.ts';
import type { ReferenceBins } from './reference-bins.ts';
import { openSegmentLog, type SegmentLog } from './segment-log-adapter.ts';
import { foldSummaries, readSnapshot, type SummaryFold, type SummarySnapshot, writeSnapshot } from './summary.ts';
import { versionKey } from './traffic.ts';

const port = parentPort!; // this file is only ever started as a worker
const { folder, limits } = workerData as LogThreadOptions; // given by openPredictionLog
/** How many labels are remembered per endpoint to recognise one that is sent again. */
const rememberedLabels = 200_000;
const upkeepEveryMs = 10_000;
const linesPerTurn = 128;

type EndpointLog = {
  readonly name: string;
  readonly log: SegmentLog;
  readonly folder: string;
  readonly summaries: SummaryFold;
  readonly labels: Set<string>;
  /** On disk and acknowledged, not yet counted. */
  readonly uncounted: Uncounted[];
  savedUpTo: number;
};

type Uncounted = { readonly group: LineGroup; readonly nextCount: CountReader };

const logs = new Map<string, EndpointLog>();
const bins = new Map<string, ReferenceBins>();
/** Appending, sealing and closing take turns; reading does not wait. */
let writing: Promise<unknown> = Promise.resolve();
const upkeep = setInterval(() => inTurn(() => Promise.all([...logs.values()].map(look))), upkeepEveryMs);

port.on('message', async ({ id, question }: ToLog) => {
  try {
    const answer = await answerTo(question);
    say({ kind: 'answer', id, answer });
    if (question.kind === 'append') setImmediate(() => inTurn(countSome));
  } catch (error) {
    say({ kind: 'failure', id, message: messageOf(error) });
  }
  if (question.kind === 'close') port.close();
});

function answerTo(question: LogQuestion): Promise<LogAnswers[keyof LogAnswers]> | LogAnswers[keyof LogAnswers] {
  switch (question.kind) {
    case 'open':
      return inTurn(() => openEndpoint(question.endpoint));
    case 'append':
      return inTurn(() => appendAll(question.orders));
    case 'read':
      return logOf(question.endpoint).log.read(question.after, question.limit);
    case 'search':
      return search(question.text, question.at);
    case 'segments':
      return inTurn(() => segmentsOf(logOf(question.endpoint), question.seal));
    case 'compacted':
      return inTurn(async () => {
        await logOf(question.endpoint).log.compacted(question.first, question.tables);
        return undefined;
      });
    case 'bins':
      bins.set(question.version, question.bins);
      return undefined;
    case 'summaries': {
      const { from, to } = question;
      const one = logOf(question.endpoint);
      count(one);
      return one.summaries.snapshot().summaries.filter(({ day }) => day >= from && day < to);
    }
    case 'close':
      return inTurn(close);
  }
}

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = writing.then(work);
  writing = done.catch(() => undefined); // whoever asked is told; the next one has its own turn
  return done;
}

async function openEndpoint(name: string): Promise<LogAnswers['open']> {
  const known = logs.get(name);
  if (known) return { last: known.log.last, watermark: known.log.watermark };
  const place = join(folder, name);
  const { log, recovered } = await openSegmentLog(place, { limits, now: Date.now });
  const saved = await savedSummaries(place);
  const one: EndpointLog = {
    name,
    log,
    folder: place,
    // A log that lost what its summaries had counted never happens by a crash; should it, they are counted again.
    summaries: foldSummaries(saved.covered <= log.last ? saved : none, (version) => bins.get(versionKey(version))),
    labels: new Set(),
    uncounted: [],
    savedUpTo: saved.covered,
  };
  // What was sealed after the summaries were saved is counted from the files; what is open, from what recovery has read.
  const firstRecovered = log.last - recovered.length + 1;
  for (let after = saved.covered; after + 1 < firstRecovered; ) {
    const page = await log.read(after, Math.min(4_096, firstRecovered - 1 - after));
    if ('tables' in page) {
      // Summaries are saved before a segment may be removed, so this part is counted already.
      after = page.tables.last;
      continue;
    }
    for (const line of page.lines) one.summaries.add(readLine(line));
    after += page.lines.length;
  }
  for (const line of recovered) {
    const record = readLine(line);
    one.summaries.add(record);
    if (record.kind === 'label') remember(one, labelId(record));
  }
  logs.set(name, one);
  return { last: log.last, watermark: log.watermark };
}

function appendAll(orders: readonly AppendOrder[]): Promise<AppendResult[]> {
  // Files of several endpoints are synced at the same time.
  return Promise.all(orders.map((order) => append(order, { alone: orders.length === 1 })));
}

async function append({ endpoint, group }: AppendOrder, { alone }: { alone: boolean }): Promise<AppendResult> {
  const one = logOf(endpoint);
  const { labels, skipped } = labelsIn(one, group);
  // Whoever numbered them did not know of a group before them that failed, or of labels that are known.
  const isRight = group.first === one.log.last + 1 && skipped.size === 0;
  const written = isRight ? group : renumber(group, one.log.last + 1, skipped);
  try {
    if (written.starts.length > 0) await one.log.append(written, { alone });
  } catch (error) {
    return { failure: messageOf(error) };
  }
  for (const label of labels) remember(one, label);
  one.uncounted.push({ group: written, nextCount: countReader(written.counts) });
  const { first, bytes, starts } = written;
  const renumbered = isRight ? undefined : { bytes, starts };
  return { first, skipped: [...skipped], watermark: one.log.watermark, renumbered };
}

/** @returns what the group adds to the labels known, and the places of those that are known already */
function labelsIn(one: EndpointLog, group: LineGroup) {
  const labels = new Set<string>();
  const skipped = new Set<number>();
  for (const place of group.uncounted) {
    const record = readLine(linesOf(group, place, place + 1));
    if (record.kind !== 'label') continue;
    const id = labelId(record);
    if (one.labels.has(id) || labels.has(id)) skipped.add(place);
    else labels.add(id);
  }
  return { labels, skipped };
}

type LabelIdentity = { readonly key: string; readonly value: number | string };
const labelId = ({ key, value }: LabelIdentity): string => JSON.stringify([key, value]);

function remember(one: EndpointLog, id: string): void {
  one.labels.add(id);
  if (one.labels.size <= rememberedLabels) return;
  for (const oldest of one.labels) {
    one.labels.delete(oldest);
    return;
  }
}

/** Nobody waits for it, so it is done between groups, a part at a time. */
function count(one: EndpointLog, limit = Number.POSITIVE_INFINITY): void {
  let left = limit;
  while (one.uncounted.length > 0 && left > 0) {
    const { group, nextCount } = one.uncounted.shift() as Uncounted; // there is one
    const lines = group.starts.length;
    left -= lines;
    for (let place = 0; place < lines; place++) {
      const known = nextCount();
      if (known && one.summaries.addCells(group.first + place, known)) continue;
      one.summaries.add(readLine(linesOf(group, place, place + 1)));
    }
  }
}

async function countSome(): Promise<void> {
  for (const one of logs.values()) {
    if (one.uncounted.length === 0) continue;
    count(one, linesPerTurn);
    if (one.uncounted.length > 0) setImmediate(() => inTurn(countSome));
    else await sealIfDue(one, { force: false });
  }
}

async function look(one: EndpointLog): Promise<void> {
  await sealIfDue(one, { force: false });
}

async function segmentsOf(one: EndpointLog, seal: boolean): Promise<LogAnswers['segments']> {
  if (seal) await sealIfDue(one, { force: true });
  return one.log.segments;
}

async function sealIfDue(one: EndpointLog, { force }: { force: boolean }): Promise<void> {
  count(one);
  const segment = await one.log.seal({ force });
  if (!segment) return;
  // Only now: what the open segment holds is counted again after a crash, which is cheaper than saving it all the time.
  await saveSummaries(one);
  say({ kind: 'sealed', endpoint: one.name, segment });
}

async function search(text: string, at: number): Promise<LogAnswers['search']> {
  return Promise.all(
    [...logs.values()].map(async ({ name, log }) => ({ endpoint: name, ...(await log.search(text, at)) })),
  );
}

const none: SummarySnapshot = { covered: 0, summaries: [] };

async function savedSummaries(place: string): Promise<SummarySnapshot> {
  try {
    return readSnapshot(await readFile(join(place, 'summaries.json'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    throw error;
  }
}

async function saveSummaries(one: EndpointLog): Promise<void> {
  const snapshot = one.summaries.snapshot();
  if (snapshot.covered === one.savedUpTo) return;
  const path = join(one.folder, 'summaries.json');
  await using file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(writeSnapshot(snapshot));
  await file.sync();
  await rename(`${path}.new`, path);
  one.savedUpTo = snapshot.covered;
}

async function close(): Promise<undefined> {
  clearInterval(upkeep);
  for (const one of logs.values()) {
    count(one);
    // On a full disk the log itself is complete; the summaries are counted again at the next start.
    await saveSummaries(one).catch(() => undefined);
    await one.log.close();
  }
  return undefined;
}

function logOf(endpoint: string): EndpointLog {
  const one = logs.get(endpoint);
  if (!one) throw new Error(`the log of ${endpoint} is not open`);
  return one;
}

const say = (message: FromLog): void => port.postMessage(message);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
