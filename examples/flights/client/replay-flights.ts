/** Flies half a year again: every flight is asked about when it leaves, and its outcome told when it has landed. */
import { setTimeout as wait } from 'node:timers/promises';
import { dayOf, featuresAtDeparture } from '../features/features.ts';
import { flightAt } from '../features/model-rows.ts';
import type { Flights } from '../features/read-flights.ts';
import { recentDelays } from '../features/recent-delays.ts';
import { sampleRows } from '../random.ts';
import type { EndpointClient } from './endpoint-client.ts';
import { inferBody } from './flight-request.ts';
import { labelCalendar } from './label-calendar.ts';
import { type TallyReport, tally } from './tally.ts';

export type ReplayPlan = {
  /** First and last day, as days since 1970. */
  readonly from: number;
  readonly to: number;
  /** How many of the flights in between are asked about. */
  readonly requests: number;
  readonly seed: number;
  /** Requests at a time, and at most so many a second (0: as many as are answered). */
  readonly concurrency: number;
  readonly rate: number;
};

export type ReplayReport = TallyReport & { readonly labels: number; readonly lostLabels: number };

export type ReplayListener = {
  /** Before the first flight of each day, with everything before it answered or on its way. The flights wait as long as this does. */
  readonly onDay: (day: number, report: () => ReplayReport, settle: () => Promise<void>) => Promise<void>;
};

const labelsPerRequest = 200;

/** @param flights from the beginning of the file: what was late before the first day is history that the features need */
export async function replayFlights(
  { flights, client }: { flights: Flights; client: EndpointClient },
  plan: ReplayPlan,
  { onDay }: ReplayListener,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const recent = recentDelays(flights.airports.length);
  const calendar = labelCalendar();
  const counts = tally();
  const asked = sampled(flights, plan);
  const pace = pacer(plan.rate);
  const labelQueue: ReturnType<typeof calendar.due> = [];
  let labels = 0;
  let lostLabels = 0;
  let today = Number.NEGATIVE_INFINITY;
  let telling: Promise<void> | undefined;
  // A counter and one waiter: racing all open promises for every request would cost more than the request.
  let open = 0;
  let onAnswer = Promise.withResolvers<void>();
  const oneAnswered = () => onAnswer.promise;

  const report = () => ({ ...counts.report(), labels, lostLabels });
  const tell = async (atLeast: number) => {
    while (labelQueue.length >= atLeast && labelQueue.length > 0) {
      const batch = labelQueue.splice(0, labelsPerRequest);
      try {
        await client.sendLabels(batch);
        labels += batch.length;
      } catch (error) {
        lostLabels += batch.length;
        console.error(error);
      }
    }
    telling = undefined;
  };
  const settle = async () => {
    while (open > 0) await oneAnswered();
    await telling;
    await tell(1);
  };

  for (let row = 0; row < flights.length && !signal.aborted; row++) {
    const flight = flightAt(flights, row);
    const day = dayOf(flight.minute);
    if (day > plan.to) break;
    const features = featuresAtDeparture(recent, flight);
    if (asked[row] !== 1) continue;
    if (day > today) {
      today = day;
      await onDay(day, report, settle);
      if (signal.aborted) break;
    }
    labelQueue.push(...calendar.due(flight.minute));
    if (labelQueue.length >= labelsPerRequest) telling ??= tell(labelsPerRequest);
    // Answers may overtake each other; questions do not.
    while (open >= plan.concurrency) await oneAnswered();
    await pace();
    const id = flights.id[row] ?? 0;
    const body = inferBody({
      ...features,
      id,
      minute: flight.minute,
      distance: flight.distance,
      origin: flights.airports[flight.origin] ?? '',
      destination: flights.airports[flight.destination] ?? '',
    });
    open++;
    void client.infer(body).then((answer) => {
      counts.add(answer);
      open--;
      onAnswer.resolve();
      onAnswer = Promise.withResolvers<void>();
    });
    calendar.add({ id, minute: flight.minute, distance: flight.distance, late: flight.late });
  }
  if (!signal.aborted) labelQueue.push(...calendar.due(Number.MAX_SAFE_INTEGER));
  await settle();
  return report();
}

/** 1 for the flights that are asked about. */
function sampled(flights: Flights, { from, to, requests, seed }: ReplayPlan): Uint8Array {
  const candidates: number[] = [];
  for (let row = 0; row < flights.length; row++) {
    const day = dayOf(flights.minute[row] ?? 0);
    if (day >= from && day <= to) candidates.push(row);
  }
  const asked = new Uint8Array(flights.length);
  for (const row of sampleRows(Uint32Array.from(candidates), requests, seed)) asked[row] = 1;
  return asked;
}

/** Lets calls through at an even rate, and does not make up for time in which nobody called. */
function pacer(rate: number): () => Promise<void> {
  if (rate <= 0) return async () => {};
  let next = performance.now();
  return async () => {
    const now = performance.now();
    next = Math.max(next + 1000 / rate, now - 50);
    if (next - now > 2) await wait(next - now);
  };
}
