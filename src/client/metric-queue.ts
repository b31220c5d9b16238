/** Metrics on their way: training goes on while they are sent, in batches as large as the server takes. */
import type { Ending, LeftFile, MetricSpool } from './metric-spool.ts';
import { RequestError } from './rest-client.ts';
import type { Refusal } from './send-metrics.ts';
import type { WireMetric } from './wire-metric.ts';

export type Metric = {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number | bigint;
};
export interface MetricQueue {
  add(metrics: readonly Metric[]): void;
  /**
   * Resolves when everything added so far has arrived.
   * @throws RequestError when the server refused some: those are gone, all others have arrived
   * @throws UnavailableError when nobody answered for minutes: everything is still there, and sent when the server is back
   */
  flush(): Promise<void>;
  /** Puts all that has not arrived into a file, with blocking calls, for the end of the program. */
  leave(ending: Ending): LeftFile;
}

type Options = {
  /** One batch of at most 1,000, with its own retries. @returns what the server refuses. @throws what may pass */
  readonly send: (batch: readonly WireMetric[]) => Promise<readonly Refusal[]>;
  readonly openSpool: () => MetricSpool;
  /** How many wait in memory; further ones wait in the spool. */
  readonly mostInMemory?: number;
};

const batchSize = 1000;
const gatherMs = 200;
const longestTimerMs = 2 ** 31 - 1;

export function metricQueue({ send, openSpool, mostInMemory = 50_000 }: Options): MetricQueue {
  let inFlight: readonly WireMetric[] = [];
  let waiting: WireMetric[] = []; // older than all in the spool
  let spool: MetricSpool | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<unknown> | undefined;
  let refused: { readonly first: Refusal; readonly count: number } | undefined;

  const isEmpty = () => inFlight.length + waiting.length === 0 && !spool;
  /** @returns what kept it from sending all, if something did */
  const start = (): Promise<unknown> => {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll()
      .catch((error: unknown) => error)
      .finally(() => {
        sending = undefined;
      });
    return sending;
  };
  const sendAll = async (): Promise<void> => {
    for (;;) {
      // What failed the last time is sent again: the server takes a point that it has as the same point.
      if (inFlight.length === 0) inFlight = next();
      if (inFlight.length === 0) return;
      const refusals = await send(inFlight);
      const [first] = refusals;
      if (first) refused = { first: refused?.first ?? first, count: (refused?.count ?? 0) + refusals.length };
      inFlight = [];
    }
  };
  const next = (): readonly WireMetric[] => {
    if (waiting.length === 0 && spool) {
      waiting = spool.take(Math.min(mostInMemory, 10 * batchSize));
      if (spool.waiting === 0) {
        spool.discard();
        spool = undefined;
      }
    }
    const batch = waiting.slice(0, batchSize);
    waiting = waiting.slice(batchSize);
    return batch;
  };

  return {
    add(metrics) {
      for (const metric of metrics) {
        if (!spool && waiting.length >= mostInMemory) spool = openSpool();
        if (spool) spool.put(onTheWire(metric));
        else waiting.push(onTheWire(metric));
      }
      if (waiting.length >= batchSize) void start();
      else timer ??= setTimeout(start, gatherMs);
    },
    async flush() {
      const alive = setInterval(() => {}, longestTimerMs); // sending alone does not keep the program from its end
      try {
        while (!isEmpty()) {
          const failure = await start();
          if (failure !== undefined) throw failure;
        }
      } finally {
        clearInterval(alive);
      }
      if (!refused) return;
      const { first, count } = refused;
      refused = undefined;
      throw refusalOf(first, count);
    },
    leave(ending) {
      clearTimeout(timer);
      spool ??= openSpool();
      // Behind younger ones: in a history the step and the time decide, not the order of arrival.
      for (const metric of [...inFlight, ...waiting]) spool.put(metric);
      return spool.leave(ending);
    },
  };
}

function refusalOf({ metric, error }: Refusal, count: number): RequestError {
  const which = `"${metric.key}" at step ${metric.step}`;
  const what = count === 1 ? `The metric ${which} was refused` : `${count} metrics were refused, first ${which}`;
  return new RequestError(error.status, error.code, `${what}: ${error.message}`);
}

function onTheWire({ key, value, timestamp, step }: Metric): WireMetric {
  return {
    key,
    value: Number.isFinite(value) ? value : String(value),
    timestamp,
    step: typeof step === 'bigint' ? String(step) : step,
  };
}
