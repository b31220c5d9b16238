/**
 * The traffic of the story: `node replay.ts --url http://127.0.0.1:5000 --from 2001-03-01 --to 2001-06-30`.
 *
 * Says what happens as lines of JSON on standard output: `ready`, `day` (one a day of the flights), `paused`, `done`. Takes lines of JSON on
 * standard input: `{"pauseAt": "2001-03-31"}` stops before that day, `{"resume": true}` goes on, `{"stop": true}` ends early.
 */
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';
import { endpointClient } from './client/endpoint-client.ts';
import { type ReplayReport, replayFlights } from './client/replay-flights.ts';
import { originalFile, originalFlights, readFlights } from './features/read-flights.ts';
import { readOptions } from './options.ts';

const dayMs = 86_400_000;

if (import.meta.main) {
  await replay(
    readOptions({
      url: process.env.MLFLOW_TRACKING_URI ?? 'http://127.0.0.1:5000',
      endpoint: 'flights',
      from: '2001-03-01',
      to: '2001-06-30',
      requests: 120_000,
      concurrency: 24,
      rate: 0,
      seed: 42,
      pauseAt: '',
    }),
  );
}

type ReplayOptions = {
  readonly url: string;
  readonly endpoint: string;
  readonly from: string;
  readonly to: string;
  readonly requests: number;
  readonly concurrency: number;
  readonly rate: number;
  readonly seed: number;
  /** Days to stop before, separated by commas. */
  readonly pauseAt: string;
};

async function replay({ url, endpoint, pauseAt, ...options }: ReplayOptions): Promise<void> {
  const controls = readControls(pauseAt.split(',').filter(Boolean).map(dayFrom));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const flights = await readFlights(connection, originalFlights(originalFile()));
  connection.closeSync();
  instance.closeSync();
  const token = process.env.MLFLOW_TRACKING_TOKEN;
  using client = endpointClient({ url, endpoint, token, connections: options.concurrency + 1 });
  say({ kind: 'ready', flights: flights.length });

  const plan = { ...options, from: dayFrom(options.from), to: dayFrom(options.to) };
  let busyMs = 0;
  let since = performance.now();
  const seconds = () => Math.round(busyMs + performance.now() - since) / 1000;
  const onDay = async (day: number, report: () => ReplayReport, settle: () => Promise<void>) => {
    say({ kind: 'day', at: textOf(day), seconds: seconds(), ...report() });
    if (!controls.pausesAt(day)) return;
    await settle();
    busyMs += performance.now() - since;
    say({ kind: 'paused', at: textOf(day), ...report() });
    await controls.resumed();
    since = performance.now();
  };
  const report = await replayFlights({ flights, client }, plan, { onDay }, controls.stopped);
  say({ kind: 'done', seconds: seconds(), perSecond: Math.round(report.requests / seconds()), ...report });
  controls.close();
}

/** Commands as they come; a closed input leaves the replay running, but resumes it when it waits. */
function readControls(pauses: readonly number[]) {
  const pauseAt = new Set(pauses);
  const stop = new AbortController();
  let goOn = Promise.withResolvers<void>();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = JSON.parse(line) as { pauseAt?: string; resume?: boolean; stop?: boolean };
    if (command.pauseAt !== undefined) pauseAt.add(dayFrom(command.pauseAt));
    if (command.stop) stop.abort();
    if (command.resume || command.stop) goOn.resolve();
  });
  lines.on('close', () => goOn.resolve());
  return {
    stopped: stop.signal,
    /** A day that was skipped, because no flight of it is asked about, still pauses. */
    pausesAt(day: number): boolean {
      const due = [...pauseAt].filter((at) => at <= day);
      for (const at of due) pauseAt.delete(at);
      return due.length > 0;
    },
    async resumed(): Promise<void> {
      await goOn.promise;
      goOn = Promise.withResolvers<void>();
    },
    close: () => lines.close(),
  };
}

function dayFrom(date: string): number {
  const ms = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(ms)) throw new RangeError(`not a day: ${date}`);
  return ms / dayMs;
}

function textOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

function say(event: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(event));
}
